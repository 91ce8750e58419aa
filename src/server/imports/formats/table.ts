/** Tables of any common dialect: a column per meter or a row per reading, registers or intervals. */

import { fold, tidy } from '../../../core/text.ts';
import { WallClock } from '../../../core/wall-clock.ts';
import { invalid } from '../../errors.ts';
import { checkNote } from '../../http/validation.ts';
import { guessDecimal, parseAmount, Rounding, type Unit } from './amounts.ts';
import { assignColumns, type Columns, kindOf, nameOf, unitOf } from './columns.ts';
import { guessOrder, isDate, type Order, parseStamp, readOrder, type Stamp, timeOfDay } from './dates.ts';
import type { Found, FoundReading, Opened, Plan, Wishes } from './format.ts';

export interface TableRow {
  line: number;
  cells: string[];
}

const SAMPLE_ROWS = 200;
const ROWS_AT_ONCE = 500;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How a table is read. */
interface Layout {
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
function headingOf(rows: readonly TableRow[]): number {
  const has_date = (row: TableRow | undefined) => row?.cells.some((cell) => isDate(cell)) ?? false;
  const at = rows.findIndex((row, i) => !has_date(row) && row.cells.length > 1 && has_date(rows[i + 1]));
  if (at >= 0) return at;
  const message = 'has no heading above rows with dates: the first row must name the columns';
  throw invalid([{ path: `line ${rows[0]?.line ?? 1}`, message }]);
}

function stampOf(cells: readonly string[], { roles }: Columns, order: Order): Stamp | null {
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

function understand(rows: readonly TableRow[], separator: string, wishes: Wishes, zone: string): Layout {
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

const NO_SUCH_TIME = (zone: string) =>
  `did not exist: clocks in ${zone} were put forward. If the file's clock was not, say timezone=+01:00 or what it was`;
const TWICE = (zone: string) =>
  `existed twice: clocks in ${zone} were put back, and the order of the rows does not tell which one is meant. Say ` +
  'timezone=+01:00 or what the file was written in';

/** A row whose time came twice, until the order of the rows tells which of the two it is. */
interface Waiting {
  wall_ms: number;
  instants: number[];
  take: (instant_ms: number) => void;
  line: number;
}

/** Instants of the rows of one meter, or of all where a row has all of them. */
class Sequence {
  readonly #clock: WallClock;
  readonly #layout: Layout;
  #waiting: Waiting[] = [];
  #is_second = false;
  constructor(clock: WallClock, layout: Layout) {
    this.#clock = clock;
    this.#layout = layout;
  }

  /** @param take gets the instant, now or once a later row has told; the found get the errors meanwhile */
  place(line: number, wall_ms: number, found: Found, take: (instant_ms: number) => void): void {
    const instants = this.#clock.instants(wall_ms);
    const { timezone, is_ascending } = this.#layout;
    if (instants.length < 2) {
      this.flush(found);
      if (instants.length === 1) take(instants[0]!);
      else found.errors.push({ line, column: 'timestamp', message: NO_SUCH_TIME(timezone) });
      return;
    }
    const last = this.#waiting.at(-1);
    const came_back = last && (is_ascending ? wall_ms <= last.wall_ms : wall_ms >= last.wall_ms);
    const [first_pass, second_pass] = is_ascending ? [0, 1] : [1, 0];
    if (came_back) {
      for (const each of this.#waiting) each.take(each.instants[first_pass]!);
      this.#waiting = [];
      this.#is_second = true;
    }
    if (this.#is_second) take(instants[second_pass]!);
    else this.#waiting.push({ line, wall_ms, instants, take });
  }

  /** What the order has not told by now, it does not tell. */
  flush(found: Found): void {
    for (const { line } of this.#waiting)
      found.errors.push({ line, column: 'timestamp', message: TWICE(this.#layout.timezone) });
    this.#waiting = [];
    this.#is_second = false;
  }
}

/** Reads rows as a layout says. */
class TableReader {
  readonly #layout: Layout;
  readonly #clock: WallClock;
  readonly #sequences = new Map<string, Sequence>();
  readonly #roundings = new Map<string, Rounding>();
  constructor(layout: Layout) {
    this.#layout = layout;
    this.#clock = new WallClock(layout.timezone);
  }

  read({ line, cells }: TableRow, found: Found): void {
    const { columns, headings, order, meter } = this.#layout;
    const { roles, meters } = columns;
    const values = roles.value === undefined ? meters : [roles.value];
    if (values.every((at) => !cells[at]?.trim())) return;
    const stamp = stampOf(cells, columns, order);
    if (stamp === null) {
      const column = headings[roles.timestamp ?? roles.date!]!;
      found.errors.push({
        line,
        column,
        message: 'is no date and time that could be read, in the order of the others',
      });
      return;
    }
    const parts =
      roles.value === undefined
        ? meters.map((at) => [nameOf(headings[at]!), at] as const)
        : [[roles.meter === undefined ? meter : (cells[roles.meter]?.trim() ?? ''), roles.value] as const];
    const take = (end_ms: number) => {
      for (const [name, at] of parts) this.#value(name, at, line, cells, end_ms, found);
    };
    if ('instant_ms' in stamp) take(stamp.instant_ms);
    else
      this.#sequence(roles.value === undefined ? '' : parts[0]![0]).place(line, stamp.wall_ms, found, take);
  }

  finish(found: Found): void {
    for (const sequence of this.#sequences.values()) sequence.flush(found);
  }

  #sequence(key: string): Sequence {
    const sequence = this.#sequences.get(key) ?? new Sequence(this.#clock, this.#layout);
    this.#sequences.set(key, sequence);
    return sequence;
  }

  #value(
    meter: string,
    at: number,
    line: number,
    cells: readonly string[],
    stamp_ms: number,
    found: Found,
  ): void {
    const { headings, decimal, unit, round, columns } = this.#layout;
    const cell = cells[at]?.trim() ?? '';
    if (cell === '') return;
    const column = headings[at]!;
    const refuse = (where: string, message: string) => {
      found.errors.push({ line, column: where, message });
    };
    const amount = parseAmount(cell, decimal, unit);
    if (!amount.ok) return refuse(column, amount.message);
    const { reading_type: said_at, note: note_at } = columns.roles;
    const reading_type = this.#layout.reading_type ?? cells[said_at!]?.trim();
    if (reading_type !== 'absolute' && reading_type !== 'relative')
      return refuse(headings[said_at!]!, 'must be one of absolute, relative');
    const is_interval = reading_type === 'relative';
    if (amount.value.parts !== 0n && !round) {
      const how = 'say round=true to round the running total';
      return refuse(column, `has more than three decimals of a kWh (${cell.slice(0, 30)}): ${how}`);
    }
    const period = this.#period(stamp_ms, is_interval);
    const started_ms = is_interval ? this.#started(cells) : null;
    if (started_ms === undefined || (started_ms ?? -Infinity) >= period.reading_timestamp)
      return refuse('period_start', 'is no time before the end that could be read, or it came twice');
    const note = note_at === undefined ? null : tidy(cells[note_at] ?? '') || null;
    if (note !== null && (note.length > 2000 || checkNote(note, {})))
      return refuse('note', 'must be a text of at most 2000 characters, none of them control characters');
    const rounding = this.#roundings.get(meter) ?? new Rounding();
    this.#roundings.set(meter, rounding);
    found.readings.push({
      ...{ line, column, meter, reading_type, note, value_wh: rounding.next(amount.value, is_interval) },
      ...period,
      ...(started_ms === null ? {} : { period_start: started_ms }),
    });
  }

  /** Where a row says when its interval began; null: it does not say, undefined: it cannot be read. */
  #started(cells: readonly string[]): number | null | undefined {
    const at = this.#layout.columns.roles.period_start;
    if (at === undefined || !cells[at]?.trim()) return null;
    const stamp = parseStamp(cells[at], this.#layout.order);
    if (stamp === null) return undefined;
    if ('instant_ms' in stamp) return stamp.instant_ms;
    const instants = this.#clock.instants(stamp.wall_ms);
    return instants.length === 1 ? instants[0]! : undefined;
  }

  #period(stamp_ms: number, is_interval: boolean): Pick<FoundReading, 'reading_timestamp' | 'period_start'> {
    const { label, shift_ms } = this.#layout;
    if (!is_interval) return { reading_timestamp: stamp_ms + shift_ms, period_start: null };
    return label === 'start'
      ? { reading_timestamp: this.#moved(stamp_ms, 1), period_start: stamp_ms }
      : { reading_timestamp: stamp_ms, period_start: this.#moved(stamp_ms, -1) };
  }

  /** One step on or back: days are as long as they are in the zone. */
  #moved(stamp_ms: number, direction: 1 | -1): number {
    const { step_ms, timezone } = this.#layout;
    if (step_ms % DAY_MS !== 0) return stamp_ms + direction * step_ms;
    const shown = new Date(stamp_ms).toLocaleString('sv-SE', { timeZone: timezone, hourCycle: 'h23' });
    const wall_ms = Date.parse(`${shown.replace(' ', 'T')}Z`) + direction * step_ms;
    return this.#clock.instants(wall_ms)[0] ?? stamp_ms + direction * step_ms;
  }
}

async function* readRows(
  sample: readonly TableRow[],
  rows: AsyncIterator<TableRow>,
  layout: Layout,
  count: { bytes: number },
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
  yield { ...found, bytes: count.bytes };
}

function planOf(layout: Layout, separator: string, encoding: string): Plan {
  const { columns, headings, reading_type, label, unit, timezone, decimal, order, round } = layout;
  const is_wide = columns.roles.value === undefined;
  const named = Object.entries(columns.roles).map(([role, at]) => [role, headings[at]!]);
  const kind = reading_type === 'relative' ? `intervals, their times name the ${label}` : 'registers';
  return {
    ...{ format: 'csv', layout: is_wide ? 'wide' : 'long', unit, timezone, decimal, round, encoding },
    meters: is_wide ? columns.meters.map((at) => nameOf(headings[at]!)) : [],
    columns: Object.fromEntries(named),
    explained: [
      is_wide ? `A column for each of ${columns.meters.length} meters.` : 'A reading on each row.',
      `The values are ${kind}, in ${unit}; decimals come after "${decimal}".`,
      `Times without an offset are those of ${timezone}; dates are written ${order}.`,
    ],
    ...{
      delimiter: separator,
      date_format: order,
      reading_type,
      label: reading_type === 'relative' ? label : null,
    },
  };
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
  const sample: TableRow[] = [];
  while (sample.length < SAMPLE_ROWS) {
    const { done, value } = await rows.next();
    if (done) break;
    sample.push(value);
  }
  if (sample.length === 0) throw invalid([{ path: 'line 1', message: 'is empty: the file has no heading' }]);
  const from = sample.slice(headingOf(sample));
  const layout = understand(from, source.separator, wishes, zone);
  if (layout.columns.roles.value === undefined && layout.columns.meters.length === 0)
    throw invalid([{ path: `line ${from[0]!.line}`, message: 'names no meter: add a column per meter' }]);
  return {
    plan: planOf(layout, source.separator, source.encoding),
    readings: readRows(from.slice(1), rows, layout, source.count),
  };
}
