/** Instants (UTC epoch milliseconds), days in a property's time zone, and the buckets of a period. */
import { Temporal } from 'temporal-polyfill';
import type { Parsed } from './units.ts';

/** The instants Electric accepts: 1900-01-01 up to, not including, the year 10000. */
export const MIN_INSTANT_MS = -2_208_988_800_000;
export const MAX_INSTANT_MS = 253_402_300_799_999;

/** How far ahead of the server's clock a reading may lie: clocks on the wall and in pockets run a little off. */
export const MAX_AHEAD_MS = 5 * 60_000;

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const OUT_OF_RANGE = 'must lie between the years 1900 and 9999';
const RIGHT_FORM = 'for example 2026-03-29T12:00:00Z or 2026-03-29T14:00:00+02:00';

function refuse(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

/** Days of a Gregorian month; 0 for a month that does not exist. */
function daysInMonth(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

/**
 * Parses an RFC 3339 timestamp with an offset into epoch milliseconds. Digits below the millisecond are cut off.
 * Leap seconds and times without an offset are refused with the right form.
 */
export function parseInstant(input: unknown): Parsed<number> {
  if (typeof input !== 'string') return refuse(`must be a timestamp with its offset, ${RIGHT_FORM}`);
  const match = INSTANT.exec(input);
  if (!match) {
    return refuse(
      /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(input)
        ? `needs an offset or Z, so that it means one instant: ${RIGHT_FORM}`
        : `must be an RFC 3339 timestamp with its offset, ${RIGHT_FORM}`,
    );
  }
  const [, year, month, day, hour, minute, second, fraction = '', offset = 'Z'] = match;
  if (Number(day) < 1 || Number(day) > daysInMonth(Number(year), Number(month))) {
    return refuse(`names a day that does not exist: ${year}-${month}-${day}`);
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    return refuse(`names a time of day that does not exist: ${hour}:${minute}:${second}`);
  }
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}`;
  const instant_ms = Date.parse(`${text}${offset.toUpperCase()}`);
  if (instant_ms < MIN_INSTANT_MS || instant_ms > MAX_INSTANT_MS) {
    return refuse(OUT_OF_RANGE);
  }
  return { ok: true, value: instant_ms };
}

/** Formats epoch milliseconds as RFC 3339 with Z; the milliseconds only where there are any. */
export function formatInstant(instant_ms: number): string {
  return new Date(instant_ms).toISOString().replace('.000Z', 'Z');
}

/**
 * Parses a timestamp with offset, or a bare date (YYYY-MM-DD), which means the first instant of that day in `timezone`.
 * @returns epoch milliseconds
 */
export function parseDateOrInstant(input: unknown, timezone: string): Parsed<number> {
  const match = typeof input === 'string' ? DATE.exec(input) : null;
  if (!match) {
    const instant = parseInstant(input);
    return instant.ok ? instant : refuse(`${instant.message}; or a date, for example 2026-03-29`);
  }
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (day < 1 || day > daysInMonth(year, month)) return refuse(`names a day that does not exist: ${input}`);
  const start_ms = startOfDay(Temporal.PlainDate.from({ year, month, day }), timezone);
  if (start_ms < MIN_INSTANT_MS) return refuse(OUT_OF_RANGE);
  return { ok: true, value: start_ms };
}

/** Whether `timezone` is the name of an IANA time zone this runtime knows. */
export function isTimezone(timezone: string): boolean {
  if (!/^[A-Za-z]/.test(timezone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return true;
  } catch {
    return false;
  }
}

/** The first instant of a day: midnight, or the end of the gap on days whose midnight does not exist. */
function startOfDay(date: Temporal.PlainDate, timezone: string): number {
  return date.toZonedDateTime(timezone).epochMilliseconds;
}

export const INTERVALS = ['hour', 'day', 'week', 'month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

/** The calendar day on which the bucket around `date` begins: weeks begin on Monday (ISO 8601). */
function firstDayOf(date: Temporal.PlainDate, interval: Exclude<Interval, 'hour'>): Temporal.PlainDate {
  switch (interval) {
    case 'day':
      return date;
    case 'week':
      return date.subtract({ days: date.dayOfWeek - 1 });
    case 'month':
      return date.with({ day: 1 });
    case 'year':
      return date.with({ month: 1, day: 1 });
  }
}

/** The next full hour on the wall: where the clock goes back by half an hour (Lord Howe), an hour lasts ninety minutes. */
function nextHour(instant_ms: number, timezone: string): number {
  const hour_later = Temporal.Instant.fromEpochMilliseconds(instant_ms + 3_600_000).toZonedDateTimeISO(
    timezone,
  );
  const before = hour_later.round({ smallestUnit: 'hour', roundingMode: 'floor' }).epochMilliseconds;
  if (before > instant_ms) return before;
  return hour_later.round({ smallestUnit: 'hour', roundingMode: 'ceil' }).epochMilliseconds;
}

/**
 * The boundaries of a period's buckets: start, every calendar boundary of `timezone` between, end. Buckets share
 * them, so the buckets of a period add up to the period exactly; the first and last may be shorter than the rest.
 * @param limit stop after this many buckets: the caller refuses longer answers
 * @returns ascending epoch milliseconds, one more than there are buckets
 */
export function bucketBoundaries(
  start_ms: number,
  end_ms: number,
  interval: Interval,
  timezone: string,
  limit: number,
): number[] {
  const boundaries = [start_ms];
  const zoned = Temporal.Instant.fromEpochMilliseconds(start_ms).toZonedDateTimeISO(timezone);
  let first_day = interval === 'hour' ? zoned.toPlainDate() : firstDayOf(zoned.toPlainDate(), interval);
  let boundary_ms = start_ms;
  while (boundaries.length <= limit) {
    if (interval === 'hour') {
      boundary_ms = nextHour(boundary_ms, timezone);
    } else {
      first_day = first_day.add({ [`${interval}s`]: 1 });
      boundary_ms = startOfDay(first_day, timezone);
      // A day that a zone skipped altogether (Samoa, 30 December 2011) begins where the day before ended.
      if (boundary_ms <= boundaries.at(-1)!) continue;
    }
    if (boundary_ms >= end_ms) break;
    boundaries.push(boundary_ms);
  }
  boundaries.push(end_ms);
  return boundaries;
}

/** The month around an instant and the one before it, in `timezone`: where they begin, and where the month ends. */
export function monthAround(
  instant_ms: number,
  timezone: string,
): { previous_ms: number; start_ms: number; end_ms: number } {
  const day = Temporal.Instant.fromEpochMilliseconds(instant_ms).toZonedDateTimeISO(timezone).toPlainDate();
  const first_day = firstDayOf(day, 'month');
  return {
    previous_ms: startOfDay(first_day.subtract({ months: 1 }), timezone),
    start_ms: startOfDay(first_day, timezone),
    end_ms: startOfDay(first_day.add({ months: 1 }), timezone),
  };
}
