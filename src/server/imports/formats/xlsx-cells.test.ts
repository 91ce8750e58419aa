/** What the numbers of a workbook mean. */
import { expect, test } from 'vitest';
import { dateText, numberText, shownBy } from './xlsx-cells.ts';

test.each([
  ['1234.5600000000001', '1234.56'],
  ['0.30000000000000004', '0.3'],
  ['1234.56', '1234.56'],
  ['123456789012.345', '123456789012.345'],
  ['123456789.1234567', '123456789.123457'],
  ['1E3', '1000'],
  ['1.5E-7', '0.00000015'],
  ['1.25E+20', '125000000000000000000'],
  ['-0.10000000000000001', '-0.1'],
  ['100', '100'],
  ['1e999', '1e999'],
  ['', ''],
])('the number %s is shown as %s', (stored, text) => {
  expect(numberText(stored).replace(/\.$/, '')).toBe(text);
});

test.each([
  ['46023', 'date', false, '2026-01-01'],
  ['46023', 'date_time', false, '2026-01-01 00:00:00'],
  ['46023.5', 'date', false, '2026-01-01 12:00:00'],
  ['46023.041666666664', 'date_time', false, '2026-01-01 01:00:00'],
  ['46022.999999999', 'date_time', false, '2026-01-01 00:00:00'],
  ['44561', 'date', true, '2026-01-01'],
  ['1', 'date', false, '1900-01-01'],
  ['61', 'date', false, '1900-03-01'],
  ['0', 'date', true, '1904-01-01'],
  ['0.020833333333333332', 'time', false, '00:30:00'],
  ['1', 'time', false, '24:00:00'],
  ['46023.75', 'time', false, '18:00:00'],
  ['-1', 'date', false, '-1'],
  ['3000000', 'date', false, '3000000'],
] as const)('the day %s as %s, from 1904: %s, is %s', (stored, shown, is_1904, text) => {
  expect(dateText(stored, shown, is_1904)).toBe(text);
});

test.each([
  ['0.000', 'number'],
  ['General', 'number'],
  ['0.00E+00', 'number'],
  ['#,##0.0 "kWh"', 'number'],
  ['0.0 kWh', 'number'],
  ['[Red]0;[Blue]-0', 'number'],
  ['"day" 0', 'number'],
  ['@', 'number'],
  ['yyyy\\-mm\\-dd\\ hh:mm:ss', 'date_time'],
  ['dd.mm.yyyy', 'date'],
  ['[$-409]d-mmm-yy;@', 'date'],
  ['mmmm', 'date'],
  ['m/d/yy h:mm AM/PM', 'date_time'],
  ['h:mm:ss.000', 'time'],
  ['[h]:mm', 'time'],
  ['[mm]:ss', 'time'],
  ['['.repeat(255), 'number'],
] as const)('the format %s shows a %s', (code, shown) => {
  expect(shownBy(164, new Map([[164, code]]))).toBe(shown);
});

test.each([
  [0, 'number'],
  [2, 'number'],
  [14, 'date'],
  [20, 'time'],
  [22, 'date_time'],
  [47, 'time'],
  [49, 'number'],
] as const)('the format %i of every workbook shows a %s', (id, shown) => {
  expect(shownBy(id, new Map())).toBe(shown);
});
