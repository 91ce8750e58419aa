/** Tables of any common dialect: a column per meter or a row per reading, registers or intervals. */

import { tidy } from '../../../core/text.ts';
import { WallClock } from '../../../core/wall-clock.ts';
import { invalid } from '../../errors.ts';
import { checkNote } from '../../http/validation.ts';
import { parseAmount, Rounding } from './amounts.ts';
import { nameOf } from './columns.ts';
import { parseStamp } from './dates.ts';
import type { Found, FoundError, FoundReading, Opened, Plan, Wishes } from './format.ts';
import { headingOf, type Layout, stampOf, type TableRow, understand } from './layout.ts';

const SAMPLE_ROWS = 200;
const ROWS_AT_ONCE = 500;
const DAY_MS = 86_400_000;

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

  read(row: TableRow, found: Found): void {
    const { line, cells } = row;
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
      for (const [name, at] of parts) this.#value(name, at, row, end_ms, found);
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

  #value(meter: string, at: number, row: TableRow, stamp_ms: number, found: Found): void {
    if (!row.cells[at]?.trim()) return;
    const read = this.#readingOf(meter, at, row, stamp_ms);
    if ('message' in read) found.errors.push(read);
    else found.readings.push(read);
  }

  #readingOf(meter: string, at: number, row: TableRow, stamp_ms: number): FoundReading | FoundError {
    const { line, cells } = row;
    const { headings, decimal, unit, round, columns } = this.#layout;
    const column = headings[at]!;
    const cell = cells[at]!.trim();
    const amount = parseAmount(cell, decimal, unit);
    if (!amount.ok) return { line, column, message: amount.message };
    const { reading_type: said_at, note: note_at } = columns.roles;
    const reading_type = this.#layout.reading_type ?? cells[said_at!]?.trim();
    if (reading_type !== 'absolute' && reading_type !== 'relative')
      return { line, column: headings[said_at!]!, message: 'must be one of absolute, relative' };
    const is_interval = reading_type === 'relative';
    if (amount.value.parts !== 0n && !round) {
      const how = 'say round=true to round the running total';
      return {
        line,
        column,
        message: `has more than three decimals of a kWh (${cell.slice(0, 30)}): ${how}`,
      };
    }
    const period = this.#period(stamp_ms, is_interval);
    const started_ms = is_interval ? this.#started(cells) : null;
    if (started_ms === undefined || (started_ms ?? -Infinity) >= period.reading_timestamp) {
      const message = 'is no time before the end that could be read, or it came twice';
      return { line, column: 'period_start', message };
    }
    const note = note_at === undefined ? null : tidy(cells[note_at] ?? '') || null;
    if (note !== null && (note.length > 2000 || checkNote(note, {}))) {
      const message = 'must be a text of at most 2000 characters, none of them control characters';
      return { line, column: 'note', message };
    }
    const rounding = this.#roundings.get(meter) ?? new Rounding();
    this.#roundings.set(meter, rounding);
    return {
      ...{ line, column, meter, reading_type, note, value_wh: rounding.next(amount.value, is_interval) },
      ...period,
      ...(started_ms === null ? {} : { period_start: started_ms }),
    };
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
