/** Consumption bucket by bucket, in the property's own calendar. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-15T12:00:00Z';

interface Bucket {
  start_timestamp: string;
  end_timestamp: string;
  main_meter_consumption: string | null;
}

describe.each(ENGINES)('series on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner, timezone: 'Europe/Stockholm' });
  });

  const ask = (start_date: string, end_date: string, interval: string, more: Record<string, string> = {}) =>
    house.get(
      `/api/properties/${house.property_id}/consumption/series?${new URLSearchParams({ start_date, end_date, interval, ...more })}`,
    );
  const hours = (buckets: Bucket[]) =>
    buckets.map((b) => (Date.parse(b.end_timestamp) - Date.parse(b.start_timestamp)) / 3_600_000);

  test('every meter and unmetered, bucket by bucket: the whole answer', async () => {
    const kitchen = await house.submeter('kitchen');
    const stove = await house.submeter('stove', { parent_meter_id: kitchen });
    // Midnights in Stockholm.
    const [d1, d2, d3] = ['2025-12-31T23:00:00Z', '2026-01-01T23:00:00Z', '2026-01-02T23:00:00Z'];
    for (const [meter_id, values] of [
      [house.main_id, ['100', '110', '121.5']],
      [kitchen, ['10', '22', '25']],
    ] as const) {
      for (const [i, at] of [d1, d2, d3].entries()) await house.given(meter_id, at, values[i]!);
    }
    const known = (consumption: string) => ({
      consumption,
      known_consumption: consumption,
      coverage: 1,
      estimated: false,
      unmetered_consumption: null,
    });
    const unknown = {
      consumption: null,
      known_consumption: null,
      coverage: 0,
      estimated: false,
      unmetered_consumption: null,
    };
    const { status, body } = await ask('2026-01-01', '2026-01-03', 'DAY');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        property_id: house.property_id,
        interval: 'day',
        timezone: 'Europe/Stockholm',
        start_timestamp: d1,
        end_timestamp: d3,
        buckets: [
          {
            start_timestamp: d1,
            end_timestamp: d2,
            main_meter_consumption: '10',
            total_submetered_consumption: '12',
            unmetered_consumption: '0',
            imbalance: '-2',
            unmetered_uncertainty: '0',
            known_consumption: '10',
            coverage: 1,
            estimated: false,
            submeters: [
              { meter_id: kitchen, name: 'kitchen', ...known('12') },
              { meter_id: stove, name: 'stove', ...unknown },
            ],
          },
          {
            start_timestamp: d2,
            end_timestamp: d3,
            main_meter_consumption: '11.5',
            total_submetered_consumption: '3',
            unmetered_consumption: '8.5',
            imbalance: null,
            unmetered_uncertainty: '0',
            known_consumption: '11.5',
            coverage: 1,
            estimated: false,
            submeters: [
              { meter_id: kitchen, name: 'kitchen', ...known('3') },
              { meter_id: stove, name: 'stove', ...unknown },
            ],
          },
        ],
        warnings: [
          {
            code: 'submeters_exceed_main',
            meter_id: house.main_id,
            reading_id: null,
            device_id: null,
            detail: expect.stringContaining(d1!),
          },
        ],
      },
    });
  });

  test('a period without readings has its buckets, with nothing in them', async () => {
    const { body } = await ask('2026-01-01', '2026-01-02', 'day');
    expect(body.buckets).toEqual([
      {
        start_timestamp: '2025-12-31T23:00:00Z',
        end_timestamp: '2026-01-01T23:00:00Z',
        main_meter_consumption: null,
        total_submetered_consumption: null,
        unmetered_consumption: null,
        imbalance: null,
        unmetered_uncertainty: null,
        known_consumption: null,
        coverage: 0,
        estimated: false,
        submeters: [],
      },
    ]);
    expect(body.warnings).toEqual([]);
  });

  test('days of 23 and 25 hours, and the hours in them', async () => {
    expect(hours((await ask('2026-03-28', '2026-03-31', 'day')).body.buckets)).toEqual([24, 23, 24]);
    expect(hours((await ask('2025-10-25', '2025-10-28', 'day')).body.buckets)).toEqual([24, 25, 24]);
    expect(hours((await ask('2026-03-29', '2026-03-30', 'hour')).body.buckets)).toEqual(Array(23).fill(1));
    expect(hours((await ask('2025-10-26', '2025-10-27', 'hour')).body.buckets)).toEqual(Array(25).fill(1));
  });

  test('weeks begin on Monday; months and years are those of the calendar', async () => {
    const starts = async (...args: Parameters<typeof ask>) =>
      (await ask(...args)).body.buckets.map((b: Bucket) => b.start_timestamp);
    // 1 January 2026 is a Thursday; the first and the last bucket may be shorter than the rest.
    expect(await starts('2026-01-01', '2026-01-14', 'week')).toEqual([
      '2025-12-31T23:00:00Z',
      '2026-01-04T23:00:00Z',
      '2026-01-11T23:00:00Z',
    ]);
    expect(await starts('2026-02-15', '2026-05-01', 'month')).toEqual([
      '2026-02-14T23:00:00Z',
      '2026-02-28T23:00:00Z',
      '2026-03-31T22:00:00Z',
    ]);
    expect(await starts('2024-06-01', '2026-01-01', 'year')).toEqual([
      '2024-05-31T22:00:00Z',
      '2024-12-31T23:00:00Z',
    ]);
    expect(hours((await ask('2024-01-01', '2026-01-01', 'year')).body.buckets)).toEqual([366 * 24, 365 * 24]);
  });

  test.each(['hour', 'day', 'week', 'month', 'year'])(
    'by the %s: buckets meet and add up to the period',
    async (interval) => {
      // Thirds, so that every boundary between is rounded.
      await house.given(house.main_id, '2026-01-01T00:00:00Z', '0');
      await house.given(house.main_id, '2026-03-01T01:00:00.007Z', '100.001');
      await house.given(house.main_id, '2026-05-01T00:00:00Z', '333.333');
      const { body } = await ask('2026-01-10T03:04:05.678Z', '2026-04-20T01:02:03Z', interval);
      const { buckets } = body as { buckets: Bucket[] };
      expect(buckets[0]!.start_timestamp).toBe('2026-01-10T03:04:05.678Z');
      expect(buckets.at(-1)!.end_timestamp).toBe('2026-04-20T01:02:03Z');
      for (const [i, bucket] of buckets.slice(1).entries()) {
        expect(bucket.start_timestamp).toBe(buckets[i]!.end_timestamp);
      }
      const sum = buckets.reduce(
        (total, b) => total + Math.round(Number(b.main_meter_consumption) * 1000),
        0,
      );
      const whole = await house.get(
        `/api/readings/property/${house.property_id}/consumption?start_timestamp=${body.start_timestamp}&end_timestamp=${body.end_timestamp}`,
      );
      expect(whole.body.coverage).toBe(1);
      expect(sum).toBe(Math.round(Number(whole.body.main_meter_consumption) * 1000));
    },
  );

  test('an unsettled decrease makes the buckets that it touches unknown, and says so once', async () => {
    for (const [day, value] of [
      ['01', '10'],
      ['02', '20'],
      ['03', '5'],
      ['04', '9'],
    ] as const) {
      await house.given(house.main_id, `2026-01-${day}T00:00:00+01:00`, value);
    }
    const { body } = await ask('2026-01-01', '2026-01-04', 'day');
    expect(body.buckets.map((b: Bucket) => b.main_meter_consumption)).toEqual(['10', null, '4']);
    expect(body.warnings.map(({ code }: { code: string }) => code)).toEqual(['decreased']);
  });

  test('boundary=exact: hours without a reading are unknown', async () => {
    await house.given(house.main_id, '2026-01-01T00:00:00Z', '0');
    await house.given(house.main_id, '2026-01-01T02:00:00Z', '2');
    await house.given(house.main_id, '2026-01-01T03:00:00Z', '5');
    const period = ['2026-01-01T00:00:00Z', '2026-01-01T03:00:00Z', 'hour'] as const;
    const consumption = async (boundary: string) =>
      (await ask(...period, { boundary })).body.buckets.map((b: Bucket) => b.main_meter_consumption);
    expect(await consumption('interpolate')).toEqual(['1', '1', '3']);
    expect(await consumption('exact')).toEqual([null, null, '3']);
  });

  test.each([
    ['more than ten thousand buckets', '2024-01-01', '2026-01-01', 'hour', ['interval']],
    ['an interval that is none', '2026-01-01', '2026-01-02', 'minute', ['interval']],
    ['no interval', '2026-01-01', '2026-01-02', '', ['interval']],
    ['start = end', '2026-01-01', '2026-01-01', 'day', ['end_date']],
    ['start > end', '2026-01-02', '2026-01-01', 'day', ['end_date']],
    ['no offset', '2026-01-01T00:00:00', '2026-01-02', 'day', ['start_date']],
  ])('%s: 422', async (_, start, end, interval, errors) => {
    expectProblem(await ask(start, end, interval), 'validation_failed', { errors });
  });

  test('ten thousand buckets are not too many', async () => {
    const { status, body } = await ask('2025-01-01T00:00:00Z', '2026-02-21T16:00:00Z', 'hour');
    expect([status, body.buckets.length]).toEqual([200, 10_000]);
  });
});
