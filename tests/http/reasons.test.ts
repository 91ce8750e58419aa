/** Who corrects or takes back what was recorded says why; the ledger keeps it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('reasons on %s', (engine) => {
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server);
  });

  /** Every call that corrects something or takes it back, with what it is about. */
  async function calls() {
    const reading_id = await house.given(house.main_id, day(1), '100');
    const { body: device } = await house.post(`/api/meters/${house.main_id}/replacements`, {
      ...{ replaced_at: day(2), final_value: '110', initial_value: '0' },
    });
    const { batch_id } = (await house.get(`/api/readings/${reading_id}`)).body;
    const meter = `/api/meters/${house.main_id}`;
    return [
      ['PATCH', `/api/readings/${reading_id}`, { value: '101' }],
      ['DELETE', `/api/readings/${reading_id}`, null],
      ['PATCH', `${meter}/devices/${device.id}`, { digits: 5 }],
      ['DELETE', `${meter}/replacements/${device.id}`, null],
      ['POST', `/api/properties/${house.property_id}/ledger/${batch_id}/undo`, {}],
    ] as const;
  }
  const { stringify } = JSON;
  const send = (method: string, path: string, body: object | null, reason?: string) => {
    const { token } = house.owner;
    if (body) return server.call(method, path, { token, body: { ...body, reason } });
    return server.call(method, reason === undefined ? path : `${path}?${new URLSearchParams({ reason })}`, {
      token,
    });
  };

  test('is missing, empty or no text: 422 that names it and shows the form, and nothing is written', async () => {
    for (const [method, path, body] of await calls()) {
      const before = await counts(server.db);
      // A plain DELETE of a reading is a call that every client knows.
      const plain = method === 'DELETE' && path.startsWith('/api/readings') ? [] : [undefined];
      for (const reason of [...plain, '', '  ', 'a\u0000b', 'x'.repeat(501)]) {
        const answer = await send(method, path, body, reason);
        expectProblem(answer, 'validation_failed', { errors: ['reason'] });
        const form = body ? 'for example "misread"' : 'add ?reason=misread to the address';
        if (reason === undefined) expect(answer.body.errors[0].message).toContain(form);
      }
      expect(await counts(server.db), `${method} ${path} ${stringify(body)}`).toEqual(before);
    }
  });

  test('is kept, tidied, with every entry of the change', async () => {
    for (const at of [0, 1, 2, 3, 4]) {
      house = await newHouse(server, { owner: house.owner });
      const [method, path, body] = (await calls())[at]!;
      expect((await send(method, path, body, ' read\nagain ')).status).toBeLessThan(300);
      const reasons = await server.db.read
        .selectFrom('ledger_entries')
        .select('reason')
        .where('property_id', '=', house.property_id)
        .where('supersedes_id', 'is not', null)
        .execute();
      expect(reasons).toEqual([{ reason: 'read\nagain' }]);
    }
  });

  test('may be left out where the call itself says why', async () => {
    const { main_id } = house;
    expect((await house.post(`/api/meters/${main_id}/devices`, { digits: 6 })).status).toBe(201);
    for (const [i, value] of ['0', '1', '2', '3', '9000', '100'].entries())
      await house.given(main_id, day(i + 1), value);
    const { items } = (await house.get(`/api/readings/meter/${main_id}/history`)).body;
    const [down, jump] = items;
    expect((await house.post(`/api/readings/${jump.id}/confirm`, {})).status).toBe(201);
    expect((await house.post(`/api/readings/${down.id}/rollover`, {})).status).toBe(201);
    expect((await send('DELETE', `/api/readings/${down.id}`, null)).status).toBe(409);
    const last = await house.given(main_id, day(8), '100');
    expect((await send('DELETE', `/api/readings/${last}`, null)).status).toBe(204);
    const replaced = { replaced_at: day(9), final_value: '100', initial_value: '0' };
    expect((await house.post(`/api/meters/${main_id}/replacements`, replaced)).status).toBe(201);
  });
});
