/** Guessing passwords: nobody learns who has an account, and few get many tries. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { watchedPasswords } from '../support/argon2.ts';
import { ENGINES } from '../support/engines.ts';
import { expectProblem } from '../support/problem.ts';
import { GUARDED, PASSWORD, startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-15T12:00:00Z';
const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WRONG = 'not the sentence at all';

describe.each(ENGINES)('guessing on %s', (engine) => {
  let server: TestServer;
  let now_ms: number;
  const argon2 = watchedPasswords();
  let people = 0;
  beforeAll(async () => {
    server = await startServer(engine, { ...GUARDED, clock: () => now_ms, passwords: argon2.passwords });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    now_ms = Date.parse(NOW);
    await server.db.write((tx) => tx.deleteFrom('failed_attempts').execute());
  });

  async function newName(): Promise<string> {
    people += 1;
    const username = `guessed${people}`;
    const email = `${username}@example.com`;
    await server.anonymous.register({ body: { username, email, password: PASSWORD } });
    return username;
  }
  /** Everything about the answer that a guesser could look at, but for the time. */
  async function attempt(username: string, password = WRONG, origin = server.origin) {
    const response = await fetch(`${origin}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'same' },
      body: JSON.stringify({ username, password }),
    });
    const { date: _, ...headers } = Object.fromEntries(response.headers);
    const text = await response.text();
    return { status: response.status, headers, text };
  }
  const fail = async (username: string, times: number) => {
    for (let i = 0; i < times; i++) expect((await attempt(username)).status).toBe(401);
  };
  const refusedFor = async (username: string, seconds: number) => {
    const { status, headers, text } = await attempt(username, PASSWORD);
    expect([status, headers['retry-after']]).toEqual([429, String(seconds)]);
    expect(JSON.parse(text)).toMatchObject({ status: 429, code: 'too_many_attempts' });
  };

  test('an unknown user, an unknown address and a wrong password: the same bytes for the same work, also once refused', async () => {
    const known = await newName();
    const logins = [known, 'nobody', 'nobody@example.com', `${known}@example.com`];
    for (let i = 0; i < 8; i++) {
      const answers: object[] = [];
      const work: number[] = [];
      for (const login of logins) {
        const before = argon2.seen.begun;
        answers.push(await attempt(login));
        work.push(argon2.seen.begun - before);
      }
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      // Refused, no password is looked at.
      expect(work).toEqual(i < 5 ? [1, 1, 1, 1] : [0, 0, 0, 0]);
      expect(answers[0]).toMatchObject({ status: i < 5 ? 401 : 429 });
    }
  });

  test('the same rows are written whether there is such an account or not', async () => {
    const known = await newName();
    const rows = async () =>
      (await server.db.read.selectFrom('failed_attempts').selectAll().orderBy('failures').execute()).map(
        ({ key: _, ...row }) => row,
      );
    await fail(known, 2);
    const after_known = await rows();
    await server.db.write((tx) => tx.deleteFrom('failed_attempts').execute());
    await fail('nobody', 2);
    expect(await rows()).toEqual(after_known);
    expect(after_known.length).toBe(2);
  });

  test('after five failures the wait is 30 s, and doubles up to 15 minutes, even with the right password', async () => {
    const name = await newName();
    await fail(name, 5);
    for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
      await refusedFor(name, seconds);
      now_ms += seconds * SECOND_MS - 1;
      await refusedFor(name, 1);
      now_ms += 1;
      await fail(name, 1);
    }
    now_ms += 900 * SECOND_MS;
    expect((await attempt(name, PASSWORD)).status).toBe(200);
  });

  test('attempts that are refused do not lengthen the wait', async () => {
    const name = await newName();
    await fail(name, 5);
    for (let i = 0; i < 10; i++) await refusedFor(name, 30);
    now_ms += 30 * SECOND_MS;
    expect((await attempt(name, PASSWORD)).status).toBe(200);
  });

  test('a success makes the failures forgotten, and so does a day without one', async () => {
    const name = await newName();
    await fail(name, 4);
    expect((await attempt(name, PASSWORD)).status).toBe(200);
    await fail(name, 4);
    now_ms += DAY_MS;
    await fail(name, 5);
    await refusedFor(name, 30);
  });

  test('however a name is written it is one', async () => {
    const name = await newName();
    for (const login of [name, name.toUpperCase(), name, name.toUpperCase(), name]) await fail(login, 1);
    await refusedFor(name.toUpperCase(), 30);
  });

  test('many guesses at once: five are answered, and the right one among them says nothing after that', async () => {
    const name = await newName();
    // The right one is let in first and found right last; all others are let in before the first of them is counted.
    const release_right = argon2.hold();
    const right = attempt(name, PASSWORD);
    await expect.poll(() => argon2.seen.running).toBe(1);
    const release = argon2.hold();
    const asked = argon2.seen.asked;
    const sent = Array.from({ length: 12 }, () => attempt(name));
    await expect.poll(() => argon2.seen.asked).toBe(asked + 12);
    release();
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBe(5);
    expect(statuses.filter((status) => status === 429).length).toBe(7);
    release_right();
    expect((await right).status).toBe(429);
  });

  test('right and wrong ones at once, for several accounts: every one is answered', async () => {
    const names = [await newName(), await newName(), 'nobody', 'somebody'];
    const expired = { failures: 1, refused_until: 0, expires_at: now_ms };
    const rows = Array.from({ length: 150 }, (_, i) => ({ key: `expired ${i}`, ...expired }));
    await server.db.write((tx) => tx.insertInto('failed_attempts').values(rows).execute());
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => attempt(names[i % 4]!, i % 3 === 0 ? PASSWORD : WRONG)),
    );
    for (const { status } of answers) expect([200, 401, 429]).toContain(status);
  });

  test('right passwords at once are all let in', async () => {
    const name = await newName();
    const answers = await Promise.all(Array.from({ length: 12 }, () => attempt(name, PASSWORD)));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  test('one address gets thirty tries at whatever accounts; a success of its own does not change that', async () => {
    const mine = await newName();
    for (let i = 0; i < 30; i++) {
      if (i % 7 === 0) expect((await attempt(mine, PASSWORD)).status).toBe(200);
      expect((await attempt(`somebody${i}`)).status).toBe(401);
    }
    await refusedFor(mine, 30);
    now_ms += 30 * SECOND_MS;
    await fail('another', 1);
    await refusedFor(mine, 60);
    now_ms += HOUR_MS;
    await fail('another', 1);
    expect((await attempt(mine, PASSWORD)).status).toBe(200);
  });

  test('the owner of a session goes on with it while guessers are refused', async () => {
    const username = await newName();
    const tokens = await server.anonymous.login({ body: { username, password: PASSWORD } });
    await fail(username, 5);
    await refusedFor(username, 30);
    const me = await server.call('GET', '/api/users/me', { token: tokens.access_token });
    expect(me.status).toBe(200);
    const body = { refresh_token: tokens.refresh_token };
    const next = await server.call('POST', '/api/auth/refresh', { body });
    expect(next.status).toBe(200);
    const change = { current_password: PASSWORD, new_password: 'quite another sentence' };
    const token = next.body.access_token;
    const changed = await server.call('POST', '/api/auth/change-password', { token, body: change });
    expect(changed.status).toBe(204);
  });

  test('the counts are in the database: another instance refuses too, and no name stands there', async () => {
    const name = await newName();
    await fail(name, 3);
    const { app, deps } = server;
    const other = await startServer('sqlite', { ...GUARDED, clock: () => now_ms, db: deps.db });
    expect(other.app).not.toBe(app);
    for (let i = 0; i < 2; i++) expect((await attempt(name, WRONG, other.origin)).status).toBe(401);
    expect((await attempt(name, PASSWORD, other.origin)).status).toBe(429);
    await refusedFor(name, 30);
    const keys = (await server.db.read.selectFrom('failed_attempts').select('key').execute()).map(
      (r) => r.key,
    );
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
    await other.close();
  });

  test('what has expired is swept, some at every failure', async () => {
    const rows = Array.from({ length: 150 }, (_, i) => ({
      key: `expired ${i}`,
      failures: 3,
      refused_until: 0,
      expires_at: now_ms - i,
    }));
    await server.db.write((tx) => tx.insertInto('failed_attempts').values(rows).execute());
    const left = async () =>
      (await server.db.read.selectFrom('failed_attempts').select('key').execute()).length;
    await fail('sweeper', 1);
    expect(await left()).toBe(52);
    await fail('sweeper', 1);
    expect(await left()).toBe(2);
  });
});

describe('client addresses', () => {
  const counters = async (address: string) => {
    const server = await startServer('sqlite', GUARDED);
    const [account, network] = server.deps.attempts.signIn('anna', address);
    await server.close();
    expect(account!.key).not.toBe(network!.key);
    return network!.key;
  };
  test.each([
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '203.0.113.8', false],
    ['203.0.113.7', '::ffff:203.0.113.7', true],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:1:2:3', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8::2', true],
    ['::1', '::2', true],
    ['fe80::1%eth0', 'fe80::2', true],
  ])('%s and %s: the same network %s', async (one, other, same) => {
    expect((await counters(one)) === (await counters(other))).toBe(same);
  });
});

test('with RATE_LIMIT=off nothing is counted', async () => {
  const server = await startServer('sqlite', {}, { RATE_LIMIT: 'off' });
  for (let i = 0; i < 8; i++) {
    const answer = await server.call('POST', '/api/auth/login', {
      body: { username: 'nobody', password: WRONG },
    });
    expectProblem(answer, 'invalid_credentials');
  }
  expect(await server.db.read.selectFrom('failed_attempts').selectAll().execute()).toEqual([]);
  await server.close();
});
