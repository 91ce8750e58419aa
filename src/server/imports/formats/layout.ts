/** How a table is to be read: guessed from its first rows, or said. */
import { fold } from '../../../core/text.ts';
import { invalid } from '../../errors.ts';
import { guessDecimal, parseAmount, type Unit } from './amounts.ts';
import { assignColumns, type Columns } from './columns.ts';
import {
  guessOrder,
  hourNumber,
  isDate,
  isRange,
  type Order,
  parseStamp,
  readOrder,
  type Stamp,
  timeOfDay,
} from './dates.ts';
import type { Wishes } from './format.ts';
import type { Row } from './lines.ts';
import { isPower, kindOf, nameOf, saysEnd, saysStart, unitCell, unitOf, zoneOf } from './words.ts';

export type TableRow = Row;

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How a table is read. */
export interface Layout {
  headings: string[];
  columns: Columns;
  /** Electric's own form: RFC 3339, kWh with a decimal point, as many cells in each row as in the heading. */
  is_own: boolean;
  order: Order;
  decimal: ',' | '.';
  timezone: string;
  unit: Unit;
  /** Null: every row says it. */
  reading_type: 'absolute' | 'relative' | null;
  label: 'start' | 'end';
  /** Between the rows of a meter; what an interval lasts. Null where a single instant does not tell. */
  step_ms: number | null;
  /** What is missing at the ends of intervals that are named by their last minute, second or day. */
  end_add_ms: number;
  /** A register that is stamped with the beginning of its hour. */
  shift_ms: number;
  /** Hours of a day are counted from 1: the last one ends with the day, however long it was. */
  counts_hours: boolean;
  is_ascending: boolean;
  round: boolean;
  meter: string;
}

const hasDate = (row: TableRow | undefined) => row?.cells.some((cell) => isDate(cell)) ?? false;

/** The heading stands above rows with dates, and has none itself; a pair of lines above may look the same. */
export function headingOf(rows: readonly TableRow[]): number {
  const is_dated = rows.map(hasDate);
  const found = rows.flatMap(({ cells }, i) =>
    !is_dated[i] && cells.length > 1 && is_dated[i + 1] ? [i] : [],
  );
  const [first] = found;
  if (first === undefined) {
    const message = 'has no heading above rows with dates: the first row must name the columns';
    throw invalid([{ path: `line ${rows[0]?.line ?? 1}`, message }]);
  }
  const isWordy = ({ cells }: TableRow) => !cells.some((cell) => /^[\d.,\s]+$/.test(cell));
  const found_again = is_dated[first + 2] ? undefined : found.slice(1).find((i) => isWordy(rows[i]!));
  if (found_again !== undefined) return found_again;
  // A row of numbers whose date cannot be read is no heading where one stands above it.
  const { cells } = rows[first]!;
  const above = rows
    .slice(0, first)
    .findLastIndex((row) => row.cells.length === cells.length && isWordy(row));
  return isWordy(rows[first]!) || above < 0 ? first : above;
}

/** What the clock showed; of a counted hour only its day. */
export function stampOf(
  cells: readonly string[],
  { roles }: Columns,
  order: Order,
  counts_hours: boolean,
): Stamp | null {
  const stamp = parseStamp(cells[roles.timestamp ?? roles.date!] ?? '', order);
  if (roles.time === undefined || stamp === null || 'instant_ms' in stamp || counts_hours) return stamp;
  const cell = cells[roles.time] ?? '';
  const hour = hourNumber(cell);
  const time_ms = hour === null ? timeOfDay(cell) : hour * HOUR_MS;
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
    else add(`${cells[roles.meter ?? -1] ?? ''} ${cells[roles.register ?? -1] ?? ''}`, cells[roles.value]);
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
function stepOf(stamps: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (let i = 1; i < stamps.length; i += 1) {
    const step = Math.abs(stamps[i]! - stamps[i - 1]!);
    if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? null;
}

/** Ends such as 00:59, 00:59:59 or the day itself name the last moment of their interval: the next one tells. */
function addToEnds(rows: readonly TableRow[], columns: Columns, order: Order): number {
  const { timestamp, date, period_end } = columns.roles;
  if (period_end === undefined) return 0;
  const read = (at: number) => rows.flatMap(({ cells }) => parseStamp(cells[at] ?? '', order) ?? []);
  const [begins, ends] = [read(timestamp ?? date!).map(msOf), read(period_end)];
  const has_times = ends.some((end) => 'instant_ms' in end || end.has_time);
  const followed = (add: number) => ends.filter((end) => begins.includes(msOf(end) + add)).length;
  // From a day to itself is that day.
  const is_whole_day = !has_times && ends.every((end, i) => msOf(end) === begins[i]);
  if (is_whole_day) return DAY_MS;
  const adds = [0, 1000, 60_000, ...(has_times ? [] : [DAY_MS])].map((add) => ({
    add,
    count: followed(add),
  }));
  const [best] = adds.toSorted((a, b) => b.count - a.count);
  return best!.count > 0 ? best!.add : 0;
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

/** The unit of the values: said, in their heading, or above the heading. */
function unitFor(
  headings: readonly string[],
  above: readonly TableRow[],
  { roles, meters }: Columns,
  { unit }: Wishes,
): Unit {
  const of_heading = [roles.value, ...meters].flatMap((at) =>
    at === undefined ? [] : (unitOf(headings[at]!) ?? []),
  );
  const of_above = above.flatMap(({ cells }) => cells.flatMap((cell) => unitCell(cell) ?? []));
  const told = unit ?? of_heading[0] ?? of_above[0] ?? 'kWh';
  const is_power =
    told === 'power' || (!unit && roles.value !== undefined && isPower(headings[roles.value]!));
  if (!is_power) return told as Unit;
  const message =
    'is not said, and the file speaks of power (W, kW), not energy: ask for energy, or say unit=kwh if it is that';
  throw invalid([{ path: 'unit', message }]);
}

/** Which end of an interval its time names: the heading says it, or a file that begins with midnight. */
function labelFor(
  rows: readonly TableRow[],
  headings: readonly string[],
  { roles }: Columns,
  first_ms: number,
): 'start' | 'end' {
  const columns = [roles.timestamp, roles.time, roles.date].flatMap((at) => (at === undefined ? [] : [at]));
  const named = columns.map((at) => headings[at]!);
  if (roles.period_start !== undefined) return 'end';
  if (named.some(saysStart)) return 'start';
  if (named.some(saysEnd)) return 'end';
  if (columns.some((at) => rows.some(({ cells }) => isRange(cells[at] ?? '')))) return 'start';
  return first_ms === 0 ? 'start' : 'end';
}

/**
 * Decides how a table is read. Throws validation_failed.
 * @param rows the heading and those below it
 * @param above the lines above the heading
 */
export function understand(
  rows: readonly TableRow[],
  above: readonly TableRow[],
  separator: string,
  wishes: Wishes,
  zone: string,
): Layout {
  const [head, ...below] = rows as [TableRow, ...TableRow[]];
  const headings = head.cells.map((cell) => cell.trim());
  const cells_below = below.map(({ cells }) => cells);
  const columns = assignColumns(headings, cells_below, wishes.columns, wishes.unit !== undefined);
  const { roles } = columns;
  const order = orderFor(below, columns, wishes);
  const series = seriesOf(below, columns);
  const decimal = wishes.decimal ?? guessDecimal([...series.values()].flat(), separator);
  const hours = below.flatMap(({ cells }) => hourNumber(cells[roles.time ?? -1] ?? '') ?? []);
  const counts_hours = hours.length > 0 && !hours.includes(0);
  const stamps = below.flatMap(({ cells }) => stampOf(cells, columns, order, false) ?? []);
  const times = stamps.map(msOf);
  const is_ascending = (times.at(-1) ?? 0) >= (times[0] ?? 0);
  const of_value = headings[roles.value ?? columns.meters.find((at) => unitOf(headings[at]!)) ?? -1] ?? '';
  const is_home_assistant = fold(headings[roles.meter ?? -1] ?? '') === 'statistic_id';
  const is_interval = roles.period_end !== undefined || roles.period_start !== undefined || counts_hours;
  const told = kindOf(of_value) ?? (is_interval ? 'relative' : null);
  const kind = wishes.reading_type ?? told ?? guessKind(series, decimal, is_ascending);
  const first_ms = Math.min(...times) % DAY_MS;
  const said_zone = [roles.timestamp, roles.time].flatMap((at) => zoneOf(headings[at ?? -1] ?? '') ?? []);
  return {
    ...{ headings, columns, order, decimal, is_ascending, counts_hours, is_own: false },
    step_ms: stepOf(times),
    end_add_ms: addToEnds(below, columns, order),
    timezone: wishes.timezone ?? said_zone[0] ?? zone,
    unit: unitFor(headings, above, columns, wishes),
    reading_type: roles.reading_type === undefined || wishes.reading_type ? kind : null,
    label:
      wishes.label ??
      (counts_hours ? 'end' : is_home_assistant ? 'start' : labelFor(below, headings, columns, first_ms)),
    shift_ms: is_home_assistant && wishes.label !== 'end' ? HOUR_MS : 0,
    round: wishes.round ?? false,
    meter: wishes.meter ?? '',
  };
}

/** Names of the columns of values. */
export function meterNames({ headings, columns }: Layout): string[] {
  return columns.meters.map((at) => nameOf(headings[at]!));
}
