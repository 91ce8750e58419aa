/** Who belongs to a property: roles that change, and people who leave. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Role } from '../../src/contract/schema.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, type Person, startServer, type TestServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';

describe.each(ENGINES)('people on %s', (engine) => {
  let server: TestServer;
  let now_ms: number;
  let owner: Person;
  let anna: Person;
  let bo: Person;
  let house: House;
  let users: string;
  let invitations: string;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms });
    now_ms = Date.parse(NOW);
    [owner, anna, bo] = [await server.newPerson(), await server.newPerson(), await server.newPerson()];
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    now_ms = Date.parse(NOW);
    // Tokens last half an hour; the clock is wound back, so they are good again.
    house = await newHouse(server, { owner });
    users = `/api/properties/${house.property_id}/users`;
    invitations = `/api/properties/${house.property_id}/invitations`;
  });

  const as = (person: Person, method: string, path: string, body?: unknown) =>
    server.call(method, path, { token: person.token, body });
  const invite = (body: object, by = owner) => as(by, 'POST', invitations, body);
  const roles = async (): Promise<Record<string, Role>> => {
    const rows = await server.db.read
      .selectFrom('memberships')
      .selectAll()
      .where('property_id', '=', house.property_id)
      .execute();
    return Object.fromEntries(rows.map(({ user_id, role }) => [user_id, role as Role]));
  };
  const tally = (answers: CallResult[]) =>
    answers.map(({ status, body }) => (status < 300 ? 'success' : body.code)).sort();

  test('are listed with role, meters and since when', async () => {
    const flat = await house.submeter('flat');
    const shop = await house.submeter('shop');
    now_ms += 1000;
    await join(house, anna, 'tenant', [shop, flat]);
    now_ms += 1000;
    await join(house, bo, 'editor');
    const { status, body } = await as(owner, 'GET', users);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        items: [
          { user_id: owner.id, username: owner.username, role: 'owner', meter_ids: null, since: NOW },
          {
            user_id: anna.id,
            username: anna.username,
            role: 'tenant',
            meter_ids: [flat, shop],
            since: '2026-06-15T12:00:01Z',
          },
          {
            user_id: bo.id,
            username: bo.username,
            role: 'editor',
            meter_ids: null,
            since: '2026-06-15T12:00:02Z',
          },
        ],
        total: 3,
        limit: 100,
        offset: 0,
      },
    });
    const page = await as(owner, 'GET', `${users}?limit=1&offset=1`);
    expect(page.body).toMatchObject({ items: [{ user_id: anna.id }], total: 3, limit: 1, offset: 1 });
  });

  test('a changed role holds from the next request on, and keeps when the member joined', async () => {
    const flat = await house.submeter('flat');
    await join(house, anna, 'reader');
    now_ms += 60_000;
    const rename = () => as(anna, 'PATCH', `/api/meters/${flat}`, { location: 'cellar' });
    expectProblem(await rename(), 'role_too_low');
    const { status, body } = await as(owner, 'POST', `${users}/${anna.id}`, { role: 'editor' });
    const member = { user_id: anna.id, username: anna.username, since: NOW };
    expect({ status, body }).toEqual({ status: 200, body: { ...member, role: 'editor', meter_ids: null } });
    expect((await rename()).status).toBe(200);
    const tenant = await as(owner, 'POST', `${users}/${anna.id}`, { role: 'tenant', meter_ids: [flat] });
    expect(tenant.body).toEqual({ ...member, role: 'tenant', meter_ids: [flat] });
    expectProblem(await rename(), 'role_too_low');
    expect((await as(anna, 'GET', `/api/properties/${house.property_id}`)).body.role).toBe('tenant');
  });

  test('a role changed in one property leaves the other as it is', async () => {
    await join(house, anna, 'reader');
    const other = await newHouse(server, { owner });
    await join(other, anna, 'reader');
    await as(owner, 'POST', `${users}/${anna.id}`, { role: 'editor' });
    const role = async ({ property_id }: House) =>
      (await as(anna, 'GET', `/api/properties/${property_id}`)).body.role;
    expect([await role(house), await role(other)]).toEqual(['editor', 'reader']);
  });

  test.each([
    ['a tenant without meters', { role: 'tenant' }, 'meter_ids'],
    ['a tenant of no meter', { role: 'tenant', meter_ids: [] }, 'meter_ids'],
    ['a meter twice', { role: 'tenant', meter_ids: [1, 1] }, 'meter_ids'],
    ['a meter that does not exist', { role: 'tenant', meter_ids: [999_999] }, 'meter_ids.0'],
    ['meters for a reader', { role: 'reader', meter_ids: [1] }, 'meter_ids'],
    ['meters for an owner', { role: 'owner', meter_ids: [1] }, 'meter_ids'],
    ['an unknown role', { role: 'admin' }, 'role'],
    ['no role', {}, 'role'],
  ])('%s: 422 that names the field, for a member and in an invitation', async (_, body, path) => {
    await join(house, anna, 'reader');
    const before = await everything(server.db);
    expectProblem(await as(owner, 'POST', `${users}/${anna.id}`, body), 'validation_failed', {
      errors: [path],
    });
    expectProblem(await invite(body), 'validation_failed', { errors: [path] });
    expect(await everything(server.db)).toEqual(before);
  });

  test('a user whose id is known is made a member; nobody is removed who is none', async () => {
    const told = [];
    for (const id of [bo.id, 999_999]) {
      const answer = await as(owner, 'DELETE', `${users}/${id}`);
      expectProblem(answer, 'not_found');
      told.push(answer.body.detail);
    }
    expect(new Set(told).size).toBe(1);
    expectProblem(await as(owner, 'POST', `${users}/999999`, { role: 'reader' }), 'not_found');
    const { status, body } = await as(owner, 'POST', `${users}/${bo.id}`, { role: 'reader' });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        user_id: bo.id,
        username: bo.username,
        role: 'reader',
        meter_ids: null,
        since: expect.any(String),
      },
    });
    expect((await as(bo, 'GET', `/api/properties/${house.property_id}`)).status).toBe(200);
    expect((await as(owner, 'POST', `${users}/${bo.id}`, { role: 'editor' })).status).toBe(200);
  });

  test('everybody may leave; nobody but an owner removes others', async () => {
    const flat = await house.submeter('flat');
    await join(house, anna, 'editor');
    await join(house, bo, 'tenant', [flat]);
    expectProblem(await as(anna, 'DELETE', `${users}/${bo.id}`), 'role_too_low');
    expectProblem(await as(bo, 'DELETE', `${users}/${anna.id}`), 'role_too_low');
    expectProblem(await as(bo, 'DELETE', `${users}/999999`), 'role_too_low');
    expect((await as(bo, 'DELETE', `${users}/${bo.id}`)).status).toBe(204);
    expectProblem(await as(bo, 'GET', `/api/meters/${flat}`), 'forbidden');
    expect((await as(owner, 'DELETE', `${users}/${anna.id}`)).status).toBe(204);
    expect(await roles()).toEqual({ [owner.id]: 'owner' });
  });

  test('what a removed member recorded stays, and they may come back', async () => {
    await join(house, anna, 'reader');
    const at = '2026-01-01T00:00:00Z';
    const body = { meter_id: house.main_id, reading_timestamp: at, value: '5' };
    const { id } = (await as(anna, 'POST', '/api/readings', body)).body;
    await as(owner, 'DELETE', `${users}/${anna.id}`);
    expect((await house.get(`/api/readings/${id}`)).body.recorded_by_user_id).toBe(anna.id);
    expectProblem(await as(anna, 'DELETE', `/api/readings/${id}`), 'forbidden');
    await join(house, anna, 'reader');
    expect((await as(anna, 'DELETE', `/api/readings/${id}`)).status).toBe(204);
  });

  test('the last owner is not removed, not demoted and does not leave', async () => {
    await join(house, anna, 'editor');
    const before = await everything(server.db);
    expectProblem(await as(owner, 'DELETE', `${users}/${owner.id}`), 'last_owner');
    expectProblem(await as(owner, 'POST', `${users}/${owner.id}`, { role: 'editor' }), 'last_owner');
    expect(await everything(server.db)).toEqual(before);
    expect((await as(owner, 'POST', `${users}/${owner.id}`, { role: 'owner' })).status).toBe(200);
    await as(owner, 'POST', `${users}/${anna.id}`, { role: 'owner' });
    expect((await as(owner, 'DELETE', `${users}/${owner.id}`)).status).toBe(204);
    expectProblem(await as(anna, 'DELETE', `${users}/${anna.id}`), 'last_owner');
  });

  test('two owners who demote each other, or both leave, at once: one stays', async () => {
    for (let round = 0; round < 8; round++) {
      house = await newHouse(server, { owner });
      users = `/api/properties/${house.property_id}/users`;
      invitations = `/api/properties/${house.property_id}/invitations`;
      await join(house, anna, 'owner');
      const demote = { role: 'reader' };
      const answers = await Promise.all(
        round % 2
          ? [
              as(owner, 'POST', `${users}/${anna.id}`, demote),
              as(anna, 'POST', `${users}/${owner.id}`, demote),
            ]
          : [as(owner, 'DELETE', `${users}/${owner.id}`), as(anna, 'DELETE', `${users}/${anna.id}`)],
      );
      expect(tally(answers)).toEqual(round % 2 ? ['role_too_low', 'success'] : ['last_owner', 'success']);
      expect(Object.values(await roles()).filter((role) => role === 'owner').length).toBe(1);
    }
  });

  test('a removal among recordings: each is recorded before it or refused after it', async () => {
    await join(house, anna, 'reader');
    const record = (i: number) =>
      as(anna, 'POST', '/api/readings', {
        meter_id: house.main_id,
        reading_timestamp: new Date(now_ms - i * 60_000).toISOString(),
        value: '5',
      });
    const sent = Array.from({ length: 20 }, (_, i) => record(i + 1));
    const removed = await as(owner, 'DELETE', `${users}/${anna.id}`);
    const after = await record(21);
    expect(removed.status).toBe(204);
    expectProblem(after, 'forbidden');
    const answers = await Promise.all(sent);
    const recorded = answers.filter(({ status }) => status === 201);
    expect(recorded.length + answers.filter(({ body }) => body.code === 'forbidden').length).toBe(20);
    const { body } = await house.get(`/api/readings/meter/${house.main_id}/history`);
    expect(body.total).toBe(recorded.length);
  });
});
