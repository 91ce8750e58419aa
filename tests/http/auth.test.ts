/** Accounts and sessions. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { expectProblem } from '../support/problem.ts';
import { PASSWORD, startServer, type TestServer } from '../support/server.ts';
import { counts, everything } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const DAY_MS = 86_400_000;

describe.each(ENGINES)('accounts on %s', (engine) => {
  let server: TestServer;
  let now_ms = Date.parse(NOW);
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms });
  });
  afterAll(() => server.close());

  const post = (path: string, body: object, token?: string) =>
    server.call('POST', `/api/auth/${path}`, { body, token });
  const register = (username: string, more: object = {}) =>
    post('register', { username, email: `${username}@example.com`, password: PASSWORD, ...more });
  async function signIn(username: string) {
    const { status, body } = await post('login', { username, password: PASSWORD });
    expect(status).toBe(200);
    return body as { access_token: string; refresh_token: string };
  }

  test('register, sign in, who am I', async () => {
    const created = await register('Åsa.Öberg-1');
    const user = {
      id: expect.any(Number),
      username: 'Åsa.Öberg-1',
      email: 'Åsa.Öberg-1@example.com',
      created_at: NOW,
    };
    expect({ status: created.status, body: created.body }).toEqual({ status: 201, body: user });
    const { body: tokens } = await post('login', { username: 'Åsa.Öberg-1', password: PASSWORD });
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: 'bearer',
      expires_in: 1800,
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
    });
    const me = await server.call('GET', '/api/users/me', { token: tokens.access_token });
    expect({ status: me.status, body: me.body }).toMatchObject({ status: 200, body: created.body });
  });

  test.each([
    ['upper case', 'ÄNNA', 'username'],
    ['an email address', 'änna@example.com', 'email'],
    ['an email address in upper case', 'ÄNNA@EXAMPLE.COM', 'email'],
  ])('%s serves to sign in', async (_, username) => {
    await register('änna');
    expect((await post('login', { username, password: PASSWORD })).status).toBe(200);
  });

  test('a taken username or email address, in whatever case: 409, and nothing is written', async () => {
    await register('bo1');
    const before = await counts(server.db);
    expectProblem(await register('bo1', { email: 'new@example.com' }), 'username_taken');
    expectProblem(await register('BO1', { email: 'new@example.com' }), 'username_taken');
    expectProblem(await register('bo2', { email: 'bo1@example.com' }), 'email_taken');
    expectProblem(await register('bo2', { email: 'Bo1@Example.COM' }), 'email_taken');
    expect(await counts(server.db)).toEqual(before);
  });

  test('an unknown user and a wrong password get the same bytes', async () => {
    await register('cecilia');
    const attempt = async (username: string) => {
      const response = await fetch(`${server.origin}/api/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'same' },
        body: JSON.stringify({ username, password: 'not the sentence at all' }),
      });
      const { date: _, ...headers } = Object.fromEntries(response.headers);
      return { status: response.status, headers, text: await response.text() };
    };
    const wrong = await attempt('cecilia');
    expect(wrong.status).toBe(401);
    expect(JSON.parse(wrong.text)).toMatchObject({ code: 'invalid_credentials', request_id: 'same' });
    expect(wrong.headers['www-authenticate']).toBe('Bearer');
    expect(await attempt('nobody')).toEqual(wrong);
    expect(await attempt('nobody@example.com')).toEqual(wrong);
  });

  test('refresh rotates, and a reused refresh token ends the whole session', async () => {
    await register('david');
    const first = await signIn('david');
    const elsewhere = await signIn('david');
    const { status, body: second } = await post('refresh', { refresh_token: first.refresh_token });
    expect(status).toBe(200);
    expect(second).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 1800,
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await server.call('GET', '/api/users/me', { token: second.access_token })).status).toBe(200);
    const third = await post('refresh', { refresh_token: second.refresh_token });
    expect(third.status).toBe(200);

    expectProblem(await post('refresh', { refresh_token: first.refresh_token }), 'not_authenticated');
    expectProblem(await post('refresh', { refresh_token: third.body.refresh_token }), 'not_authenticated');
    // Another sign-in of the same person is another family.
    expect((await post('refresh', { refresh_token: elsewhere.refresh_token })).status).toBe(200);
  });

  test('parallel refreshes with one token: at most one succeeds', async () => {
    await register('erik');
    for (let round = 0; round < 5; round++) {
      const { refresh_token } = await signIn('erik');
      const answers = await Promise.all(Array.from({ length: 4 }, () => post('refresh', { refresh_token })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    }
  });

  test('a stolen token that is used while its owner refreshes ends the family all the same', async () => {
    const { body: user } = await register('frida');
    for (let round = 0; round < 10; round++) {
      const { refresh_token: stolen } = await signIn('frida');
      const { body: current } = await post('refresh', { refresh_token: stolen });
      await Promise.all([
        post('refresh', { refresh_token: current.refresh_token }),
        post('refresh', { refresh_token: stolen }),
      ]);
      const sessions = await server.db.read
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', user.id)
        .execute();
      expect(sessions).toEqual([]);
    }
  });

  test('a refresh token lasts thirty days', async () => {
    await register('greta');
    const [old, older] = [await signIn('greta'), await signIn('greta')];
    now_ms += 30 * DAY_MS - 1000;
    expect((await post('refresh', { refresh_token: old.refresh_token })).status).toBe(200);
    now_ms += 1000;
    expectProblem(await post('refresh', { refresh_token: older.refresh_token }), 'not_authenticated');
    now_ms = Date.parse(NOW);
  });

  test("logout ends one's session, and nobody else's", async () => {
    await register('hanna');
    await register('ivan');
    const hanna = await signIn('hanna');
    const ivan = await signIn('ivan');
    const { refresh_token } = hanna;
    expect((await post('logout', { refresh_token }, ivan.access_token)).status).toBe(204);
    const next = await post('refresh', { refresh_token });
    expect(next.status).toBe(200);
    const ended = await post('logout', { refresh_token: next.body.refresh_token }, hanna.access_token);
    expect({ status: ended.status, body: ended.body }).toEqual({ status: 204, body: '' });
    expectProblem(await post('refresh', { refresh_token: next.body.refresh_token }), 'not_authenticated');
    for (const { access_token } of [hanna, next.body, ivan]) {
      expectProblem(await server.call('GET', '/api/users/me', { token: access_token }), 'not_authenticated');
    }
  });

  test('neither a password nor a token is stored in clear', async () => {
    await register('jonas');
    const tokens = await signIn('jonas');
    const { body: next } = await post('refresh', { refresh_token: tokens.refresh_token });
    const stored = JSON.stringify(await everything(server.db));
    expect(stored).toContain('jonas@example.com');
    for (const secret of [PASSWORD, tokens.refresh_token, tokens.access_token, next.refresh_token]) {
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
      expect(stored).not.toContain(Buffer.from(secret).toString('hex'));
    }
    const hashes = await server.db.read.selectFrom('users').select('password_hash').execute();
    for (const { password_hash } of hashes)
      expect(password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(new Set(hashes.map(({ password_hash }) => password_hash)).size).toBe(hashes.length);
  });

  test('a password may be any sentence, spaces and all, and is compared exactly', async () => {
    const password = '  Ljus i mörkret ☂ 2026  ';
    expect((await register('karin', { password })).status).toBe(201);
    expect((await post('login', { username: 'karin', password })).status).toBe(200);
    for (const other of [password.trim(), password.toLowerCase(), `${password}.`]) {
      expectProblem(await post('login', { username: 'karin', password: other }), 'invalid_credentials');
    }
    // The same letters, composed or not, are the same password: keyboards differ.
    expect((await post('login', { username: 'karin', password: password.normalize('NFD') })).status).toBe(
      200,
    );
  });

  test.each([
    ['a password of 14 characters', { password: '12345678901234' }, ['password']],
    ['a password of 1025 characters', { password: 'x'.repeat(1025) }, ['password']],
    ['a password that is a number', { password: 123_456_789_012_345 }, ['password']],
    ['no password', { password: undefined }, ['password']],
    ['a username of 2 characters', { username: 'ab' }, ['username']],
    ['a username of 65 characters', { username: 'x'.repeat(65) }, ['username']],
    ['a username like an email address', { username: 'a@b.se' }, ['username']],
    ['a username with a space', { username: 'a b c' }, ['username']],
    ['a username that begins with a dot', { username: '.abc' }, ['username']],
    ['an email address without @', { email: 'lena.example.com' }, ['email']],
    ['an email address without a domain', { email: 'lena@' }, ['email']],
    ['everything wrong', { username: '', email: '', password: '' }, ['email', 'password', 'username']],
  ])('%s: 422 that names it', async (_, change, errors) => {
    const before = await counts(server.db);
    const answer = await register('lena', change);
    if (Array.isArray(answer.body.errors)) {
      answer.body.errors.sort((a: { path: string }, b: { path: string }) => a.path.localeCompare(b.path));
    }
    expectProblem(answer, 'validation_failed', { errors });
    expect(await counts(server.db)).toEqual(before);
  });

  test('a password of 15 characters is long enough', async () => {
    expect((await register('maja', { password: 'tre kor i ladan' })).status).toBe(201);
  });
});
