/** The period that a property is looked at for: from the address and back, and what is compared with it. */
import { add, addDays, type Day, daysBetween, isDay, startOf, UNITS, type Unit } from '../../calendar.ts';

export const INTERVALS = ['hour', 'day', 'week', 'month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];
export const COMPARISONS = ['previous', 'year'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** What stands in the address. Without anything: the year of the last reading. */
export interface PeriodSearch {
  unit?: Unit | undefined;
  /** A day within the period. */
  on?: Day | undefined;
  /** Instead of the two: the first day, and the day after the last. */
  from?: Day | undefined;
  to?: Day | undefined;
  /** How long a bar is. */
  bars?: Interval | undefined;
  compare?: Comparison | undefined;
}

export interface Period {
  /** Null for dates of one's own. */
  unit: Unit | null;
  start: Day;
  /** The day after the last. */
  end: Day;
  bars: Interval;
  compare: Comparison | null;
}

function one<W extends string>(words: readonly W[], text: unknown): W | undefined {
  return words.find((word) => word === text);
}

/** Takes from an address what makes sense; every key is named, since the router takes others as they stand. */
export function readSearch({ unit, on, from, to, bars, compare }: Record<string, unknown>): PeriodSearch {
  const is_span = isDay(from) && isDay(to) && from < to;
  return {
    unit: one(UNITS, unit),
    on: isDay(on) ? on : undefined,
    from: is_span ? from : undefined,
    to: is_span ? to : undefined,
    bars: one(INTERVALS, bars),
    compare: one(COMPARISONS, compare),
  };
}

/** The most bars that still are bars. */
const MOST_BARS = 400;
/** Days in each, about. */
const LENGTH: Record<Interval, number> = { hour: 1 / 24, day: 1, week: 7, month: 30.4, year: 365.25 };

/** How long bars may be in a period: at least one, and not too many to see. */
export function possibleBars({ start, end }: { start: Day; end: Day }): Interval[] {
  const days = daysBetween(start, end);
  const fitting = INTERVALS.filter((bars) => days / LENGTH[bars] <= MOST_BARS && LENGTH[bars] <= days * 1.1);
  return fitting.length > 0 ? fitting : ['year'];
}

const USUAL: Record<Unit, Interval> = { day: 'hour', week: 'day', month: 'day', year: 'month' };

/** The longest that still makes some ten bars. */
function usualBars(unit: Unit | null, possible: readonly Interval[], days: number): Interval {
  if (unit) return USUAL[unit];
  return possible.findLast((bars) => days / LENGTH[bars] >= 10) ?? possible[0]!;
}

/** @param last the last day about which something may be known */
export function toPeriod(search: PeriodSearch, last: Day): Period {
  const own = search.from !== undefined && search.to !== undefined;
  const unit = own ? null : (search.unit ?? 'year');
  const start = own ? search.from! : startOf(unit!, search.on ?? last);
  const end = own ? search.to! : add(unit!, start, 1);
  const possible = possibleBars({ start, end });
  const bars = possible.find((each) => each === search.bars);
  return {
    unit,
    start,
    end,
    bars: bars ?? usualBars(unit, possible, daysBetween(start, end)),
    compare: search.compare ?? null,
  };
}

/**
 * Where to ask until: what lies after the last reading is unknown anyway, and would make its last bar so.
 * @param latest instant of the last reading @param last its day
 */
export function knownEnd({ start, end }: Period, latest: string, last: Day): string {
  return start <= last && addDays(last, 1) < end ? latest : end;
}

/** The next period of the same length, or with -1 the one before. */
export function shift({ unit, start, end }: Period, count: number): { start: Day; end: Day } {
  if (unit) {
    const first = add(unit, start, count);
    return { start: first, end: add(unit, first, 1) };
  }
  const days = daysBetween(start, end) * count;
  return { start: addDays(start, days), end: addDays(end, days) };
}

/** What the period is compared with; null where with nothing. */
export function comparedWith(period: Period): { start: Day; end: Day } | null {
  const { compare, unit, start, end } = period;
  if (compare === null) return null;
  if (compare === 'previous' || unit === 'year') return shift(period, -1);
  // A week of a year ago begins on the same weekday.
  if (unit === 'week') return { start: addDays(start, -364), end: addDays(end, -364) };
  const first = add('year', start, -1);
  return { start: first, end: unit ? add(unit, first, 1) : add('year', end, -1) };
}

/** What of a period stands in the address. */
export function toSearch({ unit, start, end }: Pick<Period, 'unit' | 'start' | 'end'>): PeriodSearch {
  return unit ? { unit, on: start } : { from: start, to: end };
}
