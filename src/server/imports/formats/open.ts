/** Recognises a file by how it begins. */
import { WallClock } from '../../../core/wall-clock.ts';
import { invalid } from '../../errors.ts';
import { byReading } from './day-rows.ts';
import { refuseForeign } from './foreign.ts';
import type { Format, Opened, Wishes } from './format.ts';
import { openGreenButton } from './green-button.ts';
import { counting, csvRows } from './lines.ts';
import { openNdjson } from './ndjson.ts';
import { isNem12, NEM12_ZONE, nem12Rows } from './nem12.ts';
import { ownDelimiter } from './own.ts';
import { openTable } from './table.ts';
import { openXlsx } from './xlsx.ts';

/** So much of a file tells what it is. */
const HEAD_BYTES = 65_536;
const SAMPLE_LINES = 20;
/** How a ZIP archive begins: with a file, with none, with a part of several. */
const ARCHIVES = ['PK\u0003\u0004', 'PK\u0005\u0006', 'PK\u0007\u0008'];
const SEPARATORS = ['\t', ';', ',', '|'];

/** How it begins, and all of it. */
async function peek(body: AsyncIterable<Uint8Array>) {
  const iterator = body[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const { done, value } = await iterator.next();
    if (done) break;
    head.push(value);
    length += value.length;
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
  return { head: Buffer.concat(head), bytes: whole() };
}

/** By its mark, else UTF-8 if it is that, else what Windows writes in the west of Europe. */
function encodingOf(head: Buffer): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const sample = head.subarray(0, 1000);
  const zeros = [0, 1].map((odd) => sample.filter((byte, i) => byte === 0 && i % 2 === odd).length);
  // Of text in the Latin alphabet every other byte is zero.
  if (zeros[0] === 0 && zeros[1]! * 3 > sample.length) return 'utf-16le';
  if (zeros[1] === 0 && zeros[0]! * 3 > sample.length) return 'utf-16be';
  try {
    // A character may be cut at the end of what was read.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

/** What each kind of file leaves open; whatever else is said about it would be passed over in silence. */
const OPEN_TO: Record<Format, readonly (keyof Wishes)[] | null> = {
  csv: null,
  ndjson: ['format'],
  greenbutton: ['format', 'round', 'meter'],
  xlsx: [
    'format',
    'decimal',
    'date_format',
    'timezone',
    'unit',
    'reading_type',
    'label',
    'columns',
    'round',
    'meter',
  ],
};

function recognise(begins: string): Format {
  if (begins.startsWith('<')) return 'greenbutton';
  if (ARCHIVES.some((mark) => begins.startsWith(mark))) return 'xlsx';
  return /^[{[]/.test(begins) ? 'ndjson' : 'csv';
}

/** The separator that stands equally often in the first lines; quoted ones don't count. */
function separatorOf(begins: string): string {
  const lines = begins
    .replace(/"(?:[^"]|"")*"/g, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  const sample = lines.slice(0, SAMPLE_LINES);
  const counts = SEPARATORS.map((separator) => {
    const each = sample.map((line) => line.split(separator).length - 1);
    const usual = each.toSorted((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0;
    return { separator, usual, same: each.filter((count) => count === usual).length };
  });
  const [best] = counts.filter(({ usual }) => usual > 0).sort((a, b) => b.same - a.same);
  return best?.separator ?? ',';
}

/** Throws validation_failed for what no table can be. */
function checkWishes({ delimiter, timezone, encoding }: Wishes): void {
  const works = (attempt: () => unknown) => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  };
  const wrong = (path: string, message: string) => invalid([{ path, message }]);
  if (delimiter !== undefined && !/^[^"\r\n\ufeff]$/.test(delimiter))
    throw wrong('delimiter', 'must be one character, or tab');
  if (timezone !== undefined && !works(() => new WallClock(timezone).instants(0)))
    throw wrong(
      'timezone',
      'must be an IANA time zone, for example Europe/Stockholm, or an offset such as +01:00',
    );
  if (encoding !== undefined && !works(() => new TextDecoder(encoding, { fatal: true })))
    throw wrong('encoding', 'must be an encoding, for example utf-8 or windows-1252');
}

async function openSeparated(
  bytes: AsyncIterable<Uint8Array>,
  begins: string,
  encoding: string,
  wishes: Wishes,
  zone: string,
) {
  // The first line may be for the spreadsheet alone.
  const told = /^sep=(.)/i.exec(begins)?.[1];
  const own = ownDelimiter(begins);
  const separator = wishes.delimiter ?? told ?? own ?? separatorOf(begins);
  const count = { bytes: 0 };
  const cells = csvRows(counting(bytes, count), separator, encoding);
  if (told) await cells.next();
  if (isNem12(begins)) {
    const said = { timezone: NEM12_ZONE, label: 'end', reading_type: 'relative', ...wishes } as const;
    return openTable(nem12Rows(cells), { separator, encoding, count }, said, zone);
  }
  const rows = own ? cells : byReading(cells);
  return openTable(rows, { separator, encoding, count }, wishes, zone);
}

/**
 * Recognises a file by how it begins. Throws validation_failed for what it cannot read, or for a wish that such a file
 * has no use for.
 * @param zone of the property, for times without an offset
 */
export async function open(body: AsyncIterable<Uint8Array>, wishes: Wishes, zone: string): Promise<Opened> {
  checkWishes(wishes);
  const { head, bytes } = await peek(body);
  const encoding = wishes.encoding ?? encodingOf(head);
  const begins = new TextDecoder(encoding).decode(head).trimStart();
  refuseForeign(head, begins);
  const format = wishes.format ?? recognise(begins);
  const allowed = OPEN_TO[format];
  const unused = Object.keys(wishes).filter((wish) => allowed && !allowed.includes(wish as keyof Wishes));
  if (unused.length > 0) {
    const message = `has no use in a file of the format ${format} as it is: leave it out`;
    throw invalid(unused.map((path) => ({ path, message })));
  }
  if (format === 'ndjson') return openNdjson(bytes, zone);
  if (format === 'greenbutton') return openGreenButton(bytes, wishes, zone, encoding);
  if (format === 'xlsx') return openXlsx(bytes, wishes, zone);
  return openSeparated(bytes, begins, encoding, wishes, zone);
}
