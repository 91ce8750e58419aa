import { describe, expect, test } from 'vitest';
import { comparedWith, knownEnd, possibleBars, readSearch, shift, toPeriod, toSearch } from './period.ts';

const LAST = '2026-11-24';

describe('from the address', () => {
  test('nothing: the year of the last reading, by month', () => {
    expect(toPeriod({}, LAST)).toEqual({
      unit: 'year',
      start: '2026-01-01',
      end: '2027-01-01',
      bars: 'month',
      compare: null,
    });
  });

  test('nonsense is left out', () => {
    expect(
      readSearch({ unit: 'decade', on: '2026-02-30', from: '2026-02-01', bars: 7, compare: '' }),
    ).toEqual({});
    expect(readSearch({ from: '2026-02-01', to: '2026-01-01' })).toEqual({});
    expect(readSearch({ unit: 'week', on: '2026-02-28', bars: 'hour', compare: 'year' })).toEqual({
      unit: 'week',
      on: '2026-02-28',
      bars: 'hour',
      compare: 'year',
    });
  });

  test('and back', () => {
    for (const search of [
      { unit: 'month', on: '2026-03-01' },
      { from: '2026-02-03', to: '2026-05-06' },
    ] as const) {
      expect(toSearch(toPeriod(search, LAST))).toEqual(search);
    }
  });

  test('a week begins on its Monday', () => {
    expect(toPeriod({ unit: 'week', on: '2026-03-29' }, LAST)).toMatchObject({
      start: '2026-03-23',
      end: '2026-03-30',
      bars: 'day',
    });
  });
});

describe('bars', () => {
  test('are as long as the period allows', () => {
    expect(possibleBars({ start: '2026-03-01', end: '2026-03-02' })).toEqual(['hour', 'day']);
    expect(possibleBars({ start: '2026-03-01', end: '2026-04-01' })).toEqual(['day', 'week', 'month']);
    expect(possibleBars({ start: '2026-01-01', end: '2027-01-01' })).toEqual([
      'day',
      'week',
      'month',
      'year',
    ]);
    expect(possibleBars({ start: '1900-01-01', end: '2000-01-01' })).toEqual(['year']);
  });

  test('that do not fit are not taken', () => {
    expect(toPeriod({ unit: 'year', bars: 'hour' }, LAST).bars).toBe('month');
    expect(toPeriod({ unit: 'year', bars: 'week' }, LAST).bars).toBe('week');
    expect(toPeriod({ from: '2026-01-01', to: '2026-03-01' }, LAST).bars).toBe('day');
    expect(toPeriod({ from: '2020-01-01', to: '2026-03-01' }, LAST).bars).toBe('month');
  });
});

describe('beside it', () => {
  test('the one before and the one after', () => {
    expect(shift(toPeriod({ unit: 'month', on: '2026-03-29' }, LAST), -1)).toEqual({
      start: '2026-02-01',
      end: '2026-03-01',
    });
    expect(shift(toPeriod({ from: '2026-03-01', to: '2026-03-11' }, LAST), 1)).toEqual({
      start: '2026-03-11',
      end: '2026-03-21',
    });
  });

  test('the same of a year ago, a week from its Monday', () => {
    const compared = (search: object) => comparedWith(toPeriod({ ...search, compare: 'year' }, LAST));
    expect(compared({ unit: 'month', on: '2024-02-01' })).toEqual({ start: '2023-02-01', end: '2023-03-01' });
    expect(compared({ unit: 'week', on: '2026-03-23' })).toEqual({ start: '2025-03-24', end: '2025-03-31' });
    expect(compared({ unit: 'year' })).toEqual({ start: '2025-01-01', end: '2026-01-01' });
    expect(compared({ from: '2026-02-03', to: '2026-05-06' })).toEqual({
      start: '2025-02-03',
      end: '2025-05-06',
    });
    expect(comparedWith(toPeriod({}, LAST))).toBeNull();
  });

  test('what lies after the last reading is not asked for', () => {
    const latest = '2026-11-24T12:00:00Z';
    expect(knownEnd(toPeriod({ unit: 'month' }, LAST), latest, LAST)).toBe(latest);
    expect(knownEnd(toPeriod({ unit: 'month', on: '2026-10-01' }, LAST), latest, LAST)).toBe('2026-11-01');
    expect(knownEnd(toPeriod({ unit: 'month', on: '2026-12-01' }, LAST), latest, LAST)).toBe('2027-01-01');
    // Read at midnight after its last day, a period is known to its end.
    expect(knownEnd(toPeriod({ unit: 'month' }, '2026-11-30'), '2026-11-30T23:00:00Z', '2026-11-30')).toBe(
      '2026-12-01',
    );
  });
});
