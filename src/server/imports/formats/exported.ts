/** The CSV that an export writes, in each of its dialects: a reading a row. */
import { EXPORT_COLUMNS } from '../../../contract/exports.ts';
import { tidy } from '../../../core/text.ts';
import { parseInstant } from '../../../core/time.ts';
import { type Parsed, parseKwh } from '../../../core/units.ts';
import { checkNote } from '../../http/validation.ts';
import { counting } from './csv.ts';
import type { Found, Opened } from './format.ts';
import { csvRows } from './lines.ts';

const ROWS_AT_ONCE = 500;
type Column = (typeof EXPORT_COLUMNS)[number];

/** How the exported CSV that begins like this separates its cells; null if it is another file. */
export function exportDelimiter(begins: string): ',' | ';' | null {
  const separators = [',', ';'] as const;
  return (
    separators.find((separator) => begins.startsWith(EXPORT_COLUMNS.slice(0, 5).join(separator))) ?? null
  );
}

/** Text that would have been a formula has an apostrophe in front, and so has what began with one. */
function asWritten(text: string): string {
  return /^'[=+\-@\t\r\n']/.test(text) ? text.slice(1) : text;
}

function readRow(cells: readonly string[], line: number, comma: boolean, found: Found): void {
  const errors_before = found.errors.length;
  const refuse = (column: string | null, message: string) => found.errors.push({ line, column, message });
  if (cells.length !== EXPORT_COLUMNS.length) {
    refuse(null, `has ${cells.length} cells, the heading has ${EXPORT_COLUMNS.length}`);
    return;
  }
  const cell = (column: Column) => cells[EXPORT_COLUMNS.indexOf(column)]!;
  const take = <T>(column: Column, parsed: Parsed<T>): T | null => {
    if (parsed.ok) return parsed.value;
    refuse(column, parsed.message);
    return null;
  };
  const reading_timestamp = take('timestamp', parseInstant(cell('timestamp')));
  const value_wh = take('value', parseKwh(comma ? cell('value').replace(',', '.') : cell('value')));
  const period = cell('period_start');
  const period_start = period === '' ? null : take('period_start', parseInstant(period));
  const reading_type = cell('reading_type');
  if (reading_type !== 'absolute' && reading_type !== 'relative')
    refuse('reading_type', 'must be one of absolute, relative');
  else if (period_start !== null && reading_type === 'absolute')
    refuse('period_start', 'goes with reading_type relative only: a register has no period');
  if (period_start !== null && reading_timestamp !== null && period_start >= reading_timestamp)
    refuse('period_start', 'must be earlier than timestamp');
  const note = asWritten(cell('note'));
  if (note.length > 2000 || (note !== '' && checkNote(note, {})))
    refuse('note', 'must be a text of at most 2000 characters, none of them control characters');
  if (found.errors.length > errors_before) return;
  found.readings.push({
    ...{ line, column: 'value', meter: asWritten(cell('meter_name')), value_wh: value_wh!, period_start },
    reading_type: reading_type as 'absolute' | 'relative',
    reading_timestamp: reading_timestamp!,
    note: tidy(note) || null,
  });
}

async function* readRows(body: AsyncIterable<Uint8Array>, delimiter: ',' | ';') {
  const count = { bytes: 0 };
  let found: Found = { readings: [], errors: [], bytes: 0 };
  let read = 0;
  for await (const { line, cells } of csvRows(counting(body, count), delimiter)) {
    read += 1;
    if (read === 1) continue;
    readRow(cells, line, delimiter === ';', found);
    if (read % ROWS_AT_ONCE !== 0) continue;
    yield { ...found, bytes: count.bytes };
    found = { readings: [], errors: [], bytes: 0 };
  }
  yield { ...found, bytes: count.bytes };
}

export function openExported(body: AsyncIterable<Uint8Array>, delimiter: ',' | ';', zone: string): Opened {
  return {
    plan: {
      ...{ format: 'csv', layout: 'exported', meters: [] },
      columns: { timestamp: 'timestamp', meter: 'meter_name', value: 'value' },
      explained: ['An export of Electric: a reading on each row, the meter in meter_name, kWh.'],
      ...{ delimiter, decimal: delimiter === ';' ? ',' : '.', date_format: null, timezone: zone },
      ...{ unit: 'kWh', reading_type: null, label: null, encoding: 'utf-8', round: false },
    },
    readings: readRows(body, delimiter),
  };
}
