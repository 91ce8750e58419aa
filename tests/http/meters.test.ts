/** Meters: the main meter and the submeters below it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';

describe.each(ENGINES)('meters on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
  });

  const create = (body: object) =>
    house.post('/api/meters/submeter', { property_id: house.property_id, ...body });
  const submeter = (more: object = {}) => ({
    id: expect.any(Number),
    property_id: house.property_id,
    name: 'sauna',
    location: null,
    meter_type: 'sub_meter',
    sub_meter_kind: 'physical',
    parent_meter_id: house.main_id,
    formula: null,
    plausibility_factor: 10,
    is_active: true,
    created_at: NOW,
    ...more,
  });

  test('a submeter hangs under the main meter unless it says otherwise', async () => {
    const { status, body } = await create({ name: ' sauna ' });
    expect({ status, body }).toEqual({ status: 201, body: submeter() });
    expect((await house.get(`/api/meters/${body.id}`)).body).toEqual(body);
    const below = { name: 'stove', location: ' bath ', parent_meter_id: body.id, sub_meter_kind: 'virtual' };
    expect((await create(below)).body).toEqual(submeter({ ...below, location: 'bath' }));
    expect((await create({ name: 'x', parent_meter_id: null, location: null })).body).toEqual(
      submeter({ name: 'x' }),
    );
  });

  test('a name is unique among the active meters of its property, whatever its case', async () => {
    const sauna = await house.submeter('Bastu Å');
    const before = await counts(server.db);
    for (const name of ['Bastu Å', 'bastu å', ' BASTU Å ', 'Bastu A\u030A', 'main METER']) {
      expectProblem(await create({ name }), 'name_taken');
    }
    expect(await counts(server.db)).toEqual(before);
    const elsewhere = await newHouse(server);
    expect((await elsewhere.submeter('Bastu Å')) > 0).toBe(true);
    await house.retire('meters', sauna);
    expect((await create({ name: 'Bastu Å' })).status).toBe(201);
  });

  test('a parent must be a physical, active meter of the same property', async () => {
    const elsewhere = await newHouse(server);
    const virtual = await house.submeter('sum', { sub_meter_kind: 'virtual' });
    const gone = await house.submeter('gone');
    await house.retire('meters', gone);
    const before = await counts(server.db);
    for (const parent_meter_id of [elsewhere.main_id, virtual, 999_999]) {
      const answer = await create({ name: 'sauna', parent_meter_id });
      expectProblem(answer, 'validation_failed', { errors: ['parent_meter_id'] });
    }
    expectProblem(await create({ name: 'sauna', parent_meter_id: gone }), 'meter_inactive');
    expect(await counts(server.db)).toEqual(before);
  });

  test('nothing is added to an inactive property', async () => {
    await house.retire('properties', house.property_id);
    const before = await counts(server.db);
    expectProblem(await create({ name: 'sauna' }), 'property_inactive');
    const { property_id } = house;
    expectProblem(await house.post('/api/meters/main', { property_id }), 'property_inactive');
    expect(await counts(server.db)).toEqual(before);
  });

  test('a property has exactly one active main meter', async () => {
    const { property_id } = house;
    expectProblem(await house.post('/api/meters/main', { property_id }), 'main_meter_exists');
    await house.retire('meters', house.main_id);
    expect((await house.get(`/api/properties/${property_id}`)).body.main_meter_id).toBeNull();
    expectProblem(await create({ name: 'sauna' }), 'validation_failed', { errors: ['parent_meter_id'] });
    const { status, body } = await house.post('/api/meters/main', { property_id });
    expect({ status, body }).toEqual({
      status: 201,
      body: submeter({
        name: 'Main meter',
        meter_type: 'main_meter',
        sub_meter_kind: null,
        parent_meter_id: null,
      }),
    });
    expect((await house.get(`/api/properties/${property_id}`)).body.main_meter_id).toBe(body.id);
    expectProblem(await house.post('/api/meters/main', { property_id }), 'main_meter_exists');
  });

  test("a main meter whose name a submeter has taken meanwhile: 409, not the server's fault", async () => {
    await house.patch(`/api/meters/${house.main_id}`, { name: 'main' });
    await house.submeter('Main meter');
    await house.retire('meters', house.main_id);
    const { property_id } = house;
    expectProblem(await house.post('/api/meters/main', { property_id }), 'name_taken');
  });

  test('change the name, the location and the plausibility factor, each alone', async () => {
    const id = await house.submeter('sauna');
    let expected = submeter({ id });
    for (const change of [
      { name: 'Sauna' },
      { location: 'cellar' },
      { location: null },
      { plausibility_factor: 1_000_000 },
      { plausibility_factor: null },
      { name: 'b', location: 'c', plausibility_factor: 2 },
    ]) {
      const { status, body } = await house.patch(`/api/meters/${id}`, change);
      expected = { ...expected, ...change } as typeof expected;
      expect({ status, body }).toEqual({ status: 200, body: expected });
    }
    expect((await house.get(`/api/meters/${id}`)).body).toEqual(expected);
    await house.submeter('heat pump');
    expectProblem(await house.patch(`/api/meters/${id}`, { name: 'HEAT pump' }), 'name_taken');
    expect((await house.get(`/api/meters/${id}`)).body).toEqual(expected);
  });

  test.each([
    ['no field', {}, ['body']],
    ['a field that cannot be changed', { meter_type: 'main_meter' }, ['meter_type']],
    ['another parent', { parent_meter_id: 1 }, ['parent_meter_id']],
    ['no name', { name: null }, ['name']],
    ['an empty name', { name: ' ' }, ['name']],
    ['an empty location', { location: '' }, ['location']],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, ['name']],
    ['a factor that flags half of everything', { plausibility_factor: 1 }, ['plausibility_factor']],
    ['a factor that flags nothing', { plausibility_factor: 1_000_001 }, ['plausibility_factor']],
    ['a factor with a fraction', { plausibility_factor: 2.5 }, ['plausibility_factor']],
    ['a factor as text', { plausibility_factor: '10' }, ['plausibility_factor']],
  ])('change %s: 422', async (_, body, errors) => {
    const answer = await house.patch(`/api/meters/${house.main_id}`, body);
    expectProblem(answer, 'validation_failed', { errors });
  });

  test.each([
    ['no name', { name: undefined }, ['name']],
    ['a kind that is none', { sub_meter_kind: 'imaginary' }, ['sub_meter_kind']],
    ['a kind in upper case: bodies are exact', { sub_meter_kind: 'VIRTUAL' }, ['sub_meter_kind']],
    ['a parent that is no id', { parent_meter_id: 0 }, ['parent_meter_id']],
    ['a parent as text', { parent_meter_id: '1' }, ['parent_meter_id']],
  ])('create with %s: 422', async (_, more, errors) => {
    expectProblem(await create({ name: 'sauna', ...more }), 'validation_failed', { errors });
  });

  test('the list: the main meter first, then the submeters by name, filtered as asked', async () => {
    const ids = {
      main: house.main_id,
      water: await house.submeter('Water heater'),
      aqua: await house.submeter('aquarium'),
      sum: await house.submeter('Sum', { sub_meter_kind: 'virtual' }),
      gone: await house.submeter('Gone'),
    };
    await house.retire('meters', ids.gone);
    const list = (query: string) => house.get(`/api/properties/${house.property_id}/meters${query}`);
    const { main, water, aqua, sum, gone } = ids;
    const cases: [string, number[]][] = [
      ['', [main, aqua, sum, water]],
      ['?meter_type=main_meter', [main]],
      ['?meter_type=SUB_METER', [aqua, sum, water]],
      ['?sub_meter_kind=virtual', [sum]],
      ['?sub_meter_kind=Physical', [aqua, water]],
      ['?is_active=false', [gone]],
      ['?include_inactive=true', [main, aqua, gone, sum, water]],
      ['?search=HEAT', [water]],
      ['?search=m&meter_type=sub_meter', [aqua, sum]],
      ['?limit=2&offset=1', [aqua, sum]],
    ];
    for (const [query, expected] of cases) {
      const { body } = await list(query);
      expect([query, body.items.map(({ id }: { id: number }) => id)]).toEqual([query, expected]);
    }
    const whole = (await house.get(`/api/meters/${aqua}`)).body;
    expect((await list('?search=aqua')).body).toEqual({ items: [whole], total: 1, limit: 100, offset: 0 });
    expect((await list('?limit=2&offset=1')).body).toMatchObject({ total: 4, limit: 2, offset: 1 });
    const wrong = await list('?meter_type=gas_meter');
    expectProblem(wrong, 'validation_failed', { errors: ['meter_type'] });
  });
});
