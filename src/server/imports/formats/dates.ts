/** Dates and times as spreadsheets write them. */

import { parseInstant } from '../../../core/time.ts';
import type { Parsed } from '../../../core/units.ts';

/** In which order a date has day, month and year. */
export type Order = 'dmy' | 'mdy' | 'ymd';

/** What a cell says: an instant, or what a clock on the wall showed, as if it had been UTC. */
export type Stamp = { instant_ms: number } | { wall_ms: number; has_time: boolean };

const MONTHS: Record<string, number> = {
  ...{ jan: 1, feb: 2, mar: 3, mär: 3, apr: 4, may: 5, mai: 5, maj: 5, jun: 6, jul: 7, aug: 8, sep: 9 },
  ...{ oct: 10, okt: 10, nov: 11, dec: 12, dez: 12 },
  // Dutch, French, Spanish, Italian, Portuguese
  ...{ mrt: 3, mei: 5, fév: 2, avr: 4, jui: 6, aoû: 8, déc: 12, ene: 1, abr: 4, ago: 8, dic: 12 },
  ...{ gen: 1, mag: 5, giu: 6, lug: 7, set: 9, ott: 10, fev: 2, out: 10 },
};
const TIME = '(?:[T ,]+(?:kl\\.? ?)?(\\d{1,2})[:.](\\d{2})(?:[:.](\\d{2})(?:[.,]\\d{1,9})?)? ?([ap]m)?)?';
const YEAR_FIRST = new RegExp(`^(\\d{4})[-/.](\\d{1,2})[-/.](\\d{1,2})${TIME}$`, 'i');
const YEAR_LAST = new RegExp(`^(\\d{1,2})[-/.](\\d{1,2})[-/.](\\d{4}|\\d{2})${TIME}$`, 'i');
const DAY_NAMED = new RegExp(`^(\\d{1,2})\\.?[ -](\\p{L}{3,9})\\.?[ -](\\d{4}|\\d{2})${TIME}$`, 'iu');
const MONTH_NAMED = new RegExp(`^(\\p{L}{3,9})\\.? (\\d{1,2}),? (\\d{4})${TIME}$`, 'iu');
/** Without anything between; few registers look like that. */
const COMPACT = /^(199\d|20[0-4]\d)(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?$/;
/** From one time to another: the first counts. */
const RANGE = /\s+[-–]\s+\d.*$/;
const TIME_OF_DAY =
  /^(?:kl\.? ?)?(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?(?: ?([ap]m))?(\s*[-–]\s*\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)?$/i;

const DAY_MS = 86_400_000;
/** No date is longer: what would take long to look through is none. */
const MAX_CHARACTERS = 60;

function wallOf(
  [year, month, day]: readonly (string | undefined)[],
  [hour, minute, second, half]: readonly (string | undefined)[],
): Stamp | null {
  const [y, m, d] = [year!.length === 2 ? 2000 + Number(year) : Number(year), Number(month), Number(day)];
  const midnight = new Date(Date.UTC(y, m - 1, d));
  if (midnight.getUTCMonth() !== m - 1 || midnight.getUTCDate() !== d || y < 1900) return null;
  const h = half ? (Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0) : Number(hour ?? 0);
  const [min, s] = [Number(minute ?? 0), Number(second ?? 0)];
  // 24:00 is the end of the day.
  if (h > 24 || min > 59 || s > 59 || (h === 24 && min + s > 0)) return null;
  return { wall_ms: midnight.getTime() + ((h * 60 + min) * 60 + s) * 1000, has_time: hour !== undefined };
}

/** @returns null for what is no date, or not in this order */
export function parseStamp(cell: string, order: Order): Stamp | null {
  if (cell.length > MAX_CHARACTERS) return null;
  const text = cell.trim().replace(RANGE, '');
  const zoned = parseInstant(
    text.replace(/^(\d{4}-\d{2}-\d{2}) /, '$1T').replace(/([+-]\d{2})(\d{2})$/, '$1:$2'),
  );
  if (zoned.ok) return { instant_ms: zoned.value };
  const first = YEAR_FIRST.exec(text);
  if (first) return wallOf(first.slice(1, 4), first.slice(4));
  const compact = order === 'ymd' ? COMPACT.exec(text) : null;
  if (compact) return wallOf(compact.slice(1, 4), compact.slice(4));
  const last = YEAR_LAST.exec(text);
  if (last) {
    const [a, b, year] = last.slice(1, 4);
    return order === 'ymd' ? null : wallOf(order === 'dmy' ? [year, b, a] : [year, a, b], last.slice(4));
  }
  const day = DAY_NAMED.exec(text);
  const named = day ?? MONTH_NAMED.exec(text);
  if (!named) return null;
  const [d, name] = day ? [named[1], named[2]] : [named[2], named[1]];
  const word = name!.toLowerCase();
  const month = word.startsWith('juil') ? 7 : MONTHS[word.slice(0, 3)];
  return month === undefined ? null : wallOf([named[3], String(month), d], named.slice(4));
}

/** Whether a cell may be a date, in whichever order. */
export function isDate(cell: string): boolean {
  return (['dmy', 'mdy', 'ymd'] as const).some((order) => parseStamp(cell, order) !== null);
}

export function isTimeOfDay(cell: string): boolean {
  return TIME_OF_DAY.test(cell.trim());
}

/** Whether a cell says from when to when. */
export function isRange(cell: string): boolean {
  if (cell.length > MAX_CHARACTERS) return false;
  return RANGE.test(cell.trim()) || TIME_OF_DAY.exec(cell.trim())?.[5] !== undefined;
}

/** Which hour of its day a cell counts: 0 to 23, or 1 to 25. */
export function hourNumber(cell: string): number | null {
  const match = /^(?:h|hour|hora|stunde|timme)?\s*0*(\d{1,2})$/i.exec(cell.trim());
  return match && Number(match[1]) <= 25 ? Number(match[1]) : null;
}

/** @param date_format as a person writes it: dd.mm.yyyy @returns null for what names no order */
export function readOrder(date_format: string): Order | null {
  const letters = date_format.toLowerCase();
  const order = ['d', 'm', 'y'].map((l) => [letters.indexOf(l), l] as const);
  if (order.some(([at]) => at < 0)) return null;
  const word = order
    .sort(([a], [b]) => a - b)
    .map(([, l]) => l)
    .join('');
  return word === 'dmy' || word === 'mdy' || word === 'ymd' ? word : null;
}

/** The order of dates like these; refused where day and month cannot be told apart. */
export function guessOrder(cells: readonly string[]): Parsed<Order> {
  const parts = cells.flatMap((cell) => {
    const match = YEAR_LAST.exec(cell.trim());
    return match ? [[Number(match[1]), Number(match[2]), cell.includes('.')] as const] : [];
  });
  if (parts.length === 0) return { ok: true, value: 'ymd' };
  const [first, second] = [parts.some(([a]) => a > 12), parts.some(([, b]) => b > 12)];
  if (first && second)
    return { ok: false, message: 'has dates of two kinds: some have the day first, some the month' };
  if (first || parts.every(([, , has_point]) => has_point)) return { ok: true, value: 'dmy' };
  if (second) return { ok: true, value: 'mdy' };
  const message =
    'could have the day or the month first: say date_format=dd/mm/yyyy or date_format=mm/dd/yyyy';
  return { ok: false, message };
}

/** Milliseconds of a day that a time names. */
export function timeOfDay(cell: string): number | null {
  const match = TIME_OF_DAY.exec(cell.trim());
  if (!match) return null;
  const half = match[4]?.toLowerCase();
  const [min, s] = [Number(match[2]), Number(match[3] ?? 0)];
  const h = half ? (Number(match[1]) % 12) + (half === 'pm' ? 12 : 0) : Number(match[1]);
  const ms = ((h * 60 + min) * 60 + s) * 1000;
  return min > 59 || s > 59 || ms > DAY_MS ? null : ms;
}

/** Whether a date has its time with it. */
export function timeIn(cell: string): boolean {
  const stamp = parseStamp(cell, 'dmy') ?? parseStamp(cell, 'mdy') ?? parseStamp(cell, 'ymd');
  return stamp !== null && ('instant_ms' in stamp || stamp.has_time);
}
