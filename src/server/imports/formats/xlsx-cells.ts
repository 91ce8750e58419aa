/** Numbers of a workbook as text: amounts as a spreadsheet shows them, dates and times as a clock on the wall did. */

/** What a cell's number means, by the format it is shown in. */
export type Shown = 'number' | 'date' | 'time' | 'date_time';

/** So many digits of a number are shown; those behind them are what binary fractions make of decimal ones. */
const DIGITS = 15;
const DAY_SECONDS = 86_400;
/** The day that is 0 in each of the two systems. */
const BEGIN_1900_MS = Date.UTC(1899, 11, 30);
const BEGIN_1904_MS = Date.UTC(1904, 0, 1);
/** In the system of 1900 a 29 February of that year is counted, which was none. */
const LEAP_DAY_1900 = 60;
/** 9999-12-31. */
const LAST_DAY = 2_958_465;

/** 1.5e-7 is 0.00000015. */
function withoutExponent(number: string): string {
  const [, sign = '', whole = '', fraction = '', power] =
    /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(number) ?? [];
  if (power === undefined) return number;
  const digits = whole + fraction;
  const point = whole.length + Number(power);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point)}`;
}

/**
 * @param stored as it stands in the file: 1234.5600000000001, 1E-3
 * @returns decimal text of at most 15 significant digits; what is no number as it was
 */
export function numberText(stored: string): string {
  if (/^\d{1,15}$/.test(stored)) return stored;
  if (stored.length <= DIGITS && /^\d+\.\d+$/.test(stored)) return stored;
  const number = Number(stored);
  if (stored.trim() === '' || !Number.isFinite(number)) return stored;
  const plain = withoutExponent(number.toPrecision(DIGITS));
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

const two = (number: number) => String(number).padStart(2, '0');

/**
 * @param stored days since the system began, a whole one for each midnight
 * @returns 2026-01-31 13:45:00, to the nearest second; without a time where it is midnight and none is shown; what is no
 * date as the number it is
 */
export function dateText(stored: string, shown: Shown, is_1904: boolean): string {
  const serial = Number(stored);
  if (stored.trim() === '' || !(serial >= 0 && serial <= LAST_DAY)) return numberText(stored);
  const seconds = Math.round(serial * DAY_SECONDS);
  if (shown === 'time') {
    // Noon of a day is shown as noon; a whole day is its end.
    const of_day = serial > 1 ? seconds % DAY_SECONDS : seconds;
    return `${two(Math.floor(of_day / 3600))}:${two(Math.floor(of_day / 60) % 60)}:${two(of_day % 60)}`;
  }
  const early = !is_1904 && serial < LEAP_DAY_1900 ? DAY_SECONDS : 0;
  const wall_ms = (is_1904 ? BEGIN_1904_MS : BEGIN_1900_MS) + (seconds + early) * 1000;
  const text = new Date(wall_ms).toISOString();
  const has_time = shown === 'date_time' || seconds % DAY_SECONDS !== 0;
  return has_time ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : text.slice(0, 10);
}

const between = (id: number, first: number, last: number) => id >= first && id <= last;

/** Formats that are not written into a workbook (ECMA-376 part 1, 18.8.30). */
function shownByNumber(id: number): Shown {
  if (id === 22) return 'date_time';
  if (between(id, 14, 17) || between(id, 27, 31) || id === 36 || between(id, 50, 58)) return 'date';
  return between(id, 18, 21) || between(id, 32, 35) || between(id, 45, 47) ? 'time' : 'number';
}

/** @param codes the formats that are written into the workbook, by their numbers */
export function shownBy(id: number, codes: ReadonlyMap<number, string>): Shown {
  const code = codes.get(id);
  if (code === undefined) return shownByNumber(id);
  const [letters = ''] = code
    .toLowerCase()
    .replace(/"[^"]*"|\\.|[_*].|am\/pm|a\/p/g, '')
    // A duration stands in brackets, and so does a colour or a language.
    .replace(/\[[^[\]]*\]/g, (bracket) => (/^\[[hms]+\]$/.test(bracket) ? bracket : ''))
    .replace(/s[.,]0+/g, 's')
    .split(';');
  if (/[0#?]/.test(letters)) return 'number';
  const has_time = /[hs]/.test(letters);
  const has_date = /[yd]/.test(letters) || (letters.includes('m') && !has_time && !letters.includes('['));
  if (has_date) return has_time ? 'date_time' : 'date';
  return has_time || /\[m/.test(letters) ? 'time' : 'number';
}
