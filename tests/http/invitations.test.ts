/** How people join a property: by a link that works once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import type { Role } from '../../src/contract/schema.ts';
import { loadConfig } from '../../src/server/config.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, PASSWORD, type Person, startServer, type TestServer } from '../support/server.ts';
import { counts, everything } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const DAY_MS = 86_400_000;
const config = loadConfig({ NODE_ENV: 'test', PUBLIC_URL: 'https://electric.example.com/' });

describe.each(ENGINES)('invitations on %s', (engine) => {
  let server: TestServer;
  let now_ms: number;
  let owner: Person;
  let anna: Person;
  let bo: Person;
  const crowd: Person[] = [];
  let house: House;
  let users: string;
  let invitations: string;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms, config });
    now_ms = Date.parse(NOW);
    [owner, anna, bo] = [await server.newPerson(), await server.newPerson(), await server.newPerson()];
    for (let i = 0; i < 20; i++) crowd.push(await server.newPerson());
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
  const accept = (token: string, by: Person) => as(by, 'POST', `/api/invitations/${token}/accept`);
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

  test('a link that says what it is to, and lets one person in', async () => {
    const flat = await house.submeter('flat');
    const email = 'new@example.com';
    const { status, body } = await invite({ email, role: 'tenant', meter_ids: [flat], expires_in_days: 3 });
    const shown = {
      id: expect.any(Number),
      property_id: house.property_id,
      email,
      role: 'tenant',
      meter_ids: [flat],
      invited_by_user_id: owner.id,
      created_at: NOW,
      expires_at: '2026-06-18T12:00:00Z',
    };
    const { token, link } = body;
    expect({ status, body }).toEqual({
      status: 201,
      body: { ...shown, token: expect.stringMatching(/^[\w-]{43}$/), link },
    });
    expect(link).toBe(`https://electric.example.com/invitations/${token}`);
    expect(JSON.stringify(await everything(server.db))).not.toContain(token);
    expect((await as(owner, 'GET', invitations)).body).toEqual({
      items: [shown],
      total: 1,
      limit: 100,
      offset: 0,
    });
    expect((await server.call('GET', `/api/invitations/${token}`)).body).toEqual({
      property_name: 'Villa Volt',
      role: 'tenant',
      invited_by: owner.username,
      expires_at: '2026-06-18T12:00:00Z',
    });
    const accepted = await accept(token, anna);
    const member = { user_id: anna.id, username: anna.username, role: 'tenant' };
    expect({ status: accepted.status, body: accepted.body }).toEqual({
      status: 201,
      body: { ...member, meter_ids: [flat], since: NOW },
    });
    expect((await as(anna, 'GET', `/api/meters/${flat}`)).status).toBe(200);
    expect((await as(owner, 'GET', invitations)).body.total).toBe(0);
    expectProblem(await accept(token, bo), 'invitation_used');
    expectProblem(await server.call('GET', `/api/invitations/${token}`), 'invitation_used');
    expectProblem(await as(owner, 'DELETE', `${invitations}/${body.id}`), 'not_found');
  });

  test('without PUBLIC_URL the link is a path; without a number of days it lasts seven', async () => {
    const bare = await startServer(engine);
    const { client } = await bare.newPerson();
    const { id: property_id } = await client.createProperty({ body: { display_name: 'x' } });
    const { link, token, created_at, expires_at } = await client.createInvitation({
      property_id,
      body: { role: 'reader' },
    });
    expect(link).toBe(`/invitations/${token}`);
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(7 * DAY_MS);
    await bare.close();
  });

  test.each([0, 31, 1.5, '3'])('expires_in_days %s: 422', async (expires_in_days) => {
    const errors = ['expires_in_days'];
    expectProblem(await invite({ role: 'reader', expires_in_days }), 'validation_failed', { errors });
  });

  test('twenty accept at once: one gets in', async () => {
    const { token } = (await invite({ role: 'reader' })).body;
    const answers = await Promise.all(crowd.map((person) => accept(token, person)));
    expect(tally(answers)).toEqual([...Array(19).fill('invitation_used'), 'success']);
    expect(Object.keys(await roles()).length).toBe(2);
  });

  test('one accepts twenty times at once: once a member', async () => {
    const { token } = (await invite({ role: 'reader' })).body;
    const answers = await Promise.all(crowd.map(() => accept(token, bo)));
    expect(tally(answers)).toEqual([...Array(19).fill('invitation_used'), 'success']);
  });

  test('it ends when it expires, to the millisecond', async () => {
    const { token } = (await invite({ role: 'reader', expires_in_days: 1 })).body;
    const { expires_at } = (await server.call('GET', `/api/invitations/${token}`)).body;
    now_ms = Date.parse(expires_at);
    expectProblem(await server.call('GET', `/api/invitations/${token}`), 'invitation_expired');
    const { client } = await signInAgain(anna);
    await expect(client.acceptInvitation({ token })).rejects.toThrow(/has expired/);
    now_ms -= 1;
    expect((await client.acceptInvitation({ token })).role).toBe('reader');
  });
  /** Access tokens expire before invitations do. */
  async function signInAgain({ username }: Person): Promise<Person> {
    const { access_token } = await server.anonymous.login({
      body: { username, password: PASSWORD },
    });
    return { ...anna, client: createClient({ origin: server.origin, token: () => access_token }) };
  }

  test('expired ones are not listed', async () => {
    await invite({ role: 'reader', expires_in_days: 1 });
    const { id } = (await invite({ role: 'reader', expires_in_days: 2 })).body;
    now_ms += DAY_MS;
    const { access_token } = await server.anonymous.login({
      body: { username: owner.username, password: PASSWORD },
    });
    const { body } = await server.call('GET', invitations, { token: access_token });
    expect(body.items.map((each: { id: number }) => each.id)).toEqual([id]);
    expect(body.total).toBe(1);
  });

  test('revoked: it can be neither seen, accepted nor revoked again', async () => {
    const { id, token } = (await invite({ role: 'reader' })).body;
    expect((await as(owner, 'DELETE', `${invitations}/${id}`)).status).toBe(204);
    expectProblem(await server.call('GET', `/api/invitations/${token}`), 'invitation_revoked');
    expectProblem(await accept(token, anna), 'invitation_revoked');
    expectProblem(await as(owner, 'DELETE', `${invitations}/${id}`), 'not_found');
    expect((await as(owner, 'GET', invitations)).body.total).toBe(0);
  });

  test('a token that nobody was given: 404', async () => {
    for (const token of ['x', 'A'.repeat(43)]) {
      expectProblem(await server.call('GET', `/api/invitations/${token}`), 'not_found');
      expectProblem(await accept(token, anna), 'not_found');
    }
  });

  test('a member stays what they are, and the invitation is left for somebody else', async () => {
    const { token } = (await invite({ role: 'reader' })).body;
    const higher = (await invite({ role: 'owner' })).body;
    await join(house, anna, 'editor');
    const before = await counts(server.db);
    expectProblem(await accept(token, anna), 'already_member');
    expectProblem(await accept(higher.token, anna), 'already_member');
    expectProblem(await accept(token, owner), 'already_member');
    expect(await roles()).toMatchObject({ [owner.id]: 'owner', [anna.id]: 'editor' });
    expect(await counts(server.db)).toEqual(before);
    expect((await accept(token, bo)).status).toBe(201);
  });

  test.each(['demoted', 'removed', 'gone', 'a reader, says the database'] as const)(
    'of an owner who was %s: void, also when they become owner again',
    async (how) => {
      await join(house, anna, 'owner');
      const { token } = (await invite({ role: 'owner' }, anna)).body;
      const of_owner = (await invite({ role: 'reader' })).body;
      if (how === 'demoted') await as(owner, 'POST', `${users}/${anna.id}`, { role: 'editor' });
      if (how === 'removed') await as(owner, 'DELETE', `${users}/${anna.id}`);
      // However a membership ends, for example with an account.
      if (how === 'gone')
        await server.db.write((tx) =>
          tx
            .deleteFrom('memberships')
            .where('user_id', '=', anna.id)
            .where('property_id', '=', house.property_id)
            .execute(),
        );
      if (how === 'a reader, says the database')
        await server.db.write((tx) =>
          tx
            .updateTable('memberships')
            .set({ role: 'reader' })
            .where('user_id', '=', anna.id)
            .where('property_id', '=', house.property_id)
            .execute(),
        );
      expectProblem(await server.call('GET', `/api/invitations/${token}`), 'invitation_revoked');
      expectProblem(await accept(token, bo), 'invitation_revoked');
      expect((await as(owner, 'GET', invitations)).body.items).toMatchObject([{ id: of_owner.id }]);
      if (how === 'demoted') {
        await as(owner, 'POST', `${users}/${anna.id}`, { role: 'owner' });
        expectProblem(await accept(token, bo), 'invitation_revoked');
      }
      expect((await accept(of_owner.token, bo)).status).toBe(201);
    },
  );

  test('accepted or revoked, at once: one of the two', async () => {
    for (let round = 0; round < 8; round++) {
      const { id, token } = (await invite({ role: 'reader' })).body;
      const guest = crowd[round]!;
      const [entered, revoked] = await Promise.all([
        accept(token, guest),
        as(owner, 'DELETE', `${invitations}/${id}`),
      ]);
      const is_member = (await roles())[guest.id] !== undefined;
      expect([entered!.status === 201, revoked!.status === 204]).toEqual([is_member, !is_member]);
    }
  });

  test('is accepted by clients that name a content type also where they send nothing', async () => {
    const house = await newHouse(server);
    const { body } = await house.post(`/api/properties/${house.property_id}/invitations`, { role: 'reader' });
    const { token } = await server.newPerson();
    const headers = { 'content-type': 'application/json' };
    const path = `/api/invitations/${body.token}/accept`;
    expect((await server.call('POST', path, { token, headers })).status).toBe(201);
    const leave = `/api/properties/${house.property_id}/users/${(await server.call('GET', '/api/users/me', { token })).body.id}`;
    expect((await server.call('DELETE', leave, { token, headers })).status).toBe(204);
    // A call that takes a body still wants one.
    expect((await server.call('POST', '/api/properties', { token, headers })).status).toBe(400);
  });
});
