/** Amounts of energy as spreadsheets write them. */
import { MAX_REGISTER_WH, type Parsed } from '../../../core/units.ts';

export type Unit = 'Wh' | 'kWh' | 'MWh';
/** Digits that a Wh has behind the decimal point of the unit. */
const DIGITS: Record<Unit, number> = { Wh: 0, kWh: 3, MWh: 6 };
/** Of parts of a Wh: more are cut off. */
const PARTS = 9;
const PARTS_PER_WH = 10n ** BigInt(PARTS);

const SPACES = /[\s\u00a0\u202f'’]/g;

/** Whether a cell is a number, whichever way its comma and point are meant. */
export function isNumber(cell: string): boolean {
  return /^[+-]?\d[\d.,]*$/.test(cell.replace(SPACES, ''));
}

/** What separates decimals in these cells; a point where nothing tells. @param separator between cells */
export function guessDecimal(cells: readonly string[], separator: string): ',' | '.' {
  const marks = cells.map((cell) => /[.,](?=[^.,]*$)/.exec(cell)?.[0]);
  const commas = marks.filter((mark) => mark === ',').length;
  const points = marks.filter((mark) => mark === '.').length;
  if (commas !== points) return commas > points ? ',' : '.';
  return commas > 0 && separator !== ',' ? ',' : '.';
}

/** An amount, exact: whole Wh, and parts of one in billionths. */
export interface Amount {
  value_wh: number;
  parts: bigint;
}

/** What most cells are: needs no exactness beyond the Wh. */
const PLAIN = /^(\d{1,9})(?:([.,])(\d{1,3}))?$/;

export function parseAmount(cell: string, decimal: ',' | '.', unit: Unit): Parsed<Amount> {
  const plain = unit === 'kWh' ? PLAIN.exec(cell) : null;
  if (plain && (plain[2] === undefined || plain[2] === decimal)) {
    const value_wh = Number(plain[1]) * 1000 + Number((plain[3] ?? '').padEnd(3, '0'));
    return { ok: true, value: { value_wh, parts: 0n } };
  }
  const bare = cell.replace(SPACES, '');
  const refuse = (message: string) => ({ ok: false, message }) as const;
  if (/^[-\u2212]\d/.test(bare)) return refuse('must not be negative');
  const thousands = decimal === ',' ? '.' : ',';
  const [whole = '', fraction = '', ...more] = bare.replace(/^\+/, '').split(decimal);
  const groups = whole.split(thousands);
  const is_grouped =
    groups.length === 1 || (groups[0]!.length <= 3 && groups.slice(1).every((g) => g.length === 3));
  const digits = groups.join('');
  if (more.length > 0 || !is_grouped || !/^\d{1,15}$/.test(digits) || !/^\d*$/.test(fraction))
    return refuse(
      `must be a number with ${decimal} before its decimals, not ${JSON.stringify(cell.slice(0, 30))}`,
    );
  const shift = DIGITS[unit];
  const value_wh = Number(digits + fraction.slice(0, shift).padEnd(shift, '0'));
  if (value_wh > MAX_REGISTER_WH) return refuse('must be at most 999999999.999 kWh');
  const rest = fraction.slice(shift, shift + PARTS).padEnd(PARTS, '0');
  return { ok: true, value: { value_wh, parts: BigInt(rest) } };
}

/** Rounds amounts with parts of a Wh: intervals on their running total, so that the sum stays right. */
export class Rounding {
  #total = 0n;

  /** @returns whole Wh */
  next({ value_wh, parts }: Amount, is_interval: boolean): number {
    const exact = BigInt(value_wh) * PARTS_PER_WH + parts;
    const round = (amount: bigint) => (amount + PARTS_PER_WH / 2n) / PARTS_PER_WH;
    if (!is_interval) return Number(round(exact));
    const before = round(this.#total);
    this.#total += exact;
    return Number(round(this.#total) - before);
  }
}
