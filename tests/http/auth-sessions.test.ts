/** Sessions: where one is signed in, and that what has ended is refused at once. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { expectProblem } from '../support/problem.ts';
import { GUARDED, PASSWORD, startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-15T12:00:00Z';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Tokens {
  access_token: string;
  refresh_token: string;
}

describe.each(ENGINES)('sessions on %s', (engine) => {
  let server: TestServer;
  let now_ms = Date.parse(NOW);
  beforeAll(async () => {
    server = await startServer(engine, { ...GUARDED, clock: () => now_ms });
  });
  afterAll(() => server.close());

  const call = (method: string, path: string, token?: string, body?: object) =>
    server.call(method, `/api/auth/${path}`, { token, body });
  const refresh = (refresh_token: string) => call('POST', 'refresh', undefined, { refresh_token });
  async function signIn(username: string, agent = 'a test'): Promise<Tokens> {
    const { status, body } = await server.call('POST', '/api/auth/login', {
      body: { username, password: PASSWORD },
      headers: { 'user-agent': agent },
    });
    expect(status).toBe(200);
    return body;
  }
  const register = async (username: string) =>
    (
      await server.anonymous.register({
        body: { username, email: `${username}@example.com`, password: PASSWORD },
      })
    ).id;
  const sessions = async (token: string, search = '') => (await call('GET', `sessions${search}`, token)).body;
  const refused = async (token: string) =>
    expectProblem(await server.call('GET', '/api/users/me', { token }), 'not_authenticated');
  const taken = async (token: string) =>
    expect((await server.call('GET', '/api/users/me', { token })).status).toBe(200);

  test('are listed, the latest first, and say which one asks', async () => {
    await register('anna');
    await register('stranger');
    await signIn('stranger');
    const phone = await signIn('anna', `Phone/1 ${'x'.repeat(500)}`);
    now_ms += MINUTE_MS;
    const laptop = await signIn('anna', 'Laptop/2');
    now_ms += MINUTE_MS;
    expect((await refresh(phone.refresh_token)).status).toBe(200);
    const item = (at: [string, string], user_agent: string, current: boolean) => ({
      id: expect.stringMatching(/^[\w-]{36}$/),
      created_at: at[0],
      last_used_at: at[1],
      user_agent,
      current,
    });
    const items = [
      item(['2026-06-15T12:01:00Z', '2026-06-15T12:01:00Z'], 'Laptop/2', true),
      item([NOW, '2026-06-15T12:02:00Z'], `Phone/1 ${'x'.repeat(192)}`, false),
    ];
    expect(await sessions(laptop.access_token)).toEqual({ items, total: 2, limit: 100, offset: 0 });
    const second = await sessions(phone.access_token, '?limit=1&offset=1');
    expect(second).toEqual({ items: [{ ...items[1], current: true }], total: 2, limit: 1, offset: 1 });
    now_ms = Date.parse(NOW);
  });

  test('one is ended from another: its tokens are refused at once, the other goes on', async () => {
    await register('bertil');
    const [lost, here] = [await signIn('bertil'), await signIn('bertil')];
    const { items } = await sessions(here.access_token);
    const { id } = items.find(({ current }: { current: boolean }) => !current);
    await taken(lost.access_token);
    const answer = await call('DELETE', `sessions/${id}`, here.access_token);
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 204, body: '' });
    await refused(lost.access_token);
    expectProblem(await refresh(lost.refresh_token), 'not_authenticated');
    await taken(here.access_token);
    expect((await sessions(here.access_token)).total).toBe(1);
    expectProblem(await call('DELETE', `sessions/${id}`, here.access_token), 'not_found');
    // One's own as well.
    await call('DELETE', `sessions/${(await sessions(here.access_token)).items[0].id}`, here.access_token);
    await refused(here.access_token);
  });

  test("somebody else's cannot be ended", async () => {
    await register('cecilia');
    await register('thief');
    const [hers, thief] = [await signIn('cecilia'), await signIn('thief')];
    const { id } = (await sessions(hers.access_token)).items[0];
    expectProblem(await call('DELETE', `sessions/${id}`, thief.access_token), 'forbidden');
    await taken(hers.access_token);
  });

  test.each([['no body'], [{}]])('logout with %j ends the session on the server', async (body) => {
    const name = `david${Object.keys(body).length}`;
    await register(name);
    const [one, other] = [await signIn(name), await signIn(name)];
    const answer = await call(
      'POST',
      'logout',
      one.access_token,
      typeof body === 'string' ? undefined : body,
    );
    expect(answer.status).toBe(204);
    await refused(one.access_token);
    expectProblem(await refresh(one.refresh_token), 'not_authenticated');
    await taken(other.access_token);
  });

  test('a refreshed session takes its older access tokens along when it ends', async () => {
    await register('erik');
    const first = await signIn('erik');
    const { body: second } = await refresh(first.refresh_token);
    await taken(first.access_token);
    expectProblem(await refresh(first.refresh_token), 'not_authenticated');
    await refused(first.access_token);
    await refused(second.access_token);
  });

  test('refreshing twice at once with one token: whoever wins, a second use leaves nothing', async () => {
    const id = await register('frida');
    for (let round = 0; round < 8; round++) {
      const { access_token, refresh_token } = await signIn('frida');
      const answers = await Promise.all([refresh(refresh_token), refresh(refresh_token)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
      const winner = answers.find(({ status }) => status === 200)!.body;
      expectProblem(await refresh(winner.refresh_token), 'not_authenticated');
      for (const token of [access_token, winner.access_token]) await refused(token);
      const rows = server.db.read.selectFrom('sessions').selectAll().where('user_id', '=', id);
      expect(await rows.execute()).toEqual([]);
    }
    expect(
      await server.db.read
        .selectFrom('refresh_tokens as t')
        .leftJoin('sessions as s', 's.id', 't.session_id')
        .select('s.id')
        .where('s.id', 'is', null)
        .execute(),
    ).toEqual([]);
  });

  test('refreshing while the session is ended leaves no session and no token', async () => {
    await register('gunnar');
    for (let round = 0; round < 8; round++) {
      const { access_token, refresh_token } = await signIn('gunnar');
      const [next] = await Promise.all([refresh(refresh_token), call('POST', 'logout', access_token, {})]);
      await refused(access_token);
      if (next.status === 200) {
        await refused(next.body.access_token);
        expectProblem(await refresh(next.body.refresh_token), 'not_authenticated');
      }
    }
  });

  test('rights come from the database: a token whose user does not match its session is refused', async () => {
    const [hanna, ivan] = [await register('hanna'), await register('ivan')];
    const { access_token } = await signIn('hanna');
    const { session } = (await server.deps.accessTokens.verify(access_token))!;
    await taken(await server.deps.accessTokens.sign({ user_id: hanna, session }));
    await refused(await server.deps.accessTokens.sign({ user_id: ivan, session }));
    await refused(await server.deps.accessTokens.sign({ user_id: hanna, session: 'another' }));
  });

  test('expired ones are gone from the list, and swept a few at a time when somebody signs in', async () => {
    const id = await register('jonas');
    const expired = Array.from({ length: 150 }, (_, i) => ({
      id: `expired-${i}`,
      user_id: id,
      user_agent: null,
      created_at: now_ms - 31 * DAY_MS,
      last_used_at: now_ms - 31 * DAY_MS,
      expires_at: now_ms - i,
    }));
    await server.db.write((tx) => tx.insertInto('sessions').values(expired).execute());
    const left = async () =>
      (await server.db.read.selectFrom('sessions').selectAll().where('user_id', '=', id).execute()).length;
    const { access_token } = await signIn('jonas');
    expect(await left()).toBe(51);
    expect((await sessions(access_token)).total).toBe(1);
    await signIn('jonas');
    expect(await left()).toBe(2);
  });

  test('refresh tokens that were used long ago are forgotten, and end nothing any more', async () => {
    await register('karin');
    const start_ms = now_ms;
    const first = await signIn('karin');
    let current: Tokens = (await refresh(first.refresh_token)).body;
    now_ms += 20 * DAY_MS;
    current = (await refresh(current.refresh_token)).body;
    now_ms += 10 * DAY_MS;
    current = (await refresh(current.refresh_token)).body;
    expectProblem(await refresh(first.refresh_token), 'not_authenticated');
    await taken(current.access_token);
    const { session } = (await server.deps.accessTokens.verify(current.access_token))!;
    const tokens = await server.db.read
      .selectFrom('refresh_tokens')
      .selectAll()
      .where('session_id', '=', session)
      .execute();
    const hashes = tokens.map(({ token_hash }) => token_hash);
    expect(hashes).toContain(createHash('sha256').update(current.refresh_token).digest('hex'));
    // Used at 0 and at 0 + 20 days: the first is thirty days old by now.
    expect(hashes.length).toBe(3);
    now_ms = start_ms;
  });
});
