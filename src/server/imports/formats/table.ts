/** Tables of any common dialect: a column per meter or a row per reading, registers or intervals. */
import { invalid } from '../../errors.ts';
import type { Found, Opened, Plan, Wishes } from './format.ts';
import { headingOf, type Layout, meterNames, type TableRow, understand } from './layout.ts';
import { ownLayout } from './own.ts';
import { TableReader } from './table-reader.ts';

const SAMPLE_ROWS = 200;
/** Long rows are a smaller sample. */
const SAMPLE_CHARACTERS = 1_000_000;
const ROWS_AT_ONCE = 500;
const MAX_HEADING = 500;

async function* readRows(
  sample: readonly TableRow[],
  rows: AsyncIterator<TableRow>,
  { layout, plan, count }: { layout: Layout; plan: Plan; count: { bytes: number } },
): AsyncGenerator<Found> {
  const reader = new TableReader(layout);
  const found: Found = { readings: [], errors: [], bytes: 0 };
  for (const row of sample) reader.read(row, found);
  for (let read = 1; ; read += 1) {
    const { done, value } = await rows.next();
    if (done) break;
    reader.read(value, found);
    if (read % ROWS_AT_ONCE !== 0) continue;
    // Rows that wait for a later one are found where it comes: what was handed out is emptied, not replaced.
    yield { readings: found.readings.splice(0), errors: found.errors.splice(0), bytes: count.bytes };
  }
  reader.finish(found);
  for (const [what, times] of reader.passed_over) plan.explained.push(`Left out: ${times} values ${what}.`);
  yield { ...found, bytes: count.bytes };
}

/** A sentence per decision. */
function explain(layout: Layout, is_wide: boolean): string[] {
  const { columns, headings, reading_type, label, unit, timezone, decimal, order, is_own } = layout;
  if (is_own && is_wide) return [`A column for each of ${columns.meters.length} meters, registers in kWh.`];
  if (is_own) return ['An export of Electric: a reading on each row, the meter in meter_name, kWh.'];
  const kind = reading_type === 'relative' ? `intervals, their times name the ${label}` : 'registers';
  const left_out = columns.left_out.map((at) => JSON.stringify(headings[at]!.slice(0, 100))).slice(0, 20);
  return [
    is_wide ? `A column for each of ${columns.meters.length} meters.` : 'A reading on each row.',
    `The values are ${kind}, in ${unit}; decimals come after "${decimal}".`,
    `Times without an offset are those of ${timezone}; dates are written ${order}.`,
    ...(layout.counts_hours ? ['The hours of a day are counted from 1, as many as it had.'] : []),
    ...(columns.roles.register === undefined ? [] : ['A name is that of the meter and its register.']),
    ...(left_out.length > 0 ? [`Numbers that are not read: ${left_out.join(', ')}.`] : []),
  ];
}

function planOf(layout: Layout, heading_line: number, separator: string, encoding: string): Plan {
  const { columns, headings, reading_type, label, unit, timezone, decimal, order, round, is_own } = layout;
  const is_wide = columns.roles.value === undefined;
  const named = Object.entries(columns.roles).map(([role, at]) => [role, headings[at]!]);
  return {
    ...{ format: 'csv', layout: is_wide ? 'wide' : is_own ? 'exported' : 'long', unit, timezone, decimal },
    ...{ round, encoding, heading_line, delimiter: separator, reading_type },
    meters: is_own ? headings.slice(1, columns.meters.length + 1) : meterNames(layout),
    columns: Object.fromEntries(named),
    explained: explain(layout, is_wide),
    date_format: is_own ? null : order,
    label: reading_type === 'relative' ? label : null,
  };
}

function layoutOf(
  sample: readonly TableRow[],
  at: number,
  separator: string,
  wishes: Wishes,
  zone: string,
): Layout {
  const from = sample.slice(at);
  const layout = understand(from, sample.slice(0, at), separator, wishes, zone);
  const { roles } = layout.columns;
  if (layout.reading_type !== 'relative' || layout.step_ms !== null) return layout;
  if (roles.period_start !== undefined || roles.period_end !== undefined) return layout;
  const message = 'says when each interval began? One instant alone does not tell how long it lasted';
  throw invalid([{ path: 'columns', message: `period_start: which column ${message}` }]);
}

async function sampleOf(rows: AsyncIterator<TableRow>): Promise<TableRow[]> {
  const sample: TableRow[] = [];
  for (let characters = 0; sample.length < SAMPLE_ROWS && characters < SAMPLE_CHARACTERS; ) {
    const { done, value } = await rows.next();
    if (done) break;
    sample.push(value);
    for (const cell of value.cells) characters += cell.length + 1;
  }
  return sample;
}

/** What is longer would take long to look through. */
function checkHeading(line: number, cells: readonly string[]): void {
  const long = cells.find((cell) => cell.length > MAX_HEADING);
  if (long === undefined) return;
  const message = `has a heading of ${long.length} characters: the name of a meter has 200 at most`;
  throw invalid([{ path: `line ${line}`, message }]);
}

/**
 * Reads a table whose rows have been separated into cells. Throws validation_failed where it cannot be understood.
 * @param source its separator, encoding, and how many bytes have been read so far
 */
export async function openTable(
  rows: AsyncIterator<TableRow>,
  source: { separator: string; encoding: string; count: { bytes: number } },
  wishes: Wishes,
  zone: string,
): Promise<Opened> {
  const sample = await sampleOf(rows);
  const { separator, encoding, count } = source;
  if (sample.length === 0) throw invalid([{ path: 'line 1', message: 'is empty: the file has no heading' }]);
  const { format: _, ...said } = wishes;
  const is_plain = Object.keys(said).length === 0 && encoding === 'utf-8';
  const own = is_plain ? ownLayout(sample[0]!.cells, separator, zone) : null;
  const at = own ? 0 : headingOf(sample);
  const { line, cells } = sample[at]!;
  checkHeading(line, cells);
  const layout = own ?? layoutOf(sample, at, separator, wishes, zone);
  if (layout.columns.roles.value === undefined && layout.columns.meters.length === 0)
    throw invalid([{ path: `line ${line}`, message: 'names no meter: add a column per meter' }]);
  const plan = planOf(layout, line, separator, encoding);
  return { plan, readings: readRows(sample.slice(at + 1), rows, { layout, plan, count }) };
}
