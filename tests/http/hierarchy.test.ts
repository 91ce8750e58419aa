/** Submeters below submeters, virtual meters, and how far the unmetered rest could move. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JAN = '2026-01-01T00:00:00Z';
const FEB = '2026-02-01T00:00:00Z';
const MAR = '2026-03-01T00:00:00Z';

describe.each(ENGINES)('the hierarchy on %s', (engine) => {
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server);
  });

  const consumption = async (start: string, end: string) => {
    const query = `start_timestamp=${start}&end_timestamp=${end}`;
    return (await house.get(`/api/readings/property/${house.property_id}/consumption?${query}`)).body;
  };
  const series = async (interval: string) => {
    const query = `start_date=2026-01-01&end_date=2026-03-01&interval=${interval}`;
    return (await house.get(`/api/properties/${house.property_id}/consumption/series?${query}`)).body;
  };
  const named = (body: { submeters: { name: string }[] }, name: string) =>
    // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
    body.submeters.find((meter) => meter.name === name) as any;
  /** Registers at the beginning of January, February and March. */
  const read = async (meter_id: number, ...values: number[]) => {
    for (const [i, value] of values.entries())
      await house.given(meter_id, [JAN, FEB, MAR][i]!, String(value));
  };
  const virtual = (name: string, formula: object[]) =>
    house.post('/api/meters/submeter', {
      property_id: house.property_id,
      name,
      sub_meter_kind: 'virtual',
      formula,
    });

  test('only direct children are subtracted, on every level', async () => {
    const floor = await house.submeter('floor');
    const kitchen = await house.submeter('kitchen', { parent_meter_id: floor });
    await read(house.main_id, 0, 100);
    await read(floor, 0, 60);
    await read(kitchen, 0, 25);
    const body = await consumption(JAN, FEB);
    expect(body.unmetered_consumption).toBe('40');
    expect(named(body, 'floor').unmetered_consumption).toBe('35');
    expect(named(body, 'kitchen').unmetered_consumption).toBeNull();
    expect(body.warnings).toEqual([]);
  });

  test('children above a submeter are named, and nothing is negative', async () => {
    const floor = await house.submeter('floor');
    const kitchen = await house.submeter('kitchen', { parent_meter_id: floor });
    await read(house.main_id, 0, 100);
    await read(floor, 0, 20);
    await read(kitchen, 0, 25.5);
    const body = await consumption(JAN, FEB);
    expect(named(body, 'floor').unmetered_consumption).toBe('0');
    expect(body.unmetered_consumption).toBe('80');
    expect(body.warnings).toEqual([
      {
        code: 'submeters_exceed_parent',
        meter_id: floor,
        reading_id: null,
        device_id: null,
        detail: expect.stringContaining('5.5 kWh more than floor'),
      },
    ]);
  });

  test('a virtual meter over a period and in the series; its buckets add up', async () => {
    const [a, b] = [await house.submeter('a'), await house.submeter('b')];
    const created = await virtual('half of a without b', [
      { meter: 'A', factor: '0.5' },
      { meter: 'b', factor: -1 },
    ]);
    expect(created.status).toBe(201);
    expect(created.body.formula).toEqual([
      { meter: 'a', factor: '0.5' },
      { meter: 'b', factor: '-1' },
    ]);
    await read(house.main_id, 0, 100, 200);
    await read(a, 0, 60.001, 90);
    await read(b, 0, 10, 20);
    const body = await consumption(JAN, MAR);
    expect(named(body, 'half of a without b')).toMatchObject({
      consumption: '25',
      known_consumption: '25',
      coverage: 1,
      estimated: false,
      sub_meter_kind: 'virtual',
    });
    // Virtual meters are views: they are not subtracted.
    expect(body.unmetered_consumption).toBe('90');
    const months = (await series('month')).buckets.map(
      (bucket: { submeters: { name: string }[] }) => named(bucket, 'half of a without b').consumption,
    );
    expect(months).toEqual(['20.001', '4.999']);
  });

  test('a virtual meter of virtual meters, and of the main meter', async () => {
    const a = await house.submeter('a');
    await virtual('rest', [
      { meter: 'Main meter', factor: '1' },
      { meter: 'a', factor: '-1' },
    ]);
    await virtual('double rest', [{ meter: 'rest', factor: '2' }]);
    await read(house.main_id, 5, 105);
    await read(a, 1, 31);
    expect(named(await consumption(JAN, FEB), 'double rest').consumption).toBe('140');
  });

  test('unknown where a meter behind it is unknown', async () => {
    await house.submeter('a');
    await virtual('v', [{ meter: 'a', factor: '1' }]);
    expect(named(await consumption(JAN, FEB), 'v')).toMatchObject({ consumption: null, coverage: 0 });
  });

  test('a rename is followed; a meter that is retired still counts', async () => {
    const a = await house.submeter('a');
    const { body: v } = await virtual('v', [{ meter: 'a', factor: '1' }]);
    await read(a, 0, 7);
    await house.patch(`/api/meters/${a}`, { name: 'renamed' });
    expect((await house.get(`/api/meters/${v.id}`)).body.formula).toEqual([
      { meter: 'renamed', factor: '1' },
    ]);
    await house.retire('meters', a);
    const body = await consumption(JAN, FEB);
    expect(named(body, 'v').consumption).toBe('7');
    expect(body.submeters).toHaveLength(1);
  });

  test.each([
    ['an unknown name', [{ meter: 'nobody', factor: '1' }], 'formula.0.meter'],
    [
      'a name twice',
      [
        { meter: 'a', factor: '1' },
        { meter: 'A', factor: '2' },
      ],
      'formula.1.meter',
    ],
    ['no term', [], 'formula'],
    ['a factor of four decimals', [{ meter: 'a', factor: '0.1234' }], 'formula.0.factor'],
    ['a factor of zero', [{ meter: 'a', factor: 0 }], 'formula.0.factor'],
    ['a factor that is none', [{ meter: 'a', factor: '1,5' }], 'formula.0.factor'],
    ['another field', [{ meter: 'a', factor: '1', of: 2 }], 'formula.0.of'],
  ])('%s in a formula: 422', async (_, formula, path) => {
    await house.submeter('a');
    const answer = await virtual('v', formula);
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test('a cycle: 422 with the way round, and the formula stays', async () => {
    await house.submeter('a');
    const { body: v } = await virtual('v', [{ meter: 'a', factor: '1' }]);
    await virtual('w', [{ meter: 'v', factor: '1' }]);
    const answer = await house.patch(`/api/meters/${v.id}`, { formula: [{ meter: 'w', factor: '1' }] });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([
      { path: 'formula', message: 'leads back to the meter itself: v → w → v' },
    ]);
    expect((await house.get(`/api/meters/${v.id}`)).body.formula).toEqual([{ meter: 'a', factor: '1' }]);
  });

  test('a formula goes with a virtual meter only, a device with a physical one only', async () => {
    const a = await house.submeter('a');
    const formula = [{ meter: 'a', factor: '1' }];
    expect((await house.patch(`/api/meters/${a}`, { formula })).status).toBe(422);
    const both = {
      property_id: house.property_id,
      name: 'b',
      sub_meter_kind: 'virtual',
      device: { digits: 5 },
    };
    expect((await house.post('/api/meters/submeter', both)).status).toBe(422);
  });

  test('how far the rest could move: nothing where every end was read', async () => {
    await read(house.main_id, 0, 100);
    expect((await consumption(JAN, FEB)).unmetered_uncertainty).toBe('0');
  });

  test('how far the rest could move: by the highest rate seen around an end that was interpolated', async () => {
    // 24 kWh on the first day (1 kW), then 24 kWh over four days (0.25 kW): at noon of the third day, half way through,
    // 12 kWh are estimated; running at 1 kW it could have been all 24, or none.
    await house.given(house.main_id, '2026-01-01T00:00:00Z', '0');
    await house.given(house.main_id, '2026-01-02T00:00:00Z', '24');
    await house.given(house.main_id, '2026-01-06T00:00:00Z', '48');
    expect(await consumption('2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z')).toMatchObject({
      unmetered_consumption: '36',
      unmetered_uncertainty: '12',
      estimated: true,
    });
    // Six hours after the reading at most 6 kWh: 1.5 estimated, 4.5 more possible.
    expect(await consumption('2026-01-01T00:00:00Z', '2026-01-02T06:00:00Z')).toMatchObject({
      unmetered_consumption: '25.5',
      unmetered_uncertainty: '4.5',
    });
  });
});
