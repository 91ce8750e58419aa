/** What devices say of a value and of the time, in the forms in which they say it. */
import { formatInstant, MAX_AHEAD_MS, parseInstant } from './time.ts';
import { MAX_REGISTER_WH, type Parsed } from './units.ts';

export type Unit = 'Wh' | 'kWh' | 'MWh';

/** Decimals of a unit that make a whole Wh. */
const DECIMALS: Record<Unit, number> = { Wh: 0, kWh: 3, MWh: 6 };
const DECIMAL = /^0*(\d{1,15})(?:\.(\d*))?$/;

/** Before this no clock was right: a device that says so has started and not been told the time yet. */
const CLOCKS_SET_MS = Date.UTC(2015, 0, 1);

function refuse(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

/**
 * Reads a register out of a device's computed number. What is below the Wh is cut off: a register with fewer digits
 * would show the same, and the energy between two readings is not lost by it.
 * @param input decimal text or a JSON number, in `unit` @returns Wh
 */
export function parseRegister(input: unknown, unit: Unit): Parsed<number> {
  const text = typeof input === 'number' ? String(input) : input;
  const match = typeof text === 'string' ? DECIMAL.exec(text.trim()) : null;
  if (!match) return refuse(`is not a plain decimal number of ${unit}`);
  const [, whole = '', fraction = ''] = match;
  const decimals = DECIMALS[unit];
  const value_wh = Number(whole + fraction.padEnd(decimals, '0').slice(0, decimals));
  if (value_wh > MAX_REGISTER_WH) return refuse('is more than 999999999.999 kWh');
  return { ok: true, value: value_wh };
}

/**
 * Reads a device's timestamp: epoch seconds or milliseconds, or RFC 3339, also with an offset that has no colon.
 * @returns epoch milliseconds, of a clock that was set and is not ahead
 */
export function parseDeviceTime(input: unknown, now_ms: number): Parsed<number> {
  const text = typeof input === 'number' ? String(input) : input;
  if (typeof text !== 'string') return refuse('is no timestamp');
  let instant: Parsed<number>;
  if (/^\d{1,14}$/.test(text)) {
    const number = Number(text);
    instant = { ok: true, value: number >= 100_000_000_000 ? number : number * 1000 };
  } else {
    instant = parseInstant(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  }
  if (!instant.ok) return instant;
  if (instant.value < CLOCKS_SET_MS) {
    return refuse(`is ${formatInstant(instant.value)}: the device's clock has not been set (NTP)`);
  }
  if (instant.value > now_ms + MAX_AHEAD_MS) {
    return refuse(`is ${formatInstant(instant.value)}, in the future: the device's clock is wrong`);
  }
  return instant;
}
