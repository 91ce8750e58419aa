/** Numbers, energy and dates as people write them where the app's language is spoken. */
import { currentLocale } from './index.ts';

/** Making a formatter costs more than using it. */
const made = new Map<string, unknown>();
function kept<T>(kind: string, options: object, make: () => T): T {
  const key = `${kind} ${currentLocale()} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as T;
}

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return kept('number', options, () => new Intl.NumberFormat(currentLocale(), options));
}
function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept('date', options, () => new Intl.DateTimeFormat(currentLocale(), options));
}

export function formatNumber(value: number, decimals = 0): string {
  return numbers({ maximumFractionDigits: decimals, minimumFractionDigits: decimals }).format(value);
}

/** @param share 0 … 1 */
export function formatPercent(share: number): string {
  return numbers({ style: 'percent', maximumFractionDigits: 0 }).format(share);
}

/** With its sign: what has changed, in percent. @param share 0.1 for a tenth more */
export function formatChange(share: number): string {
  return numbers({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' }).format(share);
}

/** As many decimals as a quantity of energy is read with: none from 100 kWh, one from 1 kWh. */
function decimalsOf(kwh: number): number {
  const size = Math.abs(kwh);
  if (size >= 100 || size === 0) return 0;
  return size >= 1 ? 1 : 3;
}

/** An amount of energy to compare at a glance, without its unit. @param kwh an exact decimal from the API, or a sum of such */
export function formatEnergy(kwh: string | number): string {
  const value = Number(kwh);
  return numbers({ maximumFractionDigits: decimalsOf(value) }).format(value);
}

/** The same with its unit. */
export function formatKwh(kwh: string | number): string {
  return `${formatEnergy(kwh)}\u00a0kWh`;
}

/** An exact decimal from the API, every digit of it. */
export function formatExact(kwh: string): string {
  return numbers({ maximumFractionDigits: 3 }).format(kwh as `${number}`);
}

/** What the language puts between whole and fraction. */
export function decimalSign(): string {
  return numbers({ minimumFractionDigits: 1 })
    .formatToParts(0)
    .find(({ type }) => type === 'decimal')!.value;
}

/** @param timezone IANA; where the meter is */
export function formatDate(instant: string | number, timezone: string): string {
  return dates({ dateStyle: 'medium', timeZone: timezone }).format(new Date(instant));
}

export function formatDateTime(instant: string | number, timezone: string): string {
  return dates({ dateStyle: 'medium', timeStyle: 'short', timeZone: timezone }).format(new Date(instant));
}

/** A part of a date, for axes and headings: `{ month: 'short' }`. */
export function formatDatePart(
  instant: string | number,
  timezone: string,
  options: Intl.DateTimeFormatOptions,
): string {
  return dates({ ...options, timeZone: timezone }).format(new Date(instant));
}

const UNITS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** How long ago something was, in the largest unit that fits. */
export function formatAgo(instant: string, now_ms = Date.now()): string {
  const seconds = (Date.parse(instant) - now_ms) / 1000;
  const options = { numeric: 'auto' } as const;
  const ago = kept('ago', options, () => new Intl.RelativeTimeFormat(currentLocale(), options));
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1)!;
  return ago.format(Math.trunc(seconds / size), unit);
}
