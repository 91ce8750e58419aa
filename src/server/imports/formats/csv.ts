/** CSV with a `timestamp` column and one column per meter. An empty cell is a meter that was not read then. */
import { fold } from '../../../core/text.ts';
import { parseInstant } from '../../../core/time.ts';
import { parseKwh } from '../../../core/units.ts';
import { invalid } from '../../errors.ts';
import type { Found, Opened } from './format.ts';
import { csvRows } from './lines.ts';

const ROWS_AT_ONCE = 500;

type Row = { line: number; cells: string[] };

function readRow({ line, cells }: Row, names: readonly string[], found: Found): void {
  const [first = '', ...rest] = cells;
  const refuse = (column: string | null, message: string) => found.errors.push({ line, column, message });
  if (rest.length !== names.length) {
    refuse(null, `has ${cells.length} cells, the heading has ${names.length + 1}`);
    return;
  }
  const instant = parseInstant(first.trim());
  if (!instant.ok) refuse('timestamp', instant.message);
  for (const [i, meter] of names.entries()) {
    const cell = rest[i]!.trim();
    if (cell === '') continue;
    const value = parseKwh(cell);
    if (!value.ok) refuse(meter, value.message);
    if (!instant.ok || !value.ok) continue;
    found.readings.push({
      ...{ line, column: meter, meter, reading_type: 'absolute', reading_timestamp: instant.value },
      ...{ value_wh: value.value, period_start: null, note: null },
    });
  }
}

async function* readRows(rows: AsyncIterator<Row>, names: readonly string[], count: { bytes: number }) {
  let found: Found = { readings: [], errors: [], bytes: 0 };
  for (let read = 1; ; read += 1) {
    const { done, value } = await rows.next();
    if (!done) readRow(value, names, found);
    if (!done && read % ROWS_AT_ONCE !== 0) continue;
    yield { ...found, bytes: count.bytes };
    if (done) return;
    found = { readings: [], errors: [], bytes: 0 };
  }
}

export async function* counting(body: AsyncIterable<Uint8Array>, count: { bytes: number }) {
  for await (const bytes of body) {
    count.bytes += bytes.length;
    yield bytes;
  }
}

export async function openCsv(body: AsyncIterable<Uint8Array>, zone: string): Promise<Opened> {
  const count = { bytes: 0 };
  const rows = csvRows(counting(body, count))[Symbol.asyncIterator]();
  const { done, value } = await rows.next();
  const refuse = (line: number, message: string) => invalid([{ path: `line ${line}`, message }]);
  if (done) throw refuse(1, 'is empty: the file has no heading');
  const [first = '', ...headings] = value.cells;
  if (!['timestamp', 'reading_timestamp'].includes(fold(first.replace('\ufeff', '').trim())))
    throw refuse(value.line, 'must begin with a column headed timestamp, then one column per meter');
  if (headings.length === 0) throw refuse(value.line, 'names no meter: add a column per meter');
  const names = headings.map((heading) => heading.trim());
  return {
    plan: {
      ...{ format: 'csv', layout: 'wide', meters: names, columns: { timestamp: 'timestamp' } },
      explained: [`A column for each of ${names.length} meters, registers in kWh.`],
      ...{ delimiter: ',', decimal: '.', date_format: null, timezone: zone, unit: 'kWh' },
      ...{ reading_type: 'absolute', label: null, encoding: 'utf-8', round: false },
    },
    readings: readRows(rows, names, count),
  };
}
