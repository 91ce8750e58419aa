/** How a table is to be read: guessed from its first rows, or said. */
import { fold } from '../../../core/text.ts';
import { invalid } from '../../errors.ts';
import { guessDecimal, parseAmount, type Unit } from './amounts.ts';
import { assignColumns, type Columns, kindOf, unitOf } from './columns.ts';
import { guessOrder, isDate, type Order, parseStamp, readOrder, type Stamp, timeOfDay } from './dates.ts';
import type { Wishes } from './format.ts';

export interface TableRow {
  line: number;
  cells: string[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How a table is read. */
export interface Layout {
  headings: string[];
  columns: Columns;
  order: Order;
  decimal: ',' | '.';
  timezone: string;
  unit: Unit;
  /** Null: every row says it. */
  reading_type: 'absolute' | 'relative' | null;
  label: 'start' | 'end';
  /** Between the rows of a meter; what an interval lasts. */
  step_ms: number;
  /** A register that is stamped with the beginning of its hour. */
  shift_ms: number;
  is_ascending: boolean;
  round: boolean;
  meter: string;
}

/** The heading is the first row that stands above one with a date, and has none itself. */
export function headingOf(rows: readonly TableRow[]): number {
  const has_date = (row: TableRow | undefined) => row?.cells.some((cell) => isDate(cell)) ?? false;
  const at = rows.findIndex((row, i) => !has_date(row) && row.cells.length > 1 && has_date(rows[i + 1]));
  if (at >= 0) return at;
  const message = 'has no heading above rows with dates: the first row must name the columns';
  throw invalid([{ path: `line ${rows[0]?.line ?? 1}`, message }]);
}

export function stampOf(cells: readonly string[], { roles }: Columns, order: Order): Stamp | null {
  const stamp = parseStamp(cells[roles.timestamp ?? roles.date!] ?? '', order);
  if (roles.time === undefined || stamp === null || 'instant_ms' in stamp) return stamp;
  const time_ms = timeOfDay(cells[roles.time] ?? '');
  return time_ms === null ? null : { wall_ms: stamp.wall_ms + time_ms, has_time: true };
}

const msOf = (stamp: Stamp) => ('wall_ms' in stamp ? stamp.wall_ms : stamp.instant_ms);

/** The values of a sample with what they belong to, in the order of the file. */
function seriesOf(rows: readonly TableRow[], { roles, meters }: Columns): Map<string | number, string[]> {
  const series = new Map<string | number, string[]>();
  const add = (key: string | number, cell: string | undefined) => {
    const list = series.get(key) ?? [];
    series.set(key, list);
    if (cell?.trim()) list.push(cell.trim());
  };
  for (const { cells } of rows) {
    if (roles.value === undefined) for (const at of meters) add(at, cells[at]);
    else add(roles.meter === undefined ? '' : (cells[roles.meter] ?? ''), cells[roles.value]);
  }
  return series;
}

/** Registers never go down but by mistake; of intervals nearly half of the steps do. */
function guessKind(series: Map<string | number, string[]>, decimal: ',' | '.', is_ascending: boolean) {
  let [falls, steps] = [0, 0];
  for (const cells of series.values()) {
    const values = cells.flatMap((cell) => {
      const amount = parseAmount(cell, decimal, 'kWh');
      return amount.ok ? [amount.value.value_wh] : [];
    });
    for (let i = 1; i < values.length; i += 1) {
      const step = (values[i]! - values[i - 1]!) * (is_ascending ? 1 : -1);
      if (step !== 0) steps += 1;
      if (step < 0) falls += 1;
    }
  }
  return falls * 10 > steps ? 'relative' : 'absolute';
}

/** The commonest distance of different instants that follow each other. */
function stepOf(stamps: readonly number[]): number {
  const counts = new Map<number, number>();
  for (let i = 1; i < stamps.length; i += 1) {
    const step = Math.abs(stamps[i]! - stamps[i - 1]!);
    if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? HOUR_MS;
}

function orderFor(rows: readonly TableRow[], { roles }: Columns, { date_format }: Wishes): Order {
  if (date_format !== undefined) {
    const order = readOrder(date_format);
    if (order) return order;
    throw invalid([
      { path: 'date_format', message: 'must name day, month and year, for example dd.mm.yyyy' },
    ]);
  }
  const guess = guessOrder(rows.map(({ cells }) => cells[roles.timestamp ?? roles.date!] ?? ''));
  if (guess.ok) return guess.value;
  throw invalid([{ path: 'date_format', message: guess.message }]);
}

/** Decides how a table is read. @param rows the heading and those below it; throws validation_failed */
export function understand(
  rows: readonly TableRow[],
  separator: string,
  wishes: Wishes,
  zone: string,
): Layout {
  const [head, ...below] = rows as [TableRow, ...TableRow[]];
  const headings = head.cells.map((cell) => cell.trim());
  const columns = assignColumns(
    headings,
    below.map(({ cells }) => cells),
    wishes.columns,
  );
  const { roles } = columns;
  const order = orderFor(below, columns, wishes);
  const series = seriesOf(below, columns);
  const decimal = wishes.decimal ?? guessDecimal([...series.values()].flat(), separator);
  const stamps = below.flatMap(({ cells }) => stampOf(cells, columns, order) ?? []);
  const times = stamps.map(msOf);
  const is_ascending = (times.at(-1) ?? 0) >= (times[0] ?? 0);
  const step_ms = stepOf(times);
  const of_value = roles.value === undefined ? '' : headings[roles.value]!;
  const is_home_assistant = fold(headings[roles.meter ?? -1] ?? '') === 'statistic_id';
  const kind = wishes.reading_type ?? kindOf(of_value) ?? guessKind(series, decimal, is_ascending);
  const first_ms = Math.min(...times) % DAY_MS;
  return {
    ...{ headings, columns, order, decimal, step_ms, is_ascending },
    timezone: wishes.timezone ?? zone,
    unit: wishes.unit ?? unitOf(of_value) ?? unitOf(headings[columns.meters[0] ?? -1] ?? '') ?? 'kWh',
    reading_type: roles.reading_type === undefined || wishes.reading_type ? kind : null,
    // A file that begins with midnight names the beginnings.
    label: wishes.label ?? (first_ms === 0 || is_home_assistant ? 'start' : 'end'),
    shift_ms: is_home_assistant && wishes.label !== 'end' ? HOUR_MS : 0,
    round: wishes.round ?? false,
    meter: wishes.meter ?? '',
  };
}
