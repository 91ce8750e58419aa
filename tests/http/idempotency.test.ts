/** Idempotency-Key: however often a request comes, it has one effect and one answer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, PASSWORD, startServer, type TestServer } from '../support/server.ts';
import { counted } from '../support/statements.ts';
import { counts } from '../support/tables.ts';

const DAY_MS = 86_400_000;
const AT = '2026-01-01T00:00:00Z';
const CSV = 'timestamp,Main meter\n2026-04-01T00:00:00Z,9\n2026-04-02T00:00:00Z,11\n';

/** An answer without what differs between two answers anyway. */
function answered({ status, headers, body }: CallResult) {
  return { status, body, type: headers.get('content-type'), etag: headers.get('etag') };
}

describe.each(ENGINES)('Idempotency-Key on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let now_ms = Date.parse('2026-06-15T12:00:00Z');
  let keys = 0;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms }, { ACCESS_TOKEN_EXPIRE_MINUTES: '1440' });
    house = await newHouse(server);
  });
  afterAll(() => server.close());

  const fresh = () => `key-${keys++}`;
  function post(path: string, body: unknown, key: string, { token = house.owner.token, type = '' } = {}) {
    const headers = { 'idempotency-key': key, ...(type ? { 'content-type': type } : {}) };
    return server.call('POST', path, { token, body, headers });
  }
  const property = (name: string) => ({ display_name: name });
  const replayed = ({ headers }: CallResult) => headers.get('idempotency-replayed');
  const upload = (query = '') => `/api/readings/import?property_id=${house.property_id}${query}`;

  test('a repeat gets the first answer, byte by byte, and changes nothing', async () => {
    const key = fresh();
    const first = await post('/api/properties', property('Once'), key);
    expect([first.status, replayed(first)]).toEqual([201, null]);
    expect(first.headers.get('etag')).toMatch(/^"[\w-]{22}"$/);
    const before = await counts(server.db);
    const again = await post('/api/properties', property('Once'), key);
    expect(answered(again)).toEqual(answered(first));
    expect(replayed(again)).toBe('true');
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(await counts(server.db)).toEqual(before);
  });

  test('the first answer, though the resource has changed since', async () => {
    const key = fresh();
    const first = await post('/api/properties', property('Before'), key);
    await house.patch(`/api/properties/${first.body.id}`, { display_name: 'After' });
    const again = await post('/api/properties', property('Before'), key);
    expect(answered(again)).toEqual(answered(first));
  });

  test('a hundred at once: one effect, one answer', async () => {
    const key = fresh();
    const body = { meter_id: house.main_id, reading_timestamp: AT, value: '5' };
    const before = await counts(server.db);
    const answers = await Promise.all(Array.from({ length: 100 }, () => post('/api/readings', body, key)));
    expect(answers[0]!.status).toBe(201);
    for (const each of answers) expect(answered(each)).toEqual(answered(answers[0]!));
    expect(answers.filter((each) => replayed(each) === null)).toHaveLength(1);
    const after = await counts(server.db);
    for (const table of ['ledger_entries', 'batches', 'readings', 'idempotency_keys'])
      expect([table, after[table]! - before[table]!]).toEqual([table, 1]);
  });

  test('other content, another query or another call with the same key: 422, nothing is written', async () => {
    const key = fresh();
    await post('/api/properties', property('One'), key);
    const before = await counts(server.db);
    for (const answer of [
      await post('/api/properties', property('Two'), key),
      await post('/api/meters/submeter', { property_id: house.property_id, name: 'One' }, key),
      await post(upload(), CSV, key, { type: 'text/csv' }),
    ]) {
      expectProblem(answer, 'idempotency_key_reused');
    }
    const dry = fresh();
    await post(upload('&dry_run=true'), CSV, dry, { type: 'text/csv' });
    expectProblem(await post(upload(), CSV, dry, { type: 'text/csv' }), 'idempotency_key_reused');
    expect(await counts(server.db)).toEqual({ ...before, idempotency_keys: before.idempotency_keys! + 1 });
  });

  test('white space and a trailing slash make no other request', async () => {
    const key = fresh();
    const first = await post('/api/properties', '{"display_name":"Same"}', key);
    const again = await post('/api/properties/', '{ "display_name" : "Same" }', key);
    expect([answered(again), replayed(again)]).toEqual([answered(first), 'true']);
  });

  test("somebody else's key is another key", async () => {
    const other = await server.newPerson();
    const key = fresh();
    const mine = await post('/api/properties', property('Mine'), key);
    const theirs = await post('/api/properties', property('Theirs'), key, { token: other.token });
    expect([theirs.status, replayed(theirs)]).toEqual([201, null]);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('what failed may be tried again', async () => {
    const key = fresh();
    const sauna = { property_id: house.property_id, name: 'sauna' };
    await house.submeter('sauna');
    const before = await counts(server.db);
    expectProblem(await post('/api/meters/submeter', sauna, key), 'name_taken');
    expectProblem(await post('/api/meters/submeter', { ...sauna, name: '' }, key), 'validation_failed', {
      errors: ['name'],
    });
    expect(await counts(server.db)).toEqual(before);
    const { body } = await house.get(`/api/properties/${house.property_id}/meters?search=sauna`);
    await house.patch(`/api/meters/${body.items[0].id}`, { name: 'old sauna' });
    const second = await post('/api/meters/submeter', sauna, key);
    expect([second.status, replayed(second)]).toEqual([201, null]);
    expect(replayed(await post('/api/meters/submeter', sauna, key))).toBe('true');
  });

  test('an import is not done again, and other lines are another request', async () => {
    const key = fresh();
    const first = await post(upload(), CSV, key, { type: 'text/csv' });
    expect(first.status).toBe(201);
    const before = await counts(server.db);
    const again = await post(upload(), CSV, key, { type: 'text/csv' });
    expect([answered(again), replayed(again)]).toEqual([answered(first), 'true']);
    const other = await post(upload(), `${CSV}2026-04-03T00:00:00Z,12\n`, key, { type: 'text/csv' });
    expectProblem(other, 'idempotency_key_reused');
    expect(await counts(server.db)).toEqual(before);
  });

  test('a large import at once from several: one batch', async () => {
    const key = fresh();
    const lines = Array.from({ length: 20_000 }, (_, i) => {
      const reading_timestamp = new Date(Date.parse('2001-01-01T00:00:00Z') + i * 60_000).toISOString();
      return JSON.stringify({ meter: 'Main meter', reading_timestamp, value: `${i}` });
    }).join('\n');
    const before = await counts(server.db);
    const answers = await Promise.all(
      [1, 2, 3].map(() => post(upload(), lines, key, { type: 'application/x-ndjson' })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    for (const each of answers) expect(each.body).toEqual(answers[0]!.body);
    const after = await counts(server.db);
    expect(after.batches! - before.batches!).toBe(1);
    expect(after.ledger_entries! - before.ledger_entries!).toBe(20_000);
  });

  test('calls that change nothing: a dry run, a reading that is there; and an answer without a body', async () => {
    const dry = fresh();
    const report = await post(upload('&dry_run=true'), CSV, dry, { type: 'text/csv' });
    const repeated = await post(upload('&dry_run=true'), CSV, dry, { type: 'text/csv' });
    expect([report.status, answered(repeated), replayed(repeated)]).toEqual([200, answered(report), 'true']);

    const there = fresh();
    const body = { meter_id: house.main_id, reading_timestamp: AT, value: '5' };
    expect([(await post('/api/readings', body, there)).status]).toEqual([200]);
    const again = await post('/api/readings', body, there);
    expect([again.status, replayed(again)]).toEqual([200, 'true']);

    const changed = fresh();
    const { token } = await server.newPerson();
    const passwords = { current_password: PASSWORD, new_password: 'another sentence that is long enough' };
    expect((await post('/api/auth/change-password', passwords, changed, { token })).status).toBe(204);
    const gone = await post('/api/auth/change-password', passwords, changed, { token });
    expect([gone.status, gone.body, replayed(gone)]).toEqual([204, '', 'true']);
  });

  test('after 24 hours it is a fresh key; what has expired is cleared away, a little at a time', async () => {
    for (let i = 0; i < 25; i++) await post('/api/properties', property(`Old ${i}`), `old-${i}`);
    const { idempotency_keys: before } = await counts(server.db);
    const renewed = await server.anonymous.login({
      body: { username: house.owner.username, password: 'a sentence that is long enough' },
    });
    now_ms += DAY_MS - 1000;
    const { refresh_token } = renewed;
    const { access_token: token } = await server.anonymous.refresh({
      body: { refresh_token: refresh_token! },
    });
    expect(replayed(await post('/api/properties', property('Old 0'), 'old-0', { token }))).toBe('true');
    now_ms += 1000;
    const first = await post('/api/properties', property('Old 0'), 'old-0', { token });
    expect([first.status, replayed(first)]).toEqual([201, null]);
    // Its own row is taken over; ten others are gone.
    expect((await counts(server.db)).idempotency_keys).toBe(before! - 10);
    // Nothing else of the old answers is known either: other content is welcome.
    expect((await post('/api/properties', property('New'), 'old-24', { token })).status).toBe(201);
    house.owner.token = token;
  });

  test.each([
    ['empty', ''],
    ['with a space', 'a b'],
    ['too long', 'x'.repeat(256)],
    ['not ASCII', 'nyckel-å'],
  ])('a key that is %s: 400', async (_, key) => {
    const before = await counts(server.db);
    expectProblem(await post('/api/properties', property('Bad'), key), 'invalid_request');
    expect(await counts(server.db)).toEqual(before);
  });

  test('the longest key, and every visible character, are taken', async () => {
    const visible = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join('');
    for (const key of ['y'.repeat(255), visible]) {
      expect((await post('/api/properties', property('Fine'), key)).status).toBe(201);
      expect(replayed(await post('/api/properties', property('Fine'), key))).toBe('true');
    }
  });

  test('public calls pay it no heed: their answers are secret', async () => {
    const body = { username: house.owner.username, password: 'a sentence that is long enough' };
    const before = await counts(server.db);
    const headers = { 'idempotency-key': 'öppen' };
    const [one, two] = [
      await server.call('POST', '/api/auth/login', { body, headers }),
      await server.call('POST', '/api/auth/login', { body, headers }),
    ];
    expect([one.status, two.status, replayed(two)]).toEqual([200, 200, null]);
    expect(two.body.refresh_token).not.toBe(one.body.refresh_token);
    expect((await counts(server.db)).idempotency_keys).toBe(before.idempotency_keys);
  });

  test('without a key nothing more is asked of the database; with one, four statements', async () => {
    let hour = 0;
    const record = (headers: Record<string, string>) => {
      const reading_timestamp = new Date(Date.parse('2020-01-01T00:00:00Z') + hour++ * 3_600_000);
      const body = { meter_id: house.main_id, reading_timestamp, value: `${hour}` };
      return server.call('POST', '/api/readings', { token: house.owner.token, body, headers });
    };
    for (let i = 0; i < 5; i++) await record({});
    const plain = (await counted(engine, () => record({}))).statements;
    expect(plain.length).toBeGreaterThan(5);
    expect(plain.filter((text) => /idempotency_keys|request_counts|SAVEPOINT further/.test(text))).toEqual(
      [],
    );
    const keyed = (await counted(engine, () => record({ 'idempotency-key': fresh() }))).statements;
    const about = keyed.filter((text) => text.includes('idempotency_keys'));
    expect([about.length, keyed.length]).toEqual([4, plain.length + 4]);
  });

  test('what is kept cannot be read in the database', async () => {
    await post('/api/properties', property('Unreadable'), fresh());
    const rows = await server.db.read.selectFrom('idempotency_keys').selectAll().execute();
    for (const { answer } of rows) {
      expect(answer).toMatch(/^[\w-]{40,}$/);
      expect(Buffer.from(answer, 'base64url').toString('latin1')).not.toMatch(/status|Unreadable/);
    }
  });
});
