import { describe, expect, test } from 'vitest';
import { add, addMonths, dayAt, daysBetween, isDay, startOf } from './calendar.ts';

describe('days', () => {
  test.each([
    ['2026-02-28', true],
    ['2026-02-29', false],
    ['2024-02-29', true],
    ['2026-13-01', false],
    ['2026-1-1', false],
    ['', false],
    [undefined, false],
  ])('isDay(%s) is %s', (text, expected) => expect(isDay(text)).toBe(expected));

  test('are those of the property, not of the browser', () => {
    expect(dayAt('2026-03-28T23:30:00Z', 'Europe/Stockholm')).toBe('2026-03-29');
    expect(dayAt('2026-03-28T23:30:00Z', 'UTC')).toBe('2026-03-28');
    expect(dayAt('2026-01-01T05:00:00Z', 'America/New_York')).toBe('2026-01-01');
    expect(dayAt('2026-01-01T04:59:59Z', 'America/New_York')).toBe('2025-12-31');
  });

  test('the beginning of their week, month and year', () => {
    expect(['day', 'week', 'month', 'year'].map((unit) => startOf(unit as 'day', '2026-03-29'))).toEqual([
      '2026-03-29',
      '2026-03-23',
      '2026-03-01',
      '2026-01-01',
    ]);
    expect(startOf('week', '2026-03-23')).toBe('2026-03-23');
  });

  test('months end where they end', () => {
    expect(addMonths('2026-01-31', 1)).toBe('2026-02-28');
    expect(addMonths('2024-02-29', 12)).toBe('2025-02-28');
    expect(addMonths('2026-01-15', -1)).toBe('2025-12-15');
    expect(add('week', '2026-12-28', 1)).toBe('2027-01-04');
  });

  test('are counted across the change of the clocks', () => {
    expect(daysBetween('2026-03-01', '2026-04-01')).toBe(31);
    expect(daysBetween('2024-01-01', '2025-01-01')).toBe(366);
  });
});
