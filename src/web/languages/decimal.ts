/** Numbers as people type them, whatever language the keyboard speaks. */

/**
 * Understands 12345.6, 12345,6, 12 345,6, 12.345,6, 12,345.6 and 12'345.6. One comma or point alone separates the decimals:
 * 12.345 has three of them.
 * @returns a plain decimal as the API takes it; null where the text is no number
 */
export function readDecimal(text: string): string | null {
  const bare = text.trim().replace(/[\s'’\u00a0\u202f]/g, '');
  if (!/^\d[\d.,]*$/.test(bare)) return null;
  const last = Math.max(bare.lastIndexOf(','), bare.lastIndexOf('.'));
  const sign = bare[last];
  const is_thousands = sign !== undefined && bare.indexOf(sign) !== last;
  if (last < 0 || is_thousands)
    return /^\d{1,3}([.,]\d{3})*$|^\d+$/.test(bare) ? bare.replace(/[.,]/g, '') : null;
  const [whole, fraction] = [bare.slice(0, last), bare.slice(last + 1)];
  if (!/^\d{1,3}([.,]\d{3})+$|^\d+$/.test(whole)) return null;
  return fraction === '' ? whole.replace(/[.,]/g, '') : `${whole.replace(/[.,]/g, '')}.${fraction}`;
}
