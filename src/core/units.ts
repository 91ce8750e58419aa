/** Whole thousandths of a kWh (Wh) and their decimal strings. Exact integers only: a float never carries energy. */

/** The largest register value a meter may show: 999 999 999.999 kWh, in Wh. */
export const MAX_REGISTER_WH = 999_999_999_999;

const DECIMAL = /^(-?)0*(\d+)(?:\.(\d+))?$/;

/** Either the parsed value or a sentence that says what is wrong and what would be right. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; message: string };

function refuse(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

/**
 * Parses a register value or an amount of energy in kWh into Wh.
 * @param input decimal string ("250.5") or JSON number; at most three decimals, 0 … 999999999.999
 */
export function parseKwh(input: unknown): Parsed<number> {
  if (typeof input !== 'string' && typeof input !== 'number') {
    return refuse('must be a decimal string in kWh, for example "250.5"');
  }
  // A double prints its shortest exact decimal, so 250.5 reads "250.5"; NaN, Infinity and 1e-7 fail the pattern.
  const text = String(input);
  const match = DECIMAL.exec(text);
  if (!match) {
    return refuse(
      text.includes(',')
        ? 'must use a decimal point, not a comma, for example "12.5"'
        : 'must be a plain decimal number of kWh, for example "250.5"',
    );
  }
  const [, sign, whole = '', fraction = ''] = match;
  if (sign) return refuse('must not be negative');
  if (fraction.length > 3) {
    return refuse('must have at most three decimals: kWh are recorded to the Wh, not rounded');
  }
  if (whole.length > 9) return refuse('must be at most 999999999.999 kWh');
  return { ok: true, value: Number(whole) * 1000 + Number(fraction.padEnd(3, '0')) };
}

/** Formats Wh as a decimal string in kWh without trailing zeros: 250500 → "250.5", -5 → "-0.005". */
export function formatKwh(value_wh: number): string {
  const sign = value_wh < 0 ? '-' : '';
  const magnitude = Math.abs(value_wh);
  const fraction = magnitude % 1000;
  const whole = (magnitude - fraction) / 1000;
  if (fraction === 0) return `${sign}${whole}`;
  return `${sign}${whole}.${String(fraction).padStart(3, '0').replace(/0+$/, '')}`;
}

/**
 * `amount × numerator ⁄ denominator`, rounded half up, exact for any safe integers.
 * @param denominator greater than zero
 */
export function scaleRounded(amount: number, numerator: number, denominator: number): number {
  const product = amount * numerator;
  if (Number.isSafeInteger(product * 2 + denominator)) {
    return Math.floor((product * 2 + denominator) / (denominator * 2));
  }
  const doubled = BigInt(amount) * BigInt(numerator) * 2n + BigInt(denominator);
  const divisor = BigInt(denominator) * 2n;
  const quotient = doubled / divisor;
  return Number(doubled < 0n && quotient * divisor !== doubled ? quotient - 1n : quotient);
}

/** `amount × numerator ⁄ denominator`, rounded up, exact for any safe integers that are not negative. */
export function scaleUp(amount: number, numerator: number, denominator: number): number {
  const product = amount * numerator;
  if (Number.isSafeInteger(product)) return Math.ceil(product / denominator);
  const divisor = BigInt(denominator);
  return Number((BigInt(amount) * BigInt(numerator) + divisor - 1n) / divisor);
}
