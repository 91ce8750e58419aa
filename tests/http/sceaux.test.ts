/**
 * Four years of a real house, imported and asked about over HTTP, against answers that its own authors give: samples/
 * sceaux holds registers read every midnight, and the unmetered rest is known from an independent source.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const FILE = new URL('../../samples/sceaux/daily-registers.csv', import.meta.url);
const SUBMETERS = ['kitchen', 'laundry', 'water_heater'] as const;
const FIRST = '2006-12-15T23:00:00Z';
const LAST = '2010-11-26T23:00:00Z';

type Figures = [
  main: string,
  kitchen: string,
  laundry: string,
  water_heater: string,
  unmetered: string,
  total: string,
];
/** Days of Paris; the total of the submeters is the sum of three columns. */
const MONTHS: [start: string, end: string, Figures][] = [
  ['2009-01-01', '2009-02-01', ['1049.167', '74.651', '72.952', '329.606', '571.958', '477.209']],
  // Daylight saving begins.
  ['2009-03-01', '2009-04-01', ['912.649', '64.645', '48.427', '328.697', '470.88', '441.769']],
  // Daylight saving ends.
  ['2009-10-01', '2009-11-01', ['851.479', '54.728', '53.729', '327.505', '415.517', '435.962']],
  ['2009-12-01', '2010-01-01', ['1015.083', '57.801', '53.49', '383.909', '519.883', '495.2']],
];
const WHOLE: Figures = ['37283.748', '2299.135', '2661.031', '13235.167', '19088.415', '18195.333'];

describe.each(ENGINES)('the house in Sceaux on %s', (engine) => {
  const csv = readFileSync(FILE, 'utf8');
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server, { timezone: 'Europe/Paris' });
    await house.patch(`/api/meters/${house.main_id}`, { name: 'main' });
    for (const name of SUBMETERS) await house.submeter(name);
  });
  afterAll(() => server.close());

  const upload = (body: string, more = '') =>
    server.call('POST', `/api/readings/import?property_id=${house.property_id}${more}`, {
      token: house.owner.token,
      headers: { 'content-type': 'text/csv' },
      body,
    });
  /** The same columns from an answer for a period as from a bucket of a series. */
  // biome-ignore lint/suspicious/noExplicitAny: two kinds of answers
  function figures(answer: any): Figures {
    expect(answer).toMatchObject({ coverage: 1, estimated: false, imbalance: null });
    const of = (name: string) =>
      answer.submeters.find((meter: { name: string }) => meter.name === name).consumption;
    return [
      answer.main_meter_consumption,
      of('kitchen'),
      of('laundry'),
      of('water_heater'),
      answer.unmetered_consumption,
      answer.total_submetered_consumption,
    ];
  }
  const ENERGY = ['37283.748', '2299.135', '2661.031', '13235.167'];
  const report = (recorded: number, unchanged: number) => ({
    property_id: house.property_id,
    ...{ dry_run: false, importable: true, batch_id: null, recorded, unchanged },
    ...{ repeated: 0, conflicting: 0, refused: 0, conflicts: [], errors: [] },
    bytes: Buffer.byteLength(csv),
    plan: expect.objectContaining({ format: 'csv', layout: 'wide' }),
    meters: ['main', ...SUBMETERS].map((name, i) => ({
      ...{ meter_id: expect.any(Number), name, names_in_file: [name], created: false },
      ...{ recorded: recorded / 4, unchanged: unchanged / 4, repeated: 0, conflicting: 0, flagged: 0 },
      energy: ENERGY[i],
      first_reading_timestamp: FIRST,
      last_reading_timestamp: LAST,
    })),
  });

  test('the file is as it was published', () => {
    const [heading, ...lines] = csv.trim().split(/\r?\n/);
    expect(heading).toBe('timestamp,main,kitchen,laundry,water_heater');
    expect(lines.length).toBe(1443);
  });

  test('one wrong cell in the middle: 422 that names line and meter, and nothing is written', async () => {
    const lines = csv.split('\n');
    lines[700] = lines[700]!.replace(/,([^,]+),/, ',$1x,');
    const before = await counts(server.db);
    const answer = await upload(lines.join('\n'));
    expectProblem(answer, 'validation_failed', { errors: ['line 701: main'] });
    expect(await counts(server.db)).toEqual(before);
  });

  test('a dry run reports everything and writes nothing', async () => {
    const before = await counts(server.db);
    const { status, body } = await upload(csv, '&dry_run=true');
    expect({ status, body }).toEqual({ status: 200, body: { ...report(5772, 0), dry_run: true } });
    expect(await counts(server.db)).toEqual(before);
  });

  describe('imported', () => {
    beforeAll(async () => {
      const before = await counts(server.db);
      const { status, body } = await upload(csv);
      expect({ status, body }).toEqual({
        status: 201,
        body: { ...report(5772, 0), batch_id: expect.any(Number) },
      });
      expect(await counts(server.db)).toEqual({
        ...before,
        batches: before.batches! + 1,
        ledger_entries: before.ledger_entries! + 5772,
        readings: before.readings! + 5772,
      });
    });

    test('a second import finds everything unchanged and writes nothing', async () => {
      const before = await counts(server.db);
      const { status, body } = await upload(csv);
      expect({ status, body }).toEqual({ status: 200, body: report(0, 5772) });
      expect(await counts(server.db)).toEqual(before);
    });

    const consumption = async (start: string, end: string) =>
      (
        await house.get(
          `/api/readings/property/${house.property_id}/consumption?start_timestamp=${start}&end_timestamp=${end}`,
        )
      ).body;
    const series = async (start: string, end: string, interval: string) =>
      (
        await house.get(
          `/api/properties/${house.property_id}/consumption/series?start_date=${start}&end_date=${end}&interval=${interval}`,
        )
      ).body;

    test('the whole span', async () => {
      expect(figures(await consumption(FIRST, LAST))).toEqual(WHOLE);
      const by_year = await series(FIRST, LAST, 'year');
      expect(by_year.buckets.length).toBe(5);
      const sum = by_year.buckets.map(figures).reduce(
        (totals: number[], bucket: Figures) =>
          totals.map((wh, i) => wh + Math.round(Number(bucket[i]) * 1000)),
        WHOLE.map(() => 0),
      );
      expect(sum).toEqual(WHOLE.map((kwh) => Math.round(Number(kwh) * 1000)));
    });

    test.each(MONTHS)('the month from %s, as a period and as a bucket', async (start, end, expected) => {
      const { buckets } = await series(start, end, 'month');
      expect(buckets.length).toBe(1);
      expect(figures(buckets[0])).toEqual(expected);
      expect(figures(await consumption(buckets[0].start_timestamp, buckets[0].end_timestamp))).toEqual(
        expected,
      );
    });

    test('the year 2009 by the month has those months in it', async () => {
      const { buckets, warnings } = await series('2009-01-01', '2010-01-01', 'month');
      expect(warnings).toEqual([]);
      expect(buckets.length).toBe(12);
      for (const [start, , expected] of MONTHS) {
        expect(figures(buckets[Number(start.slice(5, 7)) - 1])).toEqual(expected);
      }
    });

    test('history pages through all of it', async () => {
      const { body } = await house.get(`/api/readings/meter/${house.main_id}/history?limit=1&offset=1442`);
      expect(body).toMatchObject({ total: 1443, items: [{ reading_timestamp: FIRST, source: 'import' }] });
    });
  });
});
