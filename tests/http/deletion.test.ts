/** Deleting properties and meters, so that everything is there again once they are restored. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

describe.each(ENGINES)('deletion on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(engine);
  });
  afterAll(() => server.close());

  const remove = ({ owner }: House, path: string, headers: Record<string, string> = {}) =>
    server.call('DELETE', path, { token: owner.token, headers });
  const namesOf = async (house: House, query = '') =>
    (await house.get(`/api/properties/${house.property_id}/meters${query}`)).body.items.map(
      ({ name }: { name: string }) => name,
    );
  const here = (house: House) => `/api/properties/${house.property_id}`;

  describe('of a property', () => {
    test('with submeters is refused and names them; with cascade it takes them along, and nothing answers less', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      await house.submeter('attic');
      const reading_id = await house.given(flat, '2026-01-01T00:00:00Z', '5');
      const before = await counts(server.db);
      const refused = await remove(house, here(house));
      expectProblem(refused, 'has_submeters');
      expect(refused.body.detail).toMatch(/attic, flat/);
      expect(await counts(server.db)).toEqual(before);
      expect((await house.get(here(house))).body.is_active).toBe(true);

      expect((await remove(house, `${here(house)}?cascade=true`)).status).toBe(204);
      expect((await house.get(here(house))).body).toMatchObject({
        is_active: false,
        main_meter_id: house.main_id,
      });
      expect((await house.get('/api/properties')).body.items).toEqual([]);
      expect((await house.get('/api/properties?is_active=false')).body.total).toBe(1);
      expect((await house.get('/api/users/me/dashboard')).body).toMatchObject({ properties_count: 0 });
      expect(await namesOf(house)).toEqual(['Main meter']);
      expect(await namesOf(house, '?include_inactive=true')).toEqual(['Main meter', 'attic', 'flat']);
      expect((await house.get(`/api/readings/${reading_id}`)).body.value).toBe('5');
      expect((await house.get(`/api/readings/meter/${flat}/history`)).body.total).toBe(1);
      expectProblem(await house.record(house.main_id, '2026-01-01T00:00:00Z', '5'), 'property_inactive');
      expectProblem(await house.record(flat, '2026-01-02T00:00:00Z', '5'), 'property_inactive');
      const more = { property_id: house.property_id, name: 'sauna' };
      expectProblem(await house.post('/api/meters/submeter', more), 'property_inactive');
      expect((await remove(house, here(house))).status).toBe(204);
    });

    test('without submeters needs no cascade', async () => {
      const house = await newHouse(server);
      expect((await remove(house, here(house))).status).toBe(204);
      expect((await house.get(here(house))).body.is_active).toBe(false);
    });

    test('is undone exactly: a meter that was deleted before stays so', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      await house.submeter('hall', { parent_meter_id: flat });
      const old = await house.submeter('old');
      await remove(house, `/api/meters/${old}`);
      const before = (await house.get(`${here(house)}/meters?include_inactive=true`)).body;
      const property = (await house.get(here(house))).body;
      await remove(house, `${here(house)}?cascade=true`);
      const { status, body } = await house.post(`${here(house)}/restore`, undefined);
      expect({ status, body }).toEqual({ status: 200, body: property });
      expect((await house.get(`${here(house)}/meters?include_inactive=true`)).body).toEqual(before);
      expect((await house.post(`${here(house)}/restore`, undefined)).body).toEqual(property);
    });

    test('names given twice meanwhile stand in the way of restoring it', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      await house.submeter('attic');
      await remove(house, `${here(house)}?cascade=true`);
      expect((await house.patch(`/api/meters/${flat}`, { name: 'ATTIC' })).status).toBe(200);
      expectProblem(await house.post(`${here(house)}/restore`, undefined), 'name_taken');
      expect((await house.get(here(house))).body.is_active).toBe(false);
      await house.patch(`/api/meters/${flat}`, { name: 'flat' });
      expect((await house.post(`${here(house)}/restore`, undefined)).status).toBe(200);
      expect(await namesOf(house)).toEqual(['Main meter', 'attic', 'flat']);
    });

    test('of the version that somebody saw, if they say so', async () => {
      const house = await newHouse(server);
      const etag = (await house.get(here(house))).headers.get('etag')!;
      await house.patch(here(house), { display_name: 'Villa Ampere' });
      expectProblem(await remove(house, here(house), { 'if-match': etag }), 'precondition_failed');
      const now = (await house.get(here(house))).headers.get('etag')!;
      expect((await remove(house, here(house), { 'if-match': now })).status).toBe(204);
    });

    test('while somebody adds a submeter: either it is refused, or the submeter is', async () => {
      for (let run = 0; run < 5; run += 1) {
        const house = await newHouse(server);
        const [removed, added] = await Promise.all([
          remove(house, here(house)),
          house.post('/api/meters/submeter', { property_id: house.property_id, name: 'flat' }),
        ]);
        const outcomes = [removed.body?.code ?? 'deleted', added.body.code ?? 'added'];
        expect([
          ['deleted', 'property_inactive'],
          ['has_submeters', 'added'],
        ]).toContainEqual(outcomes);
      }
    });
  });

  describe('of a meter', () => {
    test('hides it, frees its name, and keeps what it showed', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      const main = house.main_id;
      for (const [at, in_main, in_flat] of [
        ['2026-01-01T00:00:00Z', '100', '10'],
        ['2026-02-01T00:00:00Z', '200', '40'],
      ] as const) {
        await house.given(main, at, in_main);
        await house.given(flat, at, in_flat);
      }
      expect((await remove(house, `/api/meters/${flat}`)).status).toBe(204);
      expect((await remove(house, `/api/meters/${flat}`)).status).toBe(204);
      expect((await house.get(`/api/meters/${flat}`)).body.is_active).toBe(false);
      expect(await namesOf(house)).toEqual(['Main meter']);
      expect((await house.get(`/api/readings/meter/${flat}/history`)).body.total).toBe(2);
      expectProblem(await house.record(flat, '2026-03-01T00:00:00Z', '50'), 'meter_inactive');
      const period = 'start_timestamp=2026-01-01T00:00:00Z&end_timestamp=2026-02-01T00:00:00Z';
      const consumption = `/api/readings/property/${house.property_id}/consumption?${period}`;
      expect((await house.get(consumption)).body).toMatchObject({
        submeters: [],
        unmetered_consumption: '100',
      });

      const second = await house.submeter('Flat');
      const taken = await house.post(`/api/meters/${flat}/restore`, undefined);
      expectProblem(taken, 'name_taken');
      expect(taken.body.detail).toMatch(/named flat already/);
      await house.patch(`/api/meters/${second}`, { name: 'new flat' });
      const restored = await house.post(`/api/meters/${flat}/restore`, undefined);
      expect(restored).toMatchObject({ status: 200, body: { id: flat, name: 'flat', is_active: true } });
      await remove(house, `/api/meters/${second}`);
      expect((await house.get(consumption)).body).toMatchObject({ unmetered_consumption: '70' });
    });

    test('with others below it is refused, and they are restored from above', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      const hall = await house.submeter('hall', { parent_meter_id: flat });
      const refused = await remove(house, `/api/meters/${flat}`);
      expectProblem(refused, 'has_submeters');
      expect(refused.body.detail).toMatch(/Below flat hang hall/);
      await remove(house, `/api/meters/${hall}`);
      await remove(house, `/api/meters/${flat}`);
      expectProblem(await house.post(`/api/meters/${hall}/restore`, undefined), 'meter_inactive');
      expect((await house.post(`/api/meters/${flat}/restore`, undefined)).status).toBe(200);
      expect((await house.post(`/api/meters/${hall}/restore`, undefined)).status).toBe(200);
    });

    test('a main meter makes way for another one, and there is never a second', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      expectProblem(await remove(house, `/api/meters/${house.main_id}`), 'has_submeters');
      await remove(house, `/api/meters/${flat}`);
      expect((await remove(house, `/api/meters/${house.main_id}`)).status).toBe(204);
      expect((await house.get(here(house))).body.main_meter_id).toBeNull();
      const { property_id } = house;
      const { id } = (await house.post('/api/meters/main', { property_id })).body;
      expectProblem(await house.post(`/api/meters/${house.main_id}/restore`, undefined), 'main_meter_exists');
      await remove(house, `/api/meters/${id}`);
      expect((await house.post(`/api/meters/${house.main_id}/restore`, undefined)).status).toBe(200);
    });

    test('that a formula names: the virtual meter goes on with what there is', async () => {
      const house = await newHouse(server);
      const flat = await house.submeter('flat');
      const formula = [{ meter: 'flat', factor: '2' }];
      const twice = await house.submeter('twice', { sub_meter_kind: 'virtual', formula });
      await house.given(flat, '2026-01-01T00:00:00Z', '10');
      await house.given(flat, '2026-02-01T00:00:00Z', '40');
      await remove(house, `/api/meters/${flat}`);
      expect((await house.get(`/api/meters/${twice}`)).body.formula).toEqual(formula);
      const period = 'start_timestamp=2026-01-01T00:00:00Z&end_timestamp=2026-02-01T00:00:00Z';
      const { body } = await house.get(`/api/readings/property/${house.property_id}/consumption?${period}`);
      expect(body.submeters).toMatchObject([{ name: 'twice', consumption: '60' }]);
    });
  });
});
