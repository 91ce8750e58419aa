import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bucketBoundaries,
  formatInstant,
  INTERVALS,
  type Interval,
  isTimezone,
  MAX_INSTANT_MS,
  MIN_INSTANT_MS,
  parseDateOrInstant,
  parseInstant,
} from './time.ts';
import type { Parsed } from './units.ts';

const HOUR_MS = 3_600_000;

function value<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

function refusal(parsed: Parsed<number>): string {
  if (parsed.ok) throw new Error(`was accepted as ${formatInstant(parsed.value)}`);
  return parsed.message;
}

const startOf = (date: string, timezone: string) => value(parseDateOrInstant(date, timezone));

describe('timestamps on the way in', () => {
  test.each([
    ['2026-03-29T12:00:00Z', '2026-03-29T12:00:00Z'],
    ['2026-03-29T14:00:00+02:00', '2026-03-29T12:00:00Z'],
    ['2026-03-29T06:30:00-05:30', '2026-03-29T12:00:00Z'],
    ['2026-03-29t12:00:00z', '2026-03-29T12:00:00Z'],
    ['2026-03-29T12:00:00.5Z', '2026-03-29T12:00:00.500Z'],
    ['2026-03-29T12:00:00.000Z', '2026-03-29T12:00:00Z'],
    // Below the millisecond digits are cut off: rounding up could reach into the future.
    ['2026-03-29T12:00:00.999999999Z', '2026-03-29T12:00:00.999Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00Z'],
    ['2026-01-01T00:00:00+14:00', '2025-12-31T10:00:00Z'],
    ['1900-01-01T00:00:00Z', '1900-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (input, instant) => {
    expect(formatInstant(value(parseInstant(input)))).toBe(instant);
  });

  test.each<[unknown, RegExp]>([
    ['2026-03-29T12:00:00', /needs an offset or Z.*2026-03-29T14:00:00\+02:00/],
    ['2026-03-29T12:00:00.5', /needs an offset or Z/],
    ['2026-03-29T12:00', /needs an offset or Z/],
    ['2026-03-29 12:00:00', /needs an offset or Z/],
    ['2026-03-29', /RFC 3339/],
    ['2026-03-29T12:00Z', /RFC 3339/],
    ['2026-03-29 12:00:00Z', /RFC 3339/],
    ['2026-03-29T12:00:00+0200', /RFC 3339/],
    ['2026-03-29T12:00:00+24:00', /RFC 3339/],
    ['2026-03-29T12:00:00,5Z', /RFC 3339/],
    ['29.03.2026 12:00', /RFC 3339/],
    ['tomorrow', /RFC 3339/],
    ['', /RFC 3339/],
    ['+012026-03-29T12:00:00Z', /RFC 3339/],
    ['2026-03-29T12:00:00Z\n', /RFC 3339/],
    ['2026-02-29T12:00:00Z', /a day that does not exist/],
    ['1900-02-29T12:00:00Z', /a day that does not exist/],
    ['2026-04-31T12:00:00Z', /a day that does not exist/],
    ['2026-00-10T12:00:00Z', /a day that does not exist/],
    ['2026-13-10T12:00:00Z', /a day that does not exist/],
    ['2026-04-00T12:00:00Z', /a day that does not exist/],
    ['2026-04-30T24:00:00Z', /a time of day that does not exist/],
    ['2026-04-30T12:60:00Z', /a time of day that does not exist/],
    ['2016-12-31T23:59:60Z', /a time of day that does not exist/],
    ['1899-12-31T23:59:59Z', /between the years 1900 and 9999/],
    ['1900-01-01T00:00:00+00:01', /between the years 1900 and 9999/],
    ['9999-12-31T23:59:59-00:01', /between the years 1900 and 9999/],
    [1_774_785_600_000, /must be a timestamp/],
    [null, /must be a timestamp/],
    [new Date(0), /must be a timestamp/],
  ])('%j is refused', (input, why) => {
    expect(refusal(parseInstant(input))).toMatch(why);
  });

  const anyInstant = fc.integer({ min: MIN_INSTANT_MS, max: MAX_INSTANT_MS });

  test('every instant comes back from its text', () => {
    fc.assert(
      fc.property(anyInstant, (instant_ms) => {
        const text = formatInstant(instant_ms);
        expect(text).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/);
        expect(text).not.toContain('.000');
        expect(parseInstant(text)).toEqual({ ok: true, value: instant_ms });
      }),
    );
  });

  test('an instant is the same in every offset', () => {
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    const away_from_the_ends = fc.integer({ min: MIN_INSTANT_MS + 864e5, max: MAX_INSTANT_MS - 864e5 });
    fc.assert(
      fc.property(away_from_the_ends, offset, (instant_ms, minutes) => {
        const wall = new Date(instant_ms + minutes * 60_000).toISOString().replace('Z', '');
        const pad = (n: number) => String(n).padStart(2, '0');
        const size = Math.abs(minutes);
        const text = `${wall}${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
        expect(parseInstant(text)).toEqual({ ok: true, value: instant_ms });
      }),
    );
  });
});

describe('dates and zones', () => {
  test.each([
    // A bare date is its first instant in the zone.
    ['2026-03-29', 'UTC', '2026-03-29T00:00:00Z'],
    ['2026-03-29', 'Europe/Stockholm', '2026-03-28T23:00:00Z'],
    ['2026-03-30', 'Europe/Stockholm', '2026-03-29T22:00:00Z'],
    ['2026-07-01', 'America/New_York', '2026-07-01T04:00:00Z'],
    ['2026-07-01', 'Asia/Kathmandu', '2026-06-30T18:15:00Z'],
    // Midnights that do not exist: the clock goes from 23:59:59 to 01:00:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['2023-04-28', 'Africa/Cairo', '2023-04-27T22:00:00Z'],
    ['2022-03-27', 'Asia/Beirut', '2022-03-26T22:00:00Z'],
    // A midnight that comes twice: the first one counts.
    ['2024-11-03', 'America/Havana', '2024-11-03T04:00:00Z'],
    // The clock goes from 00:01 back to 23:01 of the day before: the day has begun all the same.
    ['2006-10-29', 'America/St_Johns', '2006-10-29T02:30:00Z'],
    // Samoa had no 30 December 2011: it begins, and ends, where the 31st begins.
    ['2011-12-29', 'Pacific/Apia', '2011-12-29T10:00:00Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['2011-12-31', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ])('%s in %s begins at %s', (date, timezone, instant) => {
    expect(formatInstant(startOf(date, timezone))).toBe(instant);
  });

  test('a timestamp with its offset means the same in every zone', () => {
    const input = '2026-03-29T12:00:00+02:00';
    expect(parseDateOrInstant(input, 'Asia/Kathmandu')).toEqual(parseInstant(input));
  });

  test.each<[unknown, RegExp]>([
    ['2026-02-29', /a day that does not exist: 2026-02-29/],
    ['2026-13-01', /a day that does not exist/],
    ['1899-12-31', /between the years 1900 and 9999/],
    ['2026-3-29', /or a date, for example 2026-03-29/],
    ['2026-03-29T12:00:00', /needs an offset.*or a date/],
    [20260329, /or a date/],
  ])('%j is refused', (input, why) => {
    expect(refusal(parseDateOrInstant(input, 'Europe/Stockholm'))).toMatch(why);
  });

  test.each([
    ['Europe/Stockholm', '2026-03-28', '2026-03-29', 24],
    ['Europe/Stockholm', '2026-03-29', '2026-03-30', 23],
    ['Europe/Stockholm', '2026-10-25', '2026-10-26', 25],
    ['America/New_York', '2026-03-08', '2026-03-09', 23],
    ['America/New_York', '2026-11-01', '2026-11-02', 25],
    ['Australia/Lord_Howe', '2025-10-05', '2025-10-06', 23.5],
    ['Australia/Lord_Howe', '2025-04-06', '2025-04-07', 24.5],
    ['America/Sao_Paulo', '2018-11-04', '2018-11-05', 23],
    ['America/Sao_Paulo', '2018-02-17', '2018-02-18', 25],
    ['Africa/Cairo', '2023-04-28', '2023-04-29', 23],
    ['Africa/Cairo', '2023-10-26', '2023-10-27', 25],
    ['Asia/Beirut', '2022-03-27', '2022-03-28', 23],
    ['America/Havana', '2024-11-03', '2024-11-04', 25],
    ['America/St_Johns', '2006-10-29', '2006-10-30', 25],
    ['Pacific/Apia', '2011-12-30', '2011-12-31', 0],
  ])('in %s from %s to %s are %d hours', (timezone, date, next, hours) => {
    expect((startOf(next, timezone) - startOf(date, timezone)) / HOUR_MS).toBe(hours);
  });

  test.each([
    ['Europe/Stockholm', true],
    ['europe/stockholm', true],
    ['UTC', true],
    ['America/Argentina/Buenos_Aires', true],
    ['Europe/Atlantis', false],
    ['+02:00', false],
    ['', false],
    ['Europe/Stockholm ', false],
  ])('%j is a time zone: %s', (name, known) => {
    expect(isTimezone(name)).toBe(known);
  });
});

/** Bucket boundaries as text, with dates or timestamps for the ends of the period. */
function boundaries(start: string, end: string, interval: Interval, timezone: string): string[] {
  return bucketBoundaries(
    value(parseDateOrInstant(start, timezone)),
    value(parseDateOrInstant(end, timezone)),
    interval,
    timezone,
    10_000,
  ).map(formatInstant);
}

describe('buckets', () => {
  test('days of 24, 23 and 24 hours where summer time begins', () => {
    expect(boundaries('2026-03-28', '2026-03-31', 'day', 'Europe/Stockholm')).toEqual([
      '2026-03-27T23:00:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
      '2026-03-30T22:00:00Z',
    ]);
  });

  test('the first and the last bucket are as short as the period makes them', () => {
    const period = ['2026-03-28T10:30:00Z', '2026-03-30T00:00:00.001Z'] as const;
    expect(boundaries(...period, 'day', 'UTC')).toEqual([
      '2026-03-28T10:30:00Z',
      '2026-03-29T00:00:00Z',
      '2026-03-30T00:00:00Z',
      '2026-03-30T00:00:00.001Z',
    ]);
    expect(boundaries('2026-03-28T10:30:00Z', '2026-03-28T10:45:00Z', 'year', 'UTC')).toEqual([
      '2026-03-28T10:30:00Z',
      '2026-03-28T10:45:00Z',
    ]);
  });

  test('days that begin at one o’clock', () => {
    expect(boundaries('2018-11-03', '2018-11-06', 'day', 'America/Sao_Paulo')).toEqual([
      '2018-11-03T03:00:00Z',
      '2018-11-04T03:00:00Z',
      '2018-11-05T02:00:00Z',
      '2018-11-06T02:00:00Z',
    ]);
    expect(boundaries('2023-04-27', '2023-04-29', 'day', 'Africa/Cairo')).toEqual([
      '2023-04-26T22:00:00Z',
      '2023-04-27T22:00:00Z',
      '2023-04-28T21:00:00Z',
    ]);
  });

  test('the day Samoa skipped gets no bucket', () => {
    expect(boundaries('2011-12-28', '2012-01-02', 'day', 'Pacific/Apia')).toEqual([
      '2011-12-28T10:00:00Z',
      '2011-12-29T10:00:00Z',
      // 30 December would begin and end here.
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
      '2012-01-01T10:00:00Z',
    ]);
  });

  test('an evening that comes twice does not begin the next day a second time', () => {
    // At 00:01 on the 29th the clock went back to 23:01 on the 28th; the 29th began at 02:30Z.
    expect(boundaries('2006-10-29T02:45:00Z', '2006-10-31', 'day', 'America/St_Johns')).toEqual([
      '2006-10-29T02:45:00Z',
      '2006-10-30T03:30:00Z',
      '2006-10-31T03:30:00Z',
    ]);
  });

  test('hours: 23 and 25 of them on the days summer time begins and ends', () => {
    expect(boundaries('2026-03-29', '2026-03-30', 'hour', 'Europe/Stockholm')).toHaveLength(23 + 1);
    expect(boundaries('2026-10-25', '2026-10-26', 'hour', 'Europe/Stockholm')).toHaveLength(25 + 1);
    expect(boundaries('2026-11-01', '2026-11-02', 'hour', 'America/New_York')).toHaveLength(25 + 1);
  });

  test('hours begin where the wall clock says so', () => {
    expect(boundaries('2026-07-01T10:00:00Z', '2026-07-01T12:00:00Z', 'hour', 'Asia/Kathmandu')).toEqual([
      '2026-07-01T10:00:00Z',
      '2026-07-01T10:15:00Z',
      '2026-07-01T11:15:00Z',
      '2026-07-01T12:00:00Z',
    ]);
  });

  test('where the clock jumps by half an hour one hour is short, or long', () => {
    // Forward from 02:00 to 02:30, which is 15:30Z.
    expect(boundaries('2025-10-04T14:30:00Z', '2025-10-04T17:00:00Z', 'hour', 'Australia/Lord_Howe')).toEqual(
      ['2025-10-04T14:30:00Z', '2025-10-04T15:30:00Z', '2025-10-04T16:00:00Z', '2025-10-04T17:00:00Z'],
    );
    // Back from 02:00 to 01:30, which is 15:00Z: the hour from 01:00 lasts until the clock shows 02:00 again.
    expect(boundaries('2025-04-05T14:00:00Z', '2025-04-05T16:30:00Z', 'hour', 'Australia/Lord_Howe')).toEqual(
      ['2025-04-05T14:00:00Z', '2025-04-05T15:30:00Z', '2025-04-05T16:30:00Z'],
    );
  });

  test('hours are the same whenever a period begins, also where the clock jumps by half an hour', () => {
    const late = boundaries('2025-04-05T14:15:00Z', '2025-04-05T16:30:00Z', 'hour', 'Australia/Lord_Howe');
    expect(late).toEqual(['2025-04-05T14:15:00Z', '2025-04-05T15:30:00Z', '2025-04-05T16:30:00Z']);
  });

  test('weeks are ISO weeks: from Monday, through the turn of the year', () => {
    // 25 December 2025 is a Thursday; week 1 of 2026 begins on Monday, 29 December 2025.
    expect(boundaries('2025-12-25', '2026-01-14', 'week', 'UTC')).toEqual([
      '2025-12-25T00:00:00Z',
      '2025-12-29T00:00:00Z',
      '2026-01-05T00:00:00Z',
      '2026-01-12T00:00:00Z',
      '2026-01-14T00:00:00Z',
    ]);
    // A period that begins on a Monday begins with a whole week, one that begins on a Sunday with a single day.
    expect(boundaries('2026-03-30', '2026-04-07', 'week', 'UTC')[1]).toBe('2026-04-06T00:00:00Z');
    expect(boundaries('2026-03-29', '2026-04-07', 'week', 'UTC')[1]).toBe('2026-03-30T00:00:00Z');
  });

  test('months and years, leap day and daylight saving included', () => {
    expect(boundaries('2024-01-31', '2024-05-01', 'month', 'Europe/Stockholm')).toEqual([
      '2024-01-30T23:00:00Z',
      '2024-01-31T23:00:00Z',
      '2024-02-29T23:00:00Z',
      '2024-03-31T22:00:00Z',
      '2024-04-30T22:00:00Z',
    ]);
    expect(boundaries('2024-02-29', '2027-01-01', 'year', 'America/New_York')).toEqual([
      '2024-02-29T05:00:00Z',
      '2025-01-01T05:00:00Z',
      '2026-01-01T05:00:00Z',
      '2027-01-01T05:00:00Z',
    ]);
  });

  test('an answer that would be too long is given up on, one that just fits is not', () => {
    const at = (hour: number) => Date.UTC(2026, 0, 1, hour);
    expect(bucketBoundaries(at(0), at(10), 'hour', 'UTC', 10)).toHaveLength(10 + 1);
    expect(bucketBoundaries(at(0), at(11), 'hour', 'UTC', 10)).toHaveLength(11 + 1);
    expect(bucketBoundaries(at(0), at(24 * 365 * 100), 'hour', 'UTC', 10)).toHaveLength(11 + 1);
  });

  const ZONES = [
    'UTC',
    'Europe/Stockholm',
    'America/New_York',
    'America/Sao_Paulo',
    'Africa/Cairo',
    'Asia/Beirut',
    'Asia/Kathmandu',
    'America/Havana',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'Antarctica/Troll',
  ];
  const calendars = new Map(
    ZONES.map((timeZone) => [
      timeZone,
      new Intl.DateTimeFormat('en-US', {
        timeZone,
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        hourCycle: 'h23',
        timeZoneName: 'longOffset',
      }),
    ]),
  );

  /** What a calendar and a clock on the wall call the bucket that an instant lies in. */
  function nameOf(instant_ms: number, interval: Interval, timezone: string): string {
    const parts = calendars.get(timezone)!.formatToParts(instant_ms);
    const part = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
    const day = Date.UTC(Number(part.year), Number(part.month) - 1, Number(part.day)) / 864e5;
    switch (interval) {
      // The hour that comes twice is told apart by its offset.
      case 'hour':
        return `${day} ${part.hour} ${part.timeZoneName}`;
      case 'day':
        return String(day);
      // 1 January 1970 was a Thursday.
      case 'week':
        return String(Math.floor((day + 3) / 7));
      case 'month':
        return `${part.year}-${part.month}`;
      case 'year':
        return part.year!;
    }
  }

  const LENGTH_MS = { hour: 1, day: 24, week: 168, month: 730, year: 8766 };

  /** A period that a few buckets cover, where it can be around a change of the clock. */
  const anyPeriod = fc
    .record({
      interval: fc.constantFrom(...INTERVALS),
      timezone: fc.constantFrom(...ZONES),
      start_ms: fc
        .oneof(
          fc.date({ min: new Date('1970-01-01'), max: new Date('2037-01-01'), noInvalidDate: true }),
          fc
            .constantFrom('2025-04-05', '2025-10-04', '2011-12-29', '2018-11-03', '2018-02-17', '2023-04-27')
            .map((date) => new Date(date)),
        )
        .map(Number),
      offset_ms: fc.integer({ min: 0, max: 36 * HOUR_MS }),
      length: fc.double({ min: 0.001, max: 40, noNaN: true }),
    })
    // The hour that Lord Howe Island begins again has the name it had before: see the table above.
    .filter(({ interval, timezone }) => interval !== 'hour' || timezone !== 'Australia/Lord_Howe')
    .map(({ offset_ms, length, ...period }) => {
      const start_ms = period.start_ms + offset_ms;
      return {
        ...period,
        start_ms,
        end_ms: start_ms + Math.ceil(length * LENGTH_MS[period.interval] * HOUR_MS),
      };
    });

  test('go from start to end, and change exactly where the calendar’s name for the time does', () => {
    fc.assert(
      fc.property(anyPeriod, ({ interval, timezone, start_ms, end_ms }) => {
        const found = bucketBoundaries(start_ms, end_ms, interval, timezone, 10_000);
        expect(found[0]).toBe(start_ms);
        expect(found.at(-1)).toBe(end_ms);
        const name = (instant_ms: number) => nameOf(instant_ms, interval, timezone);
        for (let i = 1; i < found.length; i++) {
          const [from_ms, to_ms] = [found[i - 1]!, found[i]!];
          expect(to_ms).toBeGreaterThan(from_ms);
          expect(name(to_ms - 1), `within the bucket from ${formatInstant(from_ms)}`).toBe(name(from_ms));
          if (to_ms < end_ms) {
            expect(name(to_ms), `across ${formatInstant(to_ms)}`).not.toBe(name(to_ms - 1));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('do not depend on where the period ends', () => {
    fc.assert(
      fc.property(anyPeriod, fc.double({ min: 0, max: 1, noNaN: true }), (period, share) => {
        const { interval, timezone, start_ms, end_ms } = period;
        const cut_ms = Math.min(end_ms - 1, start_ms + 1 + Math.floor((end_ms - start_ms) * share));
        fc.pre(cut_ms > start_ms);
        const whole = bucketBoundaries(start_ms, end_ms, interval, timezone, 10_000);
        const first = bucketBoundaries(start_ms, cut_ms, interval, timezone, 10_000);
        expect(first).toEqual([...whole.filter((instant_ms) => instant_ms < cut_ms), cut_ms]);
      }),
    );
  });
});
