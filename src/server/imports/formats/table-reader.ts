/** Reads the rows of a table as its layout says. */
import { tidy } from '../../../core/text.ts';
import { parseInstant } from '../../../core/time.ts';
import { type Parsed, parseKwh } from '../../../core/units.ts';
import { WallClock } from '../../../core/wall-clock.ts';
import { checkNote } from '../../http/validation.ts';
import { type Amount, parseAmount, Rounding, type Unit } from './amounts.ts';
import { hourNumber, parseStamp, type Stamp } from './dates.ts';
import type { Found, FoundError, FoundReading } from './format.ts';
import { type Layout, stampOf, type TableRow } from './layout.ts';
import { alone } from './lines.ts';
import { asWritten } from './own.ts';
import { Sequence } from './sequence.ts';
import { nameOf, unitCell } from './words.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** No name of a meter is longer. */
const MAX_NAME = 500;
/** What stands for a value that nobody has read. */
const NOTHING = /^(?:[-–—]+|n\/?a|#n\/a|null|none|nan|unknown|unavailable)$/i;

type Period = Pick<FoundReading, 'reading_timestamp' | 'period_start'>;
/** An instant, and whether the clock on the wall says nothing else. */
type Take = (instant_ms: number) => void;

export class TableReader {
  readonly #layout: Layout;
  readonly #clock: WallClock;
  readonly #meters: readonly (readonly [string, number])[];
  readonly #sequences = new Map<string, Sequence>();
  readonly #names = new Map<string, string>();
  readonly #roundings = new Map<string, Rounding>();
  /** What was passed over, and how often. */
  readonly passed_over = new Map<string, number>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#clock = new WallClock(layout.timezone);
    const { headings, columns, is_own } = layout;
    this.#meters = columns.meters.map((at) => [is_own ? headings[at]! : nameOf(headings[at]!), at]);
  }

  read(row: TableRow, found: Found): void {
    const { line, cells } = row;
    const { columns, headings, is_own } = this.#layout;
    if (is_own && cells.length !== headings.length) {
      const message = `has ${cells.length} cells, the heading has ${headings.length}`;
      found.errors.push({ line, column: null, message });
      return;
    }
    const parts =
      columns.roles.value === undefined
        ? this.#meters
        : [[this.#meterOf(cells), columns.roles.value] as const];
    if (!is_own && parts.every(([, at]) => this.#isNothing(cells[at]))) return;
    if (parts[0]![0].length > MAX_NAME) {
      const message = `has ${parts[0]![0].length} characters: the name of a meter has 200 at most`;
      found.errors.push({ line, column: headings[columns.roles.meter!]!, message });
      return;
    }
    const take = (instant_ms: number) => {
      for (const [name, at] of parts) this.#value(name, at, row, instant_ms, found);
    };
    const stamp = this.#stampOf(cells);
    if (!stamp.ok) {
      const column = headings[columns.roles.timestamp ?? columns.roles.date!]!;
      found.errors.push({ line, column, message: stamp.message });
    } else if ('instant_ms' in stamp.value) take(stamp.value.instant_ms);
    else if (this.#layout.counts_hours) this.#counted(row, stamp.value.wall_ms, found, take);
    else {
      const key = columns.roles.value === undefined ? '' : parts[0]![0];
      this.#sequence(key).place(line, stamp.value.wall_ms, found, take);
    }
  }

  /** Rows that waited for another, which did not come, are errors. */
  finish(found: Found): void {
    for (const sequence of this.#sequences.values()) sequence.flush(found);
  }

  #meterOf(cells: readonly string[]): string {
    const { columns, meter, is_own } = this.#layout;
    const name = columns.roles.meter === undefined ? meter : (cells[columns.roles.meter]?.trim() ?? '');
    if (is_own) return this.#remembered(asWritten(name));
    // A number that a spreadsheet was to leave alone: ="0123".
    const bare = name.startsWith('="') ? name.replace(/^="(.*)"$/, '$1') : name;
    const register = cells[columns.roles.register ?? -1]?.trim();
    return this.#remembered(register ? `${bare} ${register}`.trim() : bare);
  }

  /** Names are kept for as long as the import lasts: each once, and without the text it was cut out of. */
  #remembered(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined || name.length > MAX_NAME) return known ?? name;
    const copy = alone(name);
    this.#names.set(copy, copy);
    return copy;
  }

  #isNothing(cell: string | undefined): boolean {
    const text = cell?.trim() ?? '';
    if (text === '') return true;
    if (this.#layout.is_own || !NOTHING.test(text)) return false;
    this.#passOver(`that say ${JSON.stringify(text)}`);
    return true;
  }

  #passOver(what: string): void {
    this.passed_over.set(what, (this.passed_over.get(what) ?? 0) + 1);
  }

  #stampOf(cells: readonly string[]): Parsed<Stamp> {
    const { columns, order, is_own, counts_hours } = this.#layout;
    if (is_own) {
      const instant = parseInstant(cells[columns.roles.timestamp!]!.trim());
      return instant.ok ? { ok: true, value: { instant_ms: instant.value } } : instant;
    }
    const stamp = stampOf(cells, columns, order, counts_hours);
    if (stamp !== null) return { ok: true, value: stamp };
    return {
      ok: false,
      message:
        'is no date and time that could be read, in the order of the others: correct it, or leave the line out',
    };
  }

  #sequence(key: string): Sequence {
    const { timezone, is_ascending, headings, columns } = this.#layout;
    const { time, timestamp, date } = columns.roles;
    const column = headings[time ?? timestamp ?? date!]!;
    const sequence =
      this.#sequences.get(key) ?? new Sequence(this.#clock, { timezone, is_ascending, column });
    this.#sequences.set(key, sequence);
    return sequence;
  }

  /** The hours of a day, counted from 1: the day has 23 or 25 where clocks change. */
  #counted({ line, cells }: TableRow, day_ms: number, found: Found, take: Take): void {
    const { columns, headings } = this.#layout;
    const hour = hourNumber(cells[columns.roles.time!] ?? '');
    const [begin_ms] = this.#clock.instants(day_ms);
    const [end_ms] = this.#clock.instants(day_ms + DAY_MS);
    const hours = begin_ms === undefined || end_ms === undefined ? 0 : (end_ms - begin_ms) / HOUR_MS;
    if (hour === null || hour < 1 || hour > hours) {
      const message = `is no hour of this day, which had the hours 1 to ${hours}`;
      found.errors.push({ line, column: headings[columns.roles.time!]!, message });
    } else take(begin_ms! + hour * HOUR_MS);
  }

  #value(meter: string, at: number, row: TableRow, stamp_ms: number, found: Found): void {
    const cell = row.cells[at]?.trim() ?? '';
    // An export has no empty values, a table of meters has them where nobody read.
    if (
      cell === ''
        ? !this.#layout.is_own || this.#layout.columns.roles.value === undefined
        : this.#isNothing(cell)
    )
      return;
    const read = this.#readingOf(meter, at, row, stamp_ms);
    if (read === null) return;
    if ('message' in read) found.errors.push(read);
    else found.readings.push(read);
  }

  /** @returns null for what is no energy */
  #readingOf(meter: string, at: number, row: TableRow, stamp_ms: number): FoundReading | FoundError | null {
    const { line, cells } = row;
    const { headings, unit, columns } = this.#layout;
    const { reading_type: type_at, note: note_at, unit: unit_at } = columns.roles;
    const column = headings[at]!;
    const said_unit = cells[unit_at ?? -1]?.trim();
    const row_unit = said_unit ? unitCell(said_unit) : unit;
    if (row_unit === null || row_unit === 'power') {
      this.#passOver(`in ${JSON.stringify(said_unit!.slice(0, 30))}, which is no energy`);
      return null;
    }
    const amount = this.#amount(cells[at]!.trim(), row_unit);
    if (!amount.ok) return { line, column, message: amount.message };
    const reading_type = this.#layout.reading_type ?? cells[type_at!]?.trim();
    if (reading_type !== 'absolute' && reading_type !== 'relative')
      return { line, column: headings[type_at!]!, message: 'must be one of absolute, relative' };
    const is_interval = reading_type === 'relative';
    const period = this.#period(cells, stamp_ms, is_interval);
    if ('message' in period) return { line, ...period };
    const note = note_at === undefined ? null : this.#note(cells[note_at] ?? '');
    if (note === undefined) {
      const message = 'must be a text of at most 2000 characters, none of them control characters';
      return { line, column: headings[note_at!]!, message };
    }
    const value_wh = this.#layout.round
      ? this.#rounding(meter).next(amount.value, is_interval)
      : amount.value.value_wh;
    return { line, column, meter, reading_type, note, value_wh, ...period };
  }

  #rounding(meter: string): Rounding {
    const rounding = this.#roundings.get(meter) ?? new Rounding();
    this.#roundings.set(meter, rounding);
    return rounding;
  }

  #amount(cell: string, unit: Unit): Parsed<Amount> {
    const { decimal, is_own, round } = this.#layout;
    if (is_own) {
      const amount = parseKwh(decimal === ',' ? cell.replace(',', '.') : cell);
      return amount.ok ? { ok: true, value: { value_wh: amount.value, parts: 0n } } : amount;
    }
    const amount = parseAmount(cell, decimal, unit);
    if (!amount.ok || amount.value.parts === 0n || round) return amount;
    const how = 'say round=true to round the running total';
    return { ok: false, message: `has more than three decimals of a kWh (${cell.slice(0, 30)}): ${how}` };
  }

  /** @returns undefined for what cannot be kept */
  #note(cell: string): string | null | undefined {
    const note = tidy(this.#layout.is_own ? asWritten(cell) : cell) || null;
    return note !== null && (note.length > 2000 || checkNote(note, {})) ? undefined : note;
  }

  #period(
    cells: readonly string[],
    stamp_ms: number,
    is_interval: boolean,
  ): Period | Omit<FoundError, 'line'> {
    const { label, shift_ms, columns, headings, is_own } = this.#layout;
    const { period_start, period_end } = columns.roles;
    const said = cells[period_start ?? -1]?.trim();
    if (!is_interval && is_own && said)
      return {
        column: 'period_start',
        message: 'goes with reading_type relative only: a register has no period',
      };
    if (!is_interval) return { reading_timestamp: stamp_ms + shift_ms, period_start: null };
    const end = cells[period_end ?? -1]?.trim();
    if (end) return this.#until(end, cells, stamp_ms, headings[period_end!]!);
    const started_ms = said ? this.#started(said) : null;
    if (started_ms === undefined || (started_ms !== null && started_ms >= stamp_ms)) {
      const message = 'is no time before the end that could be read, or it came twice';
      return { column: 'period_start', message };
    }
    if (started_ms !== null || is_own) return { reading_timestamp: stamp_ms, period_start: started_ms };
    if (this.#layout.step_ms === null)
      return {
        column: headings[period_end ?? period_start!]!,
        message: 'is empty, and no other row tells how long this one lasted',
      };
    return label === 'start'
      ? { reading_timestamp: this.#moved(stamp_ms, 1), period_start: stamp_ms }
      : { reading_timestamp: stamp_ms, period_start: this.#moved(stamp_ms, -1) };
  }

  /** An interval whose row has both ends: where clocks changed, its length on the wall tells what its end does not. */
  #until(
    cell: string,
    cells: readonly string[],
    begin_ms: number,
    column: string,
  ): Period | Omit<FoundError, 'line'> {
    const { order, end_add_ms, columns } = this.#layout;
    const end = parseStamp(cell, order);
    const begin = parseStamp(cells[columns.roles.timestamp ?? columns.roles.date!] ?? '', order);
    let end_ms = Number.NaN;
    if (end && 'instant_ms' in end) end_ms = end.instant_ms + end_add_ms;
    else if (end && begin && 'wall_ms' in begin) {
      const wall_ms = end.wall_ms + end_add_ms;
      const instants = this.#clock.instants(wall_ms);
      const is_plain = this.#clock.instants(begin.wall_ms).length === 1;
      const [next] = instants.filter((instant_ms) => instant_ms > begin_ms);
      end_ms = (is_plain && next) || begin_ms + wall_ms - begin.wall_ms;
    }
    if (end_ms > begin_ms) return { reading_timestamp: end_ms, period_start: begin_ms };
    return { column, message: 'is no time after the start that could be read' };
  }

  /** Where a row says when its interval began; undefined: it cannot be read. */
  #started(cell: string): number | undefined {
    if (this.#layout.is_own) {
      const instant = parseInstant(cell);
      return instant.ok ? instant.value : undefined;
    }
    const stamp = parseStamp(cell, this.#layout.order);
    if (stamp === null) return undefined;
    if ('instant_ms' in stamp) return stamp.instant_ms;
    const instants = this.#clock.instants(stamp.wall_ms);
    return instants.length === 1 ? instants[0]! : undefined;
  }

  /** One step on or back: days are as long as they are in the zone. */
  #moved(stamp_ms: number, direction: 1 | -1): number {
    const { timezone, step_ms } = this.#layout;
    if (step_ms! % DAY_MS !== 0) return stamp_ms + direction * step_ms!;
    const shown = new Date(stamp_ms).toLocaleString('sv-SE', { timeZone: timezone, hourCycle: 'h23' });
    const wall_ms = Date.parse(`${shown.replace(' ', 'T')}Z`) + direction * step_ms!;
    return this.#clock.instants(wall_ms)[0] ?? stamp_ms + direction * step_ms!;
  }
}
