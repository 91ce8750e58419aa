/** Reads an upload as lines of fields, as it streams in. */
import { Readable } from 'node:stream';
import Papa from 'papaparse';
import { DomainError } from '../../errors.ts';

/** Longer lines than this are not a list of readings. */
const MAX_LINE_CHARACTERS = 1_000_000;

function tooLong(line: number): DomainError {
  return new DomainError('body_too_large', `Line ${line} is longer than ${MAX_LINE_CHARACTERS} characters.`);
}

/** Decodes text, refusing bytes that are none. */
async function* decoded(body: AsyncIterable<Uint8Array>, encoding = 'utf-8'): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  try {
    for await (const bytes of body) yield decoder.decode(bytes, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const detail = `The body is not valid ${encoding.toUpperCase()}: save it as UTF-8, or say its encoding.`;
    throw new DomainError('invalid_request', detail);
  }
}

/** Numbered lines without their ends; empty ones are left out. */
export async function* textLines(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ line: number; text: string }> {
  let rest = '';
  let line = 0;
  for await (const text of decoded(body)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const each of lines) {
      line += 1;
      const trimmed = each.trim();
      if (trimmed !== '') yield { line, text: trimmed };
    }
    if (rest.length > MAX_LINE_CHARACTERS) throw tooLong(line + 1);
  }
  if (rest.trim() !== '') yield { line: line + 1, text: rest.trim() };
}

/** Passes text on, refusing a line that never ends: the parser would keep all of it. */
async function* endingLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let line = 1;
  let length = 0;
  for await (const text of texts) {
    const last_end = text.lastIndexOf('\n');
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) line += 1;
    length = last_end < 0 ? length + text.length : text.length - last_end - 1;
    if (length > MAX_LINE_CHARACTERS) throw tooLong(line);
    yield text;
  }
}

/** Numbered rows of cells; empty rows are left out. */
export async function* csvRows(
  body: AsyncIterable<Uint8Array>,
  delimiter = ',',
  encoding = 'utf-8',
): AsyncGenerator<{ line: number; cells: string[] }> {
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, { delimiter });
  const source = Readable.from(endingLines(decoded(body, encoding)));
  source.on('error', (error) => parser.destroy(error));
  let line = 0;
  for await (const cells of source.pipe(parser) as AsyncIterable<string[]>) {
    line += 1;
    if (cells.length > 1 || cells[0]?.trim()) yield { line, cells };
  }
}
