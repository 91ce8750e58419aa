/** Bulk rounds: the main meter and submeters, read at one instant, recorded whole or not at all. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const T1 = '2026-01-01T00:00:00Z';
const T2 = '2026-01-02T00:00:00Z';

describe.each(ENGINES)('rounds on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let kitchen: number;
  let laundry: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    kitchen = await house.submeter('Kök');
    laundry = await house.submeter('laundry', { location: 'cellar' });
  });

  const round = (submeter_readings: unknown, more: object = {}) =>
    house.post('/api/readings/bulk', {
      property_id: house.property_id,
      reading_timestamp: T1,
      main_meter_value: '100',
      submeter_readings,
      ...more,
    });
  const reading = (meter_id: number, meter_name: string, value: string, more: object = {}) => ({
    id: expect.any(Number),
    property_id: house.property_id,
    meter_id,
    meter_name,
    reading_timestamp: T1,
    value,
    reading_type: 'absolute',
    period_start: null,
    note: null,
    photo_sha256: null,
    source: 'manual',
    flags: [],
    recorded_by_user_id: house.owner.id,
    recorded_by_api_key_id: null,
    created_at: NOW,
    batch_id: expect.any(Number),
    supersedes_id: null,
    superseded_by_id: null,
    reason: null,
    warnings: [],
    ...more,
  });
  /** The call is refused as expected, and not a row of any table has come or gone. */
  async function refused(call: () => Promise<Parameters<typeof expectProblem>[0]>, ...how: Refusal) {
    const before = await counts(server.db);
    expectProblem(await call(), ...how);
    expect(await counts(server.db)).toEqual(before);
  }
  type Refusal = Parameters<typeof expectProblem> extends [unknown, ...infer R] ? R : never;

  test('the main meter first, then the submeters as they were sent, in one batch', async () => {
    const { status, body } = await round({ laundry: 20, ' KÖK ': '30.25' });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        items: [
          reading(house.main_id, 'Main meter', '100'),
          reading(laundry, 'laundry', '20'),
          reading(kitchen, 'Kök', '30.25'),
        ],
        total: 3,
        limit: 3,
        offset: 0,
      },
    });
    expect(new Set(body.items.map(({ batch_id }: { batch_id: number }) => batch_id)).size).toBe(1);
    const batches = await server.db.read
      .selectFrom('batches')
      .selectAll()
      .where('property_id', '=', house.property_id)
      .execute();
    expect(batches).toEqual([
      {
        id: body.items[0].batch_id,
        property_id: house.property_id,
        sequence: 1,
        recorded_by_user_id: house.owner.id,
        recorded_by_api_key_id: null,
        source: 'manual',
        created_at: Date.parse(NOW),
        entry_count: 3,
        merkle_root: expect.stringMatching(/^[0-9a-f]{64}$/),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test('the main meter alone, and amounts instead of registers', async () => {
    const { status, body } = await round({}, { reading_type: 'relative' });
    const main = reading(house.main_id, 'Main meter', '100', { reading_type: 'relative' });
    expect({ status, items: body.items }).toEqual({ status: 201, items: [main] });
  });

  test('the same round again: 200 with the first one, nothing written', async () => {
    const first = await round({ laundry: '20', kök: '30' });
    const before = await counts(server.db);
    const again = await round({ laundry: 20, kök: 30 });
    expect({ status: again.status, body: again.body }).toEqual({ status: 200, body: first.body });
    expect(await counts(server.db)).toEqual(before);
  });

  test('half of it there already: the rest is recorded', async () => {
    const there = await house.record(kitchen, T1, '30');
    const { status, body } = await round({ laundry: '20', Kök: '30' });
    expect({ status, items: body.items }).toEqual({
      status: 201,
      items: [reading(house.main_id, 'Main meter', '100'), reading(laundry, 'laundry', '20'), there.body],
    });
    expect(body.items[0].batch_id).not.toBe(there.body.batch_id);
  });

  test('an unknown name: 404 that says which', async () => {
    await refused(() => round({ Kök: '30', sauna: '1' }), 'not_found');
    expect((await round({ Kök: '30', sauna: '1' })).body.detail).toContain('sauna');
    // The main meter is no submeter, and another property's submeters are not here.
    await (await newHouse(server)).submeter('elsewhere');
    await refused(() => round({ 'Main meter': '1' }), 'not_found');
    await refused(() => round({ elsewhere: '1' }), 'not_found');
  });

  test('a virtual meter: 422 that names it', async () => {
    await house.submeter('sum', { sub_meter_kind: 'virtual' });
    await refused(() => round({ Kök: '30', sum: '1' }), 'validation_failed', {
      errors: ['submeter_readings.sum'],
    });
  });

  test('an inactive meter: 409, an inactive property: 409', async () => {
    await house.retire('meters', laundry);
    await refused(() => round({ Kök: '30', laundry: '1' }), 'meter_inactive');
    await house.retire('properties', house.property_id);
    await refused(() => round({ Kök: '30' }), 'property_inactive');
  });

  test('a conflict in the middle: 409, and nothing of the round is written', async () => {
    const reading_id = await house.given(laundry, T1, '20');
    await refused(() => round({ Kök: '30', laundry: '21' }), 'reading_conflict', { reading_id });
  });

  test('one meter under two spellings: 422, which value would it be', async () => {
    await refused(() => round({ Kök: '30', kök: '30' }), 'validation_failed', {
      errors: ['submeter_readings.kök'],
    });
  });

  test('a wrong value: 422 that names the meter as it was sent', async () => {
    await refused(() => round({ Kök: '30', laundry: '1.2345', 'a.b/c~d': 'x' }), 'validation_failed', {
      errors: ['submeter_readings.laundry', 'submeter_readings.a.b/c~d'],
    });
    await refused(() => round({}, { main_meter_value: null }), 'validation_failed', {
      errors: ['main_meter_value'],
    });
    await refused(() => round(['30']), 'validation_failed', { errors: ['submeter_readings'] });
  });

  test('a submeter that went down is flagged in the round, the others are not', async () => {
    await round({ Kök: '30', laundry: '20' });
    const { body } = await round(
      { Kök: '29', laundry: '21' },
      { reading_timestamp: T2, main_meter_value: '101' },
    );
    expect(body.items.map(({ flags }: { flags: string[] }) => flags)).toEqual([[], ['decreased'], []]);
    expect(body.items[1].warnings).toEqual([
      {
        code: 'decreased',
        meter_id: kitchen,
        reading_id: body.items[1].id,
        device_id: null,
        detail: expect.any(String),
      },
    ]);
  });
});
