/** Days as plain text, `2026-03-29`, and what people count with them. What an instant they begin at, the server knows. */

export const UNITS = ['day', 'week', 'month', 'year'] as const;
export type Unit = (typeof UNITS)[number];

/** A day of the calendar, without a time zone. */
export type Day = string;

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

export function isDay(text: unknown): text is Day {
  return typeof text === 'string' && DAY.test(text) && toDay(toDate(text)) === text;
}

function toDate(day: Day): Date {
  return new Date(`${day}T00:00:00Z`);
}
function toDay(date: Date): Day {
  return date.toISOString().slice(0, 10);
}

/** The day that it is at an instant where the property is. @param timezone IANA */
export function dayAt(instant: string | number, timezone: string): Day {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(new Date(instant));
  const part = (type: string) => parts.find((each) => each.type === type)!.value;
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

export function addDays(day: Day, count: number): Day {
  const date = toDate(day);
  date.setUTCDate(date.getUTCDate() + count);
  return toDay(date);
}

/** The same day of another month, or its last one where it has none such. */
export function addMonths(day: Day, count: number): Day {
  const date = toDate(day);
  const wanted = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(wanted, last));
  return toDay(date);
}

/** The first day of the day's week (from Monday), month or year. */
export function startOf(unit: Unit, day: Day): Day {
  if (unit === 'day') return day;
  if (unit === 'week') return addDays(day, -((toDate(day).getUTCDay() + 6) % 7));
  return unit === 'month' ? `${day.slice(0, 7)}-01` : `${day.slice(0, 4)}-01-01`;
}

export function add(unit: Unit, day: Day, count: number): Day {
  if (unit === 'day') return addDays(day, count);
  if (unit === 'week') return addDays(day, 7 * count);
  return addMonths(day, unit === 'month' ? count : 12 * count);
}

/** How many days lie between two, the first of them counted. */
export function daysBetween(start: Day, end: Day): number {
  return Math.round((toDate(end).getTime() - toDate(start).getTime()) / 86_400_000);
}
