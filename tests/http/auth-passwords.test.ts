/** Passwords: what is refused, how one is changed, and what hashing them costs at most. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changePassword } from '../../src/server/auth/actions.ts';
import { watchedPasswords } from '../support/argon2.ts';
import { ENGINES } from '../support/engines.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, GUARDED, PASSWORD, startServer, type TestServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const NEW = 'quite another sentence';
const PUBLIC_URL = 'https://zaehlerstand.example.com';

describe.each(ENGINES)('passwords on %s', (engine) => {
  let server: TestServer;
  let now_ms = Date.parse('2026-06-15T12:00:00Z');
  const argon2 = watchedPasswords();
  let people = 0;
  beforeAll(async () => {
    server = await startServer(
      engine,
      { ...GUARDED, clock: () => now_ms, passwords: argon2.passwords },
      { PUBLIC_URL },
    );
  });
  afterAll(() => server.close());

  const register = (username: string, password: string, email = `${username}@example.com`) =>
    server.call('POST', '/api/auth/register', { body: { username, email, password } });
  const login = (username: string, password: string) =>
    server.call('POST', '/api/auth/login', { body: { username, password } });
  const change = (token: string | undefined, current_password: string, new_password: string) =>
    server.call('POST', '/api/auth/change-password', { token, body: { current_password, new_password } });
  const me = (token: string) => server.call('GET', '/api/users/me', { token });
  async function newName(password = PASSWORD): Promise<string> {
    people += 1;
    expect((await register(`user${people}`, password)).status).toBe(201);
    return `user${people}`;
  }
  const signIn = async (username: string) => (await login(username, PASSWORD)).body;
  function reason(answer: CallResult, path: string): string {
    expectProblem(answer, 'validation_failed', { errors: [path] });
    return answer.body.errors[0].message;
  }

  describe('what is refused', () => {
    test.each([
      ['aaaaaaaaaaaaaaaaaa', /repeats/],
      ['qwertyuiop1234567890', /keys/],
      ['password password', /well-known/],
      ['kirsten kirsten 1', /repeats|your name/],
      ['Kirsten@Kraftverket', /your name/],
      ['electric-kirsten', /your name/],
      ['zaehlerstand 2026', /your name/],
      ['only 14 long!!', /at least 15/],
      // Fifteen of them as they are sent, eight as they are compared.
      ['o\u0308a\u0308o\u0308a\u0308o\u0308a\u0308o\u0308a', /at least 15/],
    ])('%s, at registration and at a change, with the reason', async (password, why) => {
      const before = await everything(server.db);
      const begun = argon2.seen.begun;
      const refused = await register('kirsten', password, 'k@kraftverket.se');
      expect(reason(refused, 'password')).toMatch(why);
      expect(await everything(server.db)).toEqual(before);
      expect(argon2.seen.begun).toBe(begun);
    });

    test('the same at a change, which changes nothing', async () => {
      const username = await newName();
      const { access_token } = await signIn(username);
      expect(reason(await change(access_token, PASSWORD, 'password password'), 'new_password')).toMatch(
        /well-known/,
      );
      expect(
        reason(await change(access_token, PASSWORD, `${username} ${username} ${username}`), 'new_password'),
      ).toMatch(/your name/);
      expect(reason(await change(access_token, PASSWORD, 'short'), 'new_password')).toMatch(/at least 15/);
      expect((await login(username, PASSWORD)).status).toBe(200);
    });
  });

  test('nothing of a long password is cut off', async () => {
    const long = 'vi åker till landet varje sommar och läser av mätaren. '.repeat(20).slice(0, 1023);
    const username = await newName(`${long}a`);
    expect((await login(username, `${long}a`)).status).toBe(200);
    for (const other of [`${long}b`, long, `${long}a`.slice(0, 72)])
      expectProblem(await login(username, other), 'invalid_credentials');
  });

  describe('a change', () => {
    test('ends all other sessions and no other', async () => {
      const [username, bystander] = [await newName(), await newName()];
      const [here, there, theirs] = [await signIn(username), await signIn(username), await signIn(bystander)];
      const answer = await change(here.access_token, PASSWORD, NEW);
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 204, body: '' });
      expectProblem(await me(there.access_token), 'not_authenticated');
      const body = { refresh_token: there.refresh_token };
      expectProblem(await server.call('POST', '/api/auth/refresh', { body }), 'not_authenticated');
      expect((await me(here.access_token)).status).toBe(200);
      expect((await me(theirs.access_token)).status).toBe(200);
      expectProblem(await login(username, PASSWORD), 'invalid_credentials');
      expect((await login(username, NEW)).status).toBe(200);
    });

    test('needs the current password, and a session', async () => {
      const { access_token } = await signIn(await newName());
      expectProblem(await change(access_token, 'not the sentence at all', NEW), 'wrong_password');
      expectProblem(await change(undefined, PASSWORD, NEW), 'not_authenticated');
      expect((await me(access_token)).status).toBe(200);
    });

    test('is not for whoever comes without a session', async () => {
      const user = await server.newPerson();
      const body = { current_password: PASSWORD, new_password: NEW };
      const caller = { user_id: user.id, session: null, api_key: null };
      const changed = changePassword(server.deps, caller, body, new AbortController().signal);
      await expect(changed).rejects.toMatchObject({ code: 'forbidden' });
      expect((await login(user.username, PASSWORD)).status).toBe(200);
    });

    test('by whoever has found a session open: five guesses, then a wait; signing in is counted apart', async () => {
      const username = await newName();
      const [found, own] = [await signIn(username), await signIn(username)];
      for (let i = 0; i < 5; i++)
        expectProblem(await change(found.access_token, 'not the sentence at all', NEW), 'wrong_password');
      const begun = argon2.seen.begun;
      const refused = await change(found.access_token, PASSWORD, NEW);
      expectProblem(refused, 'too_many_attempts');
      expect(refused.headers.get('retry-after')).toBe('30');
      expect(argon2.seen.begun).toBe(begun);
      expect((await me(found.access_token)).status).toBe(200);
      expect((await login(username, PASSWORD)).status).toBe(200);
      expect((await change(own.access_token, PASSWORD, NEW)).status).toBe(204);
      now_ms += 30_000;
    });

    test('two at once: one wins, the other is told that its password is not the current one', async () => {
      const username = await newName();
      const [one, two] = [await signIn(username), await signIn(username)];
      const answers = await Promise.all([
        change(one.access_token, PASSWORD, NEW),
        change(two.access_token, PASSWORD, 'a third sentence, not the same'),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
      const alive = await Promise.all(
        [one, two].map(async ({ access_token }) => (await me(access_token)).status),
      );
      expect(alive.sort()).toEqual([200, 401]);
    });

    test('whoever signs in with the old password meanwhile gets no session', async () => {
      const username = await newName();
      const { access_token } = await signIn(username);
      // The old password is found right, but not yet answered, when it is changed.
      const release = argon2.hold();
      const late = login(username, PASSWORD);
      await expect.poll(() => argon2.seen.running).toBe(1);
      const user = server.db.read.selectFrom('users').selectAll().where('username', '=', username);
      const { id } = await user.executeTakeFirstOrThrow();
      const password_hash = '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA';
      await server.db.write((tx) =>
        tx.updateTable('users').set({ password_hash }).where('id', '=', id).execute(),
      );
      release();
      expectProblem(await late, 'invalid_credentials');
      expect((await me(access_token)).status).toBe(200);
    });
  });
});

describe('a storm of sign-ins', () => {
  const argon2 = watchedPasswords();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer('sqlite', { passwords: argon2.passwords }, { RATE_LIMIT: 'off' });
  });
  afterAll(() => server.close());
  const login = (username: string) =>
    fetch(`${server.origin}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: PASSWORD }),
    });

  test('hashes two at a time, a hundred wait, the rest is told when to come again', async () => {
    const release = argon2.hold();
    const sent = Array.from({ length: 150 }, (_, i) => login(`nobody${i}`));
    let refused = 0;
    for (const answer of sent) answer.then(({ status }) => status === 503 && refused++);
    // All have come once the last of them is refused.
    await expect.poll(() => refused).toBe(48);
    expect(argon2.seen.running).toBe(2);
    release();
    const answers = await Promise.all(sent);
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect([count(401), count(503)]).toEqual([102, 48]);
    for (const answer of answers.filter(({ status }) => status === 503)) {
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(await answer.json()).toMatchObject({ code: 'unavailable' });
    }
    // Two at a time are 38 MiB, whatever comes.
    expect(argon2.seen.most).toBe(2);
    expect(argon2.seen.running).toBe(0);
  });

  test('whoever goes away while waiting gives the place up', async () => {
    const begun = argon2.seen.begun;
    const seen = { come: 0, gone: 0 };
    server.app.server.on('request', (_request, response) => {
      seen.come += 1;
      response.on('close', () => {
        seen.gone += 1;
      });
    });
    const release = argon2.hold();
    const first = [login('nobody'), login('nobody')];
    await expect.poll(() => argon2.seen.running).toBe(2);
    const { hostname, port } = new URL(server.origin);
    const body = JSON.stringify({ username: 'nobody', password: PASSWORD });
    const request = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const leaving = Array.from({ length: 100 }, () => connect(Number(port), hostname));
    for (const socket of leaving) socket.write(request);
    await expect.poll(() => seen.come).toBe(102);
    expect((await login('nobody')).status).toBe(503);
    for (const socket of leaving) socket.destroy();
    await expect.poll(() => seen.gone).toBe(101);
    const patient = login('nobody');
    release();
    for (const answer of await Promise.all([...first, patient])) expect(answer.status).toBe(401);
    expect(argon2.seen.begun - begun).toBe(3);
  });
});
