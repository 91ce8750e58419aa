/** How many requests a client may send, who counts as one, and what every answer says of it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/contract/limits.ts';
import { connect } from '../../src/server/db/connect.ts';
import { migrate } from '../../src/server/db/migrate.ts';
import { ENGINES, type Engine, freshUrl } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw.ts';
import { type CallResult, type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const ON = { RATE_LIMIT: 'on' };
const NOON_MS = Date.parse('2026-06-15T12:00:00Z');

/** What an answer says is left. */
function left({ headers }: { headers: Headers }) {
  return { policy: headers.get('ratelimit-policy'), now: headers.get('ratelimit') };
}
const policy = (name: keyof typeof LIMITS) => `"${name}";q=${LIMITS[name].quota};w=${LIMITS[name].window_s}`;

async function times<T>(count: number, send: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  while (answers.length < count) {
    const some = Math.min(50, count - answers.length);
    answers.push(...(await Promise.all(Array.from({ length: some }, send))));
  }
  return answers;
}
/** A sign-in that is refused for its form: it counts as any other. */
const knock = (server: TestServer, headers: Record<string, string> = {}) =>
  server.call('POST', '/api/auth/login', { body: {}, headers });

describe.each(ENGINES)('limits on %s', (engine) => {
  let server: TestServer;
  let one: Person;
  let two: Person;
  let now_ms = NOON_MS;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms }, ON);
    [one, two] = [await server.newPerson(), await server.newPerson()];
  });
  afterAll(() => server.close());
  // Every test has windows of its own. The tokens live thirty minutes.
  beforeEach(() => {
    now_ms = NOON_MS;
    return fresh();
  });
  async function fresh() {
    await server.close();
    server = await startServer(engine, { clock: () => now_ms }, ON);
    [one, two] = [await server.newPerson(), await server.newPerson()];
    now_ms += 600_000;
  }
  const me = ({ token }: Person) => server.call('GET', '/api/users/me', { token });
  const create = ({ token }: Person) => server.call('POST', '/api/properties', { token, body: {} });

  test('every answer says its policy and what is left, whatever the answer is', async () => {
    const answers: [CallResult, keyof typeof LIMITS, number][] = [
      [await me(one), 'read', 1],
      [await me(one), 'read', 2],
      [await create(one), 'write', 1],
      [await me(two), 'read', 1],
      [await server.call('GET', '/api/users/me'), 'read', 1],
      [await server.call('GET', '/api/users/me', { token: 'bad' }), 'read', 2],
      [await server.call('GET', '/api/nothing'), 'read', 3],
      [await server.call('PATCH', '/api/users/me/nothing', { token: one.token }), 'read', 4],
      [await server.call('GET', '/docs'), 'read', 5],
      [await server.call('GET', '/api/openapi.json'), 'read', 6],
      [await server.call('GET', `/api/meters/${'x'.repeat(300)}`), 'read', 7],
      [await server.call('POST', '/api/properties', { token: one.token, body: '{' }), 'write', 2],
      [
        await server.call('POST', '/api/properties', { token: one.token, body: ' '.repeat(2_000_000) }),
        'write',
        3,
      ],
      [
        await server.call('POST', '/api/properties', {
          token: one.token,
          body: 'x',
          headers: { 'content-type': 'text/plain' },
        }),
        'write',
        4,
      ],
      [await knock(server), 'sign_in', 1],
    ];
    for (const [answer, name, used] of answers) {
      const seconds = LIMITS[name].window_s;
      expect([answer.status, left(answer)]).toEqual([
        answer.status,
        { policy: policy(name), now: `"${name}";r=${LIMITS[name].quota - used};t=${seconds}` },
      ]);
    }
    const bad = await sendRaw(server.origin, ['GET /%zz HTTP/1.1']);
    expect([bad.status, left(bad)]).toEqual([
      400,
      { policy: policy('read'), now: `"read";r=${LIMITS.read.quota - 8};t=60` },
    ]);
  });

  test('health is asked as often as one likes', async () => {
    for (const path of ['/api/health', '/api/health/ready'])
      expect(left(await server.call('GET', path))).toEqual({ policy: null, now: null });
    const answers = await times(LIMITS.read.quota + 1, () => server.call('GET', '/api/health'));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('beyond the quota: 429 until the window ends, for that user and that class alone', async () => {
    now_ms += 15_500;
    const answers = await times(LIMITS.write.quota, () => create(one));
    expect(answers.filter(({ status }) => status !== 422)).toEqual([]);
    const before = await counts(server.db);
    const refused = await create(one);
    expectProblem(refused, 'rate_limited');
    expect(refused.headers.get('retry-after')).toBe('45');
    expect(left(refused)).toEqual({ policy: policy('write'), now: '"write";r=0;t=45' });
    expect(await counts(server.db)).toEqual(before);
    expect((await create(two)).status).toBe(422);
    expect((await me(one)).status).toBe(200);
    now_ms += 44_499;
    expect((await create(one)).headers.get('retry-after')).toBe('1');
    now_ms += 1;
    const next = await create(one);
    expect([next.status, left(next).now]).toEqual([422, `"write";r=${LIMITS.write.quota - 1};t=60`]);
  });

  test('a round of fifty meters, and an app that starts with thirty calls, are far from it', async () => {
    const house = await newHouse(server, { owner: one });
    await times(30, () => me(one));
    const last = (await times(50, () => create(one))).at(-1)!;
    expect(Number(/r=(\d+)/.exec(left(last).now!)![1])).toBeGreaterThan(LIMITS.write.quota / 2);
    expect((await house.get('/api/users/me')).status).toBe(200);
  });

  test('bad tokens count against the address, and then nothing is looked at any more', async () => {
    const guess = () => server.call('GET', '/api/users/me', { token: 'a.b.c' });
    const answers = await times(LIMITS.read.quota, guess);
    expect(answers.filter(({ status }) => status !== 401)).toEqual([]);
    expectProblem(await guess(), 'rate_limited');
    expect((await me(one)).status).toBe(200);
  });

  test('exports have a limit of their own', async () => {
    const { property_id } = await newHouse(server, { owner: one });
    const download = () =>
      server.call('GET', `/api/properties/${property_id}/ledger/export`, { token: one.token });
    expect(left(await download()).policy).toBe(policy('export'));
    await times(LIMITS.export.quota - 1, download);
    expectProblem(await download(), 'rate_limited');
    expect((await me(one)).status).toBe(200);
    // Also for one address, signing in counts by itself.
    await server.call('GET', `/api/properties/${property_id}/ledger/export`);
    expect(left(await knock(server)).now).toBe(`"sign_in";r=${LIMITS.sign_in.quota - 1};t=600`);
  });

  test('whoever is refused by one instance costs the database nothing', async () => {
    await times(LIMITS.sign_in.quota + 20, () => knock(server));
    const rows = await server.db.read.selectFrom('request_counts').selectAll().execute();
    expect(rows.map(({ count }) => count).sort((a, b) => b - a)[0]).toBe(LIMITS.sign_in.quota);
    for (const { key } of rows) expect(key).toMatch(/^[\w-]{43}$/);
    now_ms += 600_000;
    expect(left(await knock(server)).now).toBe(`"sign_in";r=${LIMITS.sign_in.quota - 1};t=600`);
  });

  test('windows that have ended are cleared away', async () => {
    await server.close();
    server = await startServer(engine, { clock: () => now_ms }, { ...ON, TRUST_PROXY: '1' });
    for (let i = 0; i < 15; i++) await knock(server, { 'x-forwarded-for': `192.0.2.${i}` });
    expect((await counts(server.db)).request_counts).toBe(15);
    now_ms += 600_000;
    await knock(server, { 'x-forwarded-for': '192.0.2.100' });
    expect((await counts(server.db)).request_counts).toBe(6);
  });

  test('requests that ask for nothing of it cost no statement', async () => {
    const texts: string[] = [];
    const { db } = server.deps;
    const executor = db.read.getExecutor();
    const own = executor.executeQuery.bind(executor);
    executor.executeQuery = (query, ...rest) => {
      texts.push(query.sql);
      return own(query, ...rest);
    };
    await me(one);
    executor.executeQuery = own;
    // The session, then the user.
    expect(texts).toHaveLength(2);
    expect(texts.join()).toMatch(/sessions.*users/);
  });
});

/** Two servers, one after the other or at once, over one database. */
async function overOneDatabase(engine: Engine, at_once: boolean): Promise<number[]> {
  const { url, drop } = await freshUrl(engine);
  const begin = async () => {
    const db = await connect(url);
    await migrate(db, NOON_MS);
    const server = await startServer('sqlite', { db, clock: () => NOON_MS }, ON);
    const end = async () => {
      await server.close();
      await db.close();
    };
    return { server, end };
  };
  const first = await begin();
  const statuses = (await times(LIMITS.sign_in.quota - 10, () => knock(first.server))).map((a) => a.status);
  if (!at_once) await first.end();
  const second = await begin();
  statuses.push(...(await times(11, () => knock(second.server))).map((a) => a.status));
  await second.end();
  if (at_once) await first.end();
  await drop();
  return statuses;
}

test('the strict limit is one for two servers over one database', async () => {
  const statuses = await overOneDatabase('postgres', true);
  expect(statuses.filter((status) => status === 422)).toHaveLength(LIMITS.sign_in.quota);
  expect(statuses.filter((status) => status === 429)).toHaveLength(1);
});

test.each(ENGINES)('the strict limit survives a restart on %s', async (engine) => {
  const statuses = await overOneDatabase(engine, false);
  expect(statuses.filter((status) => status === 422)).toHaveLength(LIMITS.sign_in.quota);
  expect(statuses.filter((status) => status === 429)).toHaveLength(1);
});

test('RATE_LIMIT=off counts nothing', async () => {
  const server = await startServer('sqlite', {}, { RATE_LIMIT: 'off' });
  const answers = await times(LIMITS.sign_in.quota + 1, () => knock(server));
  for (const answer of answers)
    expect([answer.status, left(answer)]).toEqual([422, { policy: null, now: null }]);
  expect((await counts(server.db)).request_counts).toBe(0);
  await server.close();
});

test('docs/requests.md has the limits as they are', () => {
  const text = readFileSync(new URL('../../docs/requests.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(
    Object.entries(LIMITS).map(
      ([name, { quota, window_s, shared, covers }]) =>
        `| \`${name}\` | ${covers} | ${quota} | ${window_s} s | ${shared ? 'all instances together' : 'each instance'} |`,
    ),
  );
});
