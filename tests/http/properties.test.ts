/** Properties: creating, listing, changing; and what every list and every answer has in common. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';

describe.each(ENGINES)('properties on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
  });
  afterAll(() => server.close());

  const create = (person: Person, body: unknown) =>
    server.call('POST', '/api/properties', { token: person.token, body });
  const get = (person: Person, path: string) => server.call('GET', path, { token: person.token });

  test('create one with its name alone: the rest has defaults, its main meter comes with it', async () => {
    const person = await server.newPerson();
    const { status, body } = await create(person, { display_name: '  Villa Volt ' });
    const property = {
      id: expect.any(Number),
      display_name: 'Villa Volt',
      address: null,
      timezone: 'UTC',
      currency: 'EUR',
      is_active: true,
      main_meter_id: expect.any(Number),
      share_totals_with_tenants: false,
      role: 'owner',
      created_at: NOW,
    };
    expect({ status, body }).toEqual({ status: 201, body: property });
    expect((await get(person, `/api/properties/${body.id}`)).body).toEqual(body);
    expect((await get(person, `/api/meters/${body.main_meter_id}`)).body).toEqual({
      id: body.main_meter_id,
      property_id: body.id,
      name: 'Main meter',
      location: null,
      meter_type: 'main_meter',
      sub_meter_kind: null,
      parent_meter_id: null,
      formula: null,
      plausibility_factor: 10,
      is_active: true,
      created_at: NOW,
    });
  });

  test('create one with everything, then change each field alone', async () => {
    const person = await server.newPerson();
    const sent = {
      display_name: 'Brf A\u030Angan',
      address: 'Storgatan 1\nSundsvall',
      timezone: 'Europe/Stockholm',
      currency: 'SEK',
    };
    const { body: created } = await create(person, sent);
    const { id, main_meter_id } = created;
    // Letters are stored composed, however the keyboard made them.
    let expected = {
      ...{ ...sent, display_name: 'Brf Ångan' },
      ...{ id, main_meter_id, is_active: true, role: 'owner', created_at: NOW },
      share_totals_with_tenants: false,
    };
    expect(created).toEqual(expected);
    for (const change of [
      { display_name: 'Ångan 2' },
      { address: 'Storgatan 2' },
      { address: null },
      { timezone: 'America/New_York' },
      { currency: 'USD' },
      { share_totals_with_tenants: true },
    ]) {
      const answer = await server.call('PATCH', `/api/properties/${id}`, {
        token: person.token,
        body: change,
      });
      expected = { ...expected, ...change } as typeof expected;
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: expected });
    }
    expect((await get(person, `/api/properties/${id}`)).body).toEqual(expected);
    expect((await get(person, '/api/properties?search=ÅNGAN 2')).body.total).toBe(1);
  });

  test.each([
    ['no field', {}, ['body']],
    ['an unknown field', { colour: 'red' }, ['colour']],
    ['an id', { id: 7 }, ['id']],
    ['a name of spaces', { display_name: '   ' }, ['display_name']],
    ['an empty name', { display_name: '' }, ['display_name']],
    ['no name at all', { display_name: null }, ['display_name']],
    ['a time zone that is none', { timezone: 'Europe/Atlantis' }, ['timezone']],
    ['an offset for a time zone', { timezone: '+01:00' }, ['timezone']],
    ['a currency that is none', { currency: 'XYZ' }, ['currency']],
    ['a currency in lower case', { currency: 'sek' }, ['currency']],
  ])('change %s: 422 that names it', async (_, body, errors) => {
    const house = await newHouse(server);
    const before = await house.get(`/api/properties/${house.property_id}`);
    const answer = await house.patch(`/api/properties/${house.property_id}`, body);
    expectProblem(answer, 'validation_failed', { errors });
    expect((await house.get(`/api/properties/${house.property_id}`)).body).toEqual(before.body);
  });

  test('nothing is created without a name', async () => {
    const person = await server.newPerson();
    const before = await counts(server.db);
    expectProblem(await create(person, { timezone: 'UTC' }), 'validation_failed', {
      errors: ['display_name'],
    });
    expect(await counts(server.db)).toEqual(before);
  });

  describe('the list', () => {
    let person: Person;
    const names = ['ängen', 'Åsen', 'Öster 50%', 'aspen_1', 'Bäcken', 'STRASSE'];
    beforeAll(async () => {
      person = await server.newPerson();
      for (const display_name of names) await create(person, { display_name });
      const gone = await create(person, { display_name: 'Gone Åker' });
      const house = await newHouse(server);
      await house.retire('properties', gone.body.id);
    });
    async function listed(query: string): Promise<string[]> {
      const { status, body } = await get(person, `/api/properties${query}`);
      expect(status).toBe(200);
      return body.items.map(({ display_name }: { display_name: string }) => display_name);
    }

    test('the envelope, with whole properties in it', async () => {
      const { body } = await get(person, '/api/properties?search=aspen');
      const whole = await get(person, `/api/properties/${body.items[0].id}`);
      expect(body).toEqual({ items: [whole.body], total: 1, limit: 100, offset: 0 });
    });
    test('empty is a shape', async () => {
      const { body } = await get(await server.newPerson(), '/api/properties');
      expect(body).toEqual({ items: [], total: 0, limit: 100, offset: 0 });
    });
    test.each([
      ['å', ['Gone Åker', 'Åsen']],
      ['ÅS', ['Åsen']],
      ['ÖSTER', ['Öster 50%']],
      ['ÄNG', ['ängen']],
      ['straße', ['STRASSE']],
      ['%', ['Öster 50%']],
      ['_', ['aspen_1']],
      ['\\', []],
      ["'", []],
      ['', ['aspen_1', 'Bäcken', 'Gone Åker', 'STRASSE', 'ängen', 'Åsen', 'Öster 50%']],
    ])('search=%s finds %j', async (search, expected) => {
      const found = await listed(`?include_inactive=true&search=${encodeURIComponent(search)}`);
      expect(found.sort()).toEqual([...expected].sort());
    });
    test('inactive ones are hidden unless asked for', async () => {
      expect((await listed('')).sort()).toEqual([...names].sort());
      expect(await listed('?is_active=false')).toEqual(['Gone Åker']);
      expect((await listed('?is_active=true')).sort()).toEqual([...names].sort());
      expect((await listed('?include_inactive=true')).length).toBe(names.length + 1);
    });
    test('pages are stable and do not overlap; total counts all', async () => {
      const pages = [];
      for (const offset of [0, 2, 4, 6]) {
        const { body } = await get(person, `/api/properties?limit=2&offset=${offset}`);
        expect(body).toMatchObject({ total: 6, limit: 2, offset });
        pages.push(body.items.map(({ display_name }: { display_name: string }) => display_name));
      }
      expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 0]);
      expect(pages.flat()).toEqual(await listed(''));
    });
    test.each([
      ['limit=0', 'limit'],
      ['limit=1001', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=1.5', 'limit'],
      ['limit=ten', 'limit'],
      ['limit=', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['offset=-1', 'offset'],
      ['offset=9007199254740992', 'offset'],
      ['is_active=yes', 'is_active'],
      ['include_inactive=1', 'include_inactive'],
      ['sorted=name', 'sorted'],
    ])('?%s: 422', async (query, field) => {
      expectProblem(await get(person, `/api/properties?${query}`), 'validation_failed', { errors: [field] });
    });
    test.each(['limit=1', 'limit=1000', 'offset=9007199254740991', 'is_active=TRUE'])(
      '?%s is fine',
      async (query) => {
        expect((await get(person, `/api/properties?${query}`)).status).toBe(200);
      },
    );
  });

  describe('every answer', () => {
    let house: House;
    beforeAll(async () => {
      house = await newHouse(server);
    });

    test('a trailing slash makes no difference', async () => {
      const path = `/api/properties/${house.property_id}`;
      expect((await house.get(`${path}/`)).body).toEqual((await house.get(path)).body);
      expect((await house.get('/api/properties/?limit=5')).body).toEqual(
        (await house.get('/api/properties?limit=5')).body,
      );
      expect((await house.post('/api/properties/', { display_name: 'Slash' })).status).toBe(201);
    });

    test('carries the request id that was sent, if it is sane', async () => {
      const send = (id: string, path = '/api/health') =>
        server.call('GET', path, { headers: { 'x-request-id': id } });
      expect((await send('trace-1.2_3')).headers.get('x-request-id')).toBe('trace-1.2_3');
      expect((await send('x'.repeat(128))).headers.get('x-request-id')).toBe('x'.repeat(128));
      const refused = await send('trace-4', '/api/properties');
      expect(refused.headers.get('x-request-id')).toBe('trace-4');
      expect(refused.body.request_id).toBe('trace-4');
    });
    test.each(['x'.repeat(129), 'two words', 'a"b', 'ä', '<script>'])(
      'makes another id instead of "%s"',
      async (id) => {
        const answer = await server.call('GET', '/api/properties', {
          headers: { 'x-request-id': Buffer.from(id).toString('latin1') },
        });
        expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
        expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
      },
    );
    test('makes an id of its own for every request without one', async () => {
      const ids = [];
      for (let i = 0; i < 3; i++)
        ids.push((await server.call('GET', '/api/health')).headers.get('x-request-id'));
      expect(new Set(ids).size).toBe(3);
    });
    test('says what is there instead: 404 for an unknown address, 405 with Allow for a wrong method', async () => {
      expectProblem(await house.get('/api/nothing'), 'not_found');
      const answer = await server.call('PUT', '/api/readings/bulk/', { token: house.owner.token });
      expectProblem(answer, 'method_not_allowed');
      expect(answer.headers.get('allow')).toContain('POST');
    });
  });

  test('whether it lives and can serve', async () => {
    const health = await server.call('GET', '/api/health');
    expect({ status: health.status, body: health.body }).toEqual({ status: 200, body: { status: 'ok' } });
    const ready = await server.call('GET', '/api/health/ready');
    const body = { status: 'ready', schema_version: expect.any(Number) };
    expect({ status: ready.status, body: ready.body }).toEqual({ status: 200, body });
  });
});
