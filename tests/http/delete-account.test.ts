/** Leaving: what goes with the user, and what stays. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApiKey } from '../../src/server/keys/actions.ts';
import { acceptInvitation } from '../../src/server/people/actions.ts';
import { createProperty } from '../../src/server/properties/actions.ts';
import { deleteMe, getMe, updateMe } from '../../src/server/users/actions.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { GUARDED, PASSWORD, type Person, startServer, type TestServer } from '../support/server.ts';
import { counts, everything } from '../support/tables.ts';
import { standalone } from '../support/verifier.ts';

describe.each(ENGINES)('a deleted account on %s', (engine) => {
  let server: TestServer;
  let anna: Person;
  let bo: Person;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine, GUARDED);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    anna = await server.newPerson();
    bo = await server.newPerson();
    house = await newHouse(server, { owner: bo });
  });

  const leave = (who: Person, password: unknown = PASSWORD, headers = {}) =>
    server.call('DELETE', '/api/users/me', { token: who.token, body: { password }, headers });
  const login = (username: string) =>
    server.call('POST', '/api/auth/login', { body: { username, password: PASSWORD } });

  test('takes everything personal along, and what was recorded stays', async () => {
    const { property_id, main_id } = house;
    await join(house, anna, 'owner');
    const { body: sent } = await server.call('POST', `/api/properties/${property_id}/invitations`, {
      token: anna.token,
      body: { role: 'reader' },
    });
    const reading = { meter_id: main_id, reading_timestamp: '2026-01-01T00:00:00Z', value: '1' };
    const key = await anna.client.createApiKey({
      body: { name: 'cellar canary', scopes: ['readings:write'] },
    });
    await server.call('PATCH', '/api/users/me', {
      token: anna.token,
      body: {
        display_name: 'Canary Name',
        phone_number: '+46701234567',
        locale: 'tlh',
        timezone: 'Antarctica/Troll',
        default_property_id: property_id,
        default_meter_id: main_id,
      },
    });
    const { body: recorded } = await server.call('POST', '/api/readings', {
      token: key.secret,
      body: reading,
      headers: { 'idempotency-key': 'k' },
    });
    const proof = () => house.get(`/api/properties/${property_id}/ledger/export`);
    const { body: before } = await proof();

    const answer = await leave(anna);
    expect([answer.status, answer.body]).toEqual([204, '']);

    // The tokens stop at once.
    for (const token of [anna.token, key.secret])
      expectProblem(await server.call('GET', '/api/properties', { token }), 'not_authenticated');
    expectProblem(await login(anna.username), 'invalid_credentials');
    for (const name of [`FORMER USER ${anna.id}`, `former user ${anna.id}`, 'former user', ''])
      expect((await login(name)).status).toBeGreaterThanOrEqual(401);
    expectProblem(
      await server.call('POST', `/api/invitations/${sent.token}/accept`, {
        token: (await server.newPerson()).token,
      }),
      'invitation_revoked',
    );
    const { body: members } = await house.get(`/api/properties/${property_id}/users`);
    expect(members.items.map(({ user_id }: { user_id: number }) => user_id)).toEqual([bo.id]);
    // Nobody can make a member of who is no more.
    expectProblem(
      await house.post(`/api/properties/${property_id}/users/${anna.id}`, { role: 'reader' }),
      'not_found',
    );

    // The ledger is, byte by byte, what it was; only the names are gone.
    expect((await proof()).body).toBe(before);
    expect((await standalone(before)).code).toBe(0);
    const { body: batches } = await house.get(`/api/properties/${property_id}/ledger`);
    expect(batches.items[0]).toMatchObject({
      recorded_by_user_id: anna.id,
      recorded_by: 'former user',
      recorded_by_api_key_id: key.id,
      recorded_by_api_key: null,
    });
    const { body: trail } = await house.get(`/api/readings/${recorded.id}/revisions`);
    expect(trail.items[0]).toMatchObject({ recorded_by_user_id: anna.id, recorded_by: 'former user' });
    const stored = JSON.stringify(await everything(server.db));
    const personal = [
      `"${anna.username}"`,
      `${anna.username}@`,
      'anary',
      '467012',
      'tlh',
      'Troll',
      key.prefix,
    ];
    expect(personal.filter((text) => stored.includes(text))).toEqual([]);

    // Username and email address are free again, and whoever takes them is somebody else.
    const body = { username: anna.username, email: `${anna.username}@example.com`, password: PASSWORD };
    const again = await server.call('POST', '/api/auth/register', { body });
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(anna.id);
    const { access_token } = (await login(anna.username)).body;
    const { body: mine } = await server.call('GET', '/api/properties', { token: access_token });
    expect(mine.total).toBe(0);
  });

  test('a second one is no obstacle to a third', async () => {
    for (const who of [anna, bo, await server.newPerson()]) expect((await leave(who)).status).toBe(204);
  });

  test('takes the password, and guesses are counted', async () => {
    const before = await everything(server.db);
    expectProblem(await leave(anna, 'not the sentence at all'), 'wrong_password');
    expectProblem(await leave(anna, ''), 'validation_failed', { errors: ['password'] });
    expectProblem(await leave(anna, null), 'validation_failed', { errors: ['password'] });
    expectProblem(await server.call('DELETE', '/api/users/me', { token: anna.token }), 'invalid_request');
    for (let i = 0; i < 4; i++) expectProblem(await leave(anna, 'another guess at it'), 'wrong_password');
    expectProblem(await leave(anna), 'too_many_attempts');
    expect({ ...(await everything(server.db)), failed_attempts: [] }).toEqual({
      ...before,
      failed_attempts: [],
    });
  });

  test('is refused to the last owner of what others live in, who are named', async () => {
    const second = await newHouse(server, { owner: bo });
    await join(house, anna, 'editor');
    await bo.client.updateProperty({ property_id: house.property_id, body: { display_name: 'Linden 4' } });
    const before = await counts(server.db);
    const refusal = await leave(bo);
    expectProblem(refusal, 'last_owner');
    expect(refusal.body.detail).toContain(`Linden 4 (${house.property_id})`);
    expect(refusal.body.detail).not.toContain(`(${second.property_id})`);
    expect(await counts(server.db)).toEqual(before);
    expect((await second.get(`/api/properties/${second.property_id}`)).body.is_active).toBe(true);
    // A property that is not active has members all the same.
    await house.retire('properties', house.property_id);
    expectProblem(await leave(bo), 'last_owner');
    const params = { property_id: house.property_id, user_id: anna.id };
    await bo.client.setMember({ ...params, body: { role: 'owner' } });
    expect((await leave(bo)).status).toBe(204);
  });

  test('deactivates what nobody else is a member of, and nothing else', async () => {
    const shared = await newHouse(server, { owner: anna });
    await join(house, anna, 'owner');
    await join(shared, bo, 'owner');
    const alone = await newHouse(server, { owner: anna });
    expect((await leave(anna)).status).toBe(204);
    const rows = await server.db.read.selectFrom('properties').select(['id', 'is_active']).execute();
    const active = new Map(rows.map(({ id, is_active }) => [id, is_active]));
    expect([alone, shared, house].map(({ property_id }) => active.get(property_id))).toEqual([0, 1, 1]);
  });

  test('goes only if it is the version that was seen', async () => {
    expectProblem(await leave(anna, PASSWORD, { 'if-match': '"other"' }), 'precondition_failed');
    const { headers } = await server.call('GET', '/api/users/me', { token: anna.token });
    expect((await leave(anna, PASSWORD, { 'if-match': headers.get('etag')! })).status).toBe(204);
  });

  test('a request that came in before, and is carried out after, does nothing', async () => {
    const { deps } = server;
    const { token } = await bo.client.createInvitation({
      property_id: house.property_id,
      body: { role: 'owner' },
    });
    const caller = { user_id: anna.id, session: null, api_key: null };
    expect((await leave(anna)).status).toBe(204);
    const before = await counts(server.db);
    for (const late of [
      () => acceptInvitation(deps, caller, token),
      () => createProperty(deps, caller, { display_name: 'late' }),
      () => createApiKey(deps, caller, { name: 'late', scopes: ['read'] }),
      () => updateMe(deps, caller, { display_name: 'Canary' }),
      () => getMe(deps, caller),
      () => deleteMe(deps, caller, PASSWORD, new AbortController().signal),
    ])
      await expect(late()).rejects.toMatchObject({ code: 'not_authenticated' });
    expect(await counts(server.db)).toEqual(before);
    const row = await server.db.read
      .selectFrom('users')
      .select('display_name')
      .where('id', '=', anna.id)
      .executeTakeFirst();
    expect(row).toEqual({ display_name: null });
  });

  test('whoever joins or founds meanwhile either stays or never came', async () => {
    for (let round = 0; round < 8; round++) {
      const who = await server.newPerson();
      const { token } = await bo.client.createInvitation({
        property_id: house.property_id,
        body: { role: 'owner' },
      });
      const key = { name: 'late', scopes: ['read'] };
      const answers = await Promise.all([
        leave(who),
        server.call('POST', `/api/invitations/${token}/accept`, { token: who.token }),
        server.call('POST', '/api/properties', { token: who.token, body: { display_name: 'late' } }),
        server.call('POST', '/api/users/me/api-keys', { token: who.token, body: key }),
        login(who.username),
      ]);
      expect(answers.map(({ status }) => status).filter((status) => status >= 500 && status !== 503)).toEqual(
        [],
      );
      if (answers[0]!.status !== 204) continue;
      const of = (table: 'memberships' | 'sessions') =>
        server.db.read.selectFrom(table).selectAll().where('user_id', '=', who.id).execute();
      expect(await of('memberships')).toEqual([]);
      expect(await of('sessions')).toEqual([]);
      const keys = await server.db.read
        .selectFrom('api_keys')
        .select('secret_hash')
        .where('user_id', '=', who.id)
        .execute();
      expect(keys.filter(({ secret_hash }) => secret_hash !== null)).toEqual([]);
    }
  });
});
