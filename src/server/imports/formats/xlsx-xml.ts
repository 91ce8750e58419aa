/** Reads the XML of a workbook's parts as it is unpacked: no tree, no entities of its own, no document type. */
import sax from 'sax';
import { damaged } from './xlsx-refused.ts';

const MAX_DEPTH = 64;
const MAX_ATTRIBUTES = 200;

/** What is told of the elements of a part, by their names without prefix. */
export interface Elements {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  text(piece: string): void;
  close(name: string): void;
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1);

function parserFor(elements: Elements): sax.SAXParser {
  const parser = sax.parser(true, { position: false });
  let [depth, attributes] = [0, 0];
  parser.onerror = (error) => {
    throw damaged(error.message.split('\n')[0]!.slice(0, 100));
  };
  parser.ondoctype = () => {
    throw damaged('a document type, which no workbook has');
  };
  parser.onopentagstart = () => {
    attributes = 0;
    depth += 1;
    if (depth > MAX_DEPTH) throw damaged(`elements deeper than ${MAX_DEPTH}`);
  };
  parser.onattribute = () => {
    attributes += 1;
    if (attributes > MAX_ATTRIBUTES) throw damaged(`an element with more than ${MAX_ATTRIBUTES} attributes`);
  };
  parser.onopentag = (tag) => elements.open(localName(tag.name), tag.attributes as Record<string, string>);
  parser.ontext = (text) => elements.text(text);
  parser.oncdata = (text) => elements.text(text);
  parser.onclosetag = (name) => {
    depth -= 1;
    elements.close(localName(name));
  };
  return parser;
}

/** XML is UTF-8, or UTF-16 with its mark. */
async function* decoded(part: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  const decode = (bytes?: Buffer) => {
    try {
      return decoder?.decode(bytes, { stream: bytes !== undefined }) ?? '';
    } catch {
      throw damaged('text that is not UTF-8');
    }
  };
  for await (const bytes of part) {
    decoder ??= new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-8', { fatal: true });
    yield decode(bytes);
  }
  yield decode();
}

/** Yields after each piece that has been told. Throws validation_failed for what is no XML. */
export async function* readingXml(part: AsyncIterable<Buffer>, elements: Elements): AsyncGenerator<void> {
  const parser = parserFor(elements);
  for await (const text of decoded(part)) {
    parser.write(text);
    yield;
  }
  parser.close();
  yield;
}

/** The same where nothing is to be done in between. */
export async function readXml(part: AsyncIterable<Buffer>, elements: Elements): Promise<void> {
  for await (const _ of readingXml(part, elements));
}
