/** Recognises a file by how it begins. */
import { invalid } from '../../errors.ts';
import { openCsv } from './csv.ts';
import { exportDelimiter, openExported } from './exported.ts';
import type { Format, Opened, Wishes } from './format.ts';
import { openGreenButton } from './green-button.ts';
import { openNdjson } from './ndjson.ts';

/** So much of a file tells what it is. */
const HEAD_BYTES = 512;

/** How it begins, and all of it. */
async function peek(body: AsyncIterable<Uint8Array>) {
  const iterator = body[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let text = '';
  while (text.trim().length < HEAD_BYTES) {
    const { done, value } = await iterator.next();
    if (done) break;
    head.push(value);
    text = Buffer.concat(head).toString('latin1').replace('\u00ef\u00bb\u00bf', '');
  }
  async function* whole() {
    try {
      yield* head;
      for (;;) {
        const { done, value } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { begins: text.trimStart(), bytes: whole() };
}

/** What each kind of file leaves open; whatever else is said about it would be passed over in silence. */
const OPEN_TO: Record<Format, readonly (keyof Wishes)[]> = {
  csv: ['format'],
  ndjson: ['format'],
  greenbutton: ['format', 'round', 'meter'],
  xlsx: ['format'],
};

function recognise(begins: string): Format {
  if (begins.startsWith('<')) return 'greenbutton';
  if (begins.startsWith('PK\u0003\u0004')) return 'xlsx';
  return /^[{[]/.test(begins) ? 'ndjson' : 'csv';
}

/**
 * Recognises a file by its first bytes. Throws validation_failed for what it cannot read, or for a wish that such a file
 * has no use for.
 * @param zone of the property, for times without an offset
 */
export async function open(body: AsyncIterable<Uint8Array>, wishes: Wishes, zone: string): Promise<Opened> {
  const { begins, bytes } = await peek(body);
  const format = wishes.format ?? recognise(begins);
  const unused = Object.keys(wishes).filter((wish) => !OPEN_TO[format].includes(wish as keyof Wishes));
  if (unused.length > 0) {
    const message = `has no use in a file of the format ${format} as it is: leave it out`;
    throw invalid(unused.map((path) => ({ path, message })));
  }
  if (format === 'ndjson') return openNdjson(bytes, zone);
  if (format === 'greenbutton') return openGreenButton(bytes, wishes, zone);
  if (format === 'xlsx') {
    const message = 'cannot be an XLSX file yet: save the sheet as CSV, with a column headed timestamp';
    throw invalid([{ path: 'format', message }]);
  }
  const delimiter = exportDelimiter(begins);
  return delimiter ? openExported(bytes, delimiter, zone) : openCsv(bytes, zone);
}
