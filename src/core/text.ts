/** Names as people compare them, and languages as they are tagged. */
import type { Parsed } from './units.ts';

/** Upper and lower case, and composed and decomposed letters, become one: ÅSA = åsa, STRASSE = straße, İ = i. */
export function fold(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i');
}

/** A line as it is stored: without surrounding space, letters composed. */
export function tidy(text: string): string {
  return text.trim().normalize('NFC');
}

/** Reads a BCP 47 language tag. @returns its canonical form: sv-se is sv-SE */
export function parseLocale(input: unknown): Parsed<string> {
  try {
    return { ok: true, value: Intl.getCanonicalLocales(input as string)[0]! };
  } catch {
    return { ok: false, message: 'must be a BCP 47 language tag, for example sv-SE' };
  }
}
