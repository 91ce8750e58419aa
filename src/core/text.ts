/** Names as people compare them. */

/** Upper and lower case, and composed and decomposed letters, become one: ÅSA = åsa, STRASSE = straße, İ = i. */
export function fold(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i');
}

/** A line as it is stored: without surrounding space, letters composed. */
export function tidy(text: string): string {
  return text.trim().normalize('NFC');
}
