/** Keys for devices and scripts: what they may, what they leave in the ledger, and where their secrets are not. */
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_API_KEYS } from '../../src/contract/api-keys.ts';
import { type Contracts, contracts } from '../../src/contract/index.ts';
import { type Contract, type Scope, scopeOf } from '../../src/contract/schema.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counted } from '../support/statements.ts';
import { counts, everything } from '../support/tables.ts';
import { standalone } from '../support/verifier.ts';

const SHORT_MS = 600_000;
const AT = '2026-01-01T00:00:00Z';

/** What a key may call. A contract without a row fails to compile: somebody has to decide. */
const SCOPES: Record<keyof Contracts, Scope | 'never' | 'public'> = {
  register: 'public',
  login: 'public',
  refresh: 'public',
  logout: 'never',
  listSessions: 'never',
  endSession: 'never',
  changePassword: 'never',
  forgotPassword: 'public',
  resetPassword: 'public',
  getMe: 'never',
  updateMe: 'never',
  deleteMe: 'never',
  listMyProperties: 'read',
  getDashboard: 'read',
  createApiKey: 'never',
  listApiKeys: 'never',
  deleteApiKey: 'never',
  createProperty: 'never',
  listProperties: 'read',
  getProperty: 'read',
  updateProperty: 'never',
  deleteProperty: 'never',
  restoreProperty: 'never',
  listMembers: 'never',
  setMember: 'never',
  removeMember: 'never',
  createInvitation: 'never',
  listInvitations: 'never',
  revokeInvitation: 'never',
  getInvitation: 'public',
  acceptInvitation: 'never',
  createMainMeter: 'never',
  createSubmeter: 'never',
  listMeters: 'read',
  getMeter: 'read',
  updateMeter: 'never',
  deleteMeter: 'never',
  restoreMeter: 'never',
  listDevices: 'read',
  describeDevice: 'never',
  correctDevice: 'never',
  confirmDevice: 'never',
  replaceDevice: 'never',
  undoReplacement: 'never',
  createReading: 'readings:write',
  createReadings: 'readings:write',
  importReadings: 'readings:write',
  createDeviceReading: 'readings:write',
  createDeviceReadings: 'readings:write',
  createMqttTopic: 'never',
  listMqttTopics: 'read',
  deleteMqttTopic: 'never',
  getReading: 'read',
  correctReading: 'never',
  voidReading: 'never',
  settleRollover: 'never',
  confirmReading: 'never',
  listRevisions: 'read',
  uploadPhoto: 'readings:write',
  getPhoto: 'read',
  proveReading: 'read',
  listBatches: 'read',
  verifyLedger: 'read',
  exportLedger: 'read',
  undoBatch: 'never',
  getSummary: 'read',
  getLatest: 'read',
  getHistory: 'read',
  getMeterRange: 'read',
  getPropertyRange: 'read',
  exportReadings: 'read',
  archiveProperty: 'never',
  restoreArchive: 'never',
  getConsumption: 'read',
  getSeries: 'read',
  listAttention: 'read',
  getHealth: 'public',
  getReadiness: 'public',
  getOpenapi: 'public',
};
const every = Object.entries(contracts as Record<string, Contract>) as [keyof Contracts, Contract][];

test('every contract has the scope that its row asks for', () => {
  for (const [name, contract] of every) {
    const declared = contract.public ? 'public' : (scopeOf(contract) ?? 'never');
    expect([name, declared]).toEqual([name, SCOPES[name]]);
  }
});

describe.each(ENGINES)('API keys on %s', (engine) => {
  let server: TestServer;
  let now_ms = Date.parse('2026-06-15T12:00:00Z');
  let logged = '';
  let anna: Person;
  let house: House;
  beforeAll(async () => {
    const stream = new Writable({
      write(chunk, _encoding, done) {
        logged += chunk;
        done();
      },
    });
    server = await startServer(engine, { clock: () => now_ms, log: pino({ level: 'trace' }, stream) });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    anna = await server.newPerson();
    house = await newHouse(server, { owner: anna });
  });

  const KEYS = '/api/users/me/api-keys';
  const as = (token: string) => (method: string, path: string, body?: unknown) =>
    server.call(method, path, { token, body });
  const make = (body: object, who = anna) => as(who.token)('POST', KEYS, { name: 'pi', ...body });
  /** A key that the test takes for granted. @returns its secret and its id */
  async function given(
    scopes: Scope[],
    more: object = {},
    who = anna,
  ): Promise<{ secret: string; id: number }> {
    const { status, body } = await make({ scopes, ...more }, who);
    expect(status).toBe(201);
    return body;
  }
  const list = async (who = anna) => (await as(who.token)('GET', KEYS)).body;
  const reading = (meter_id = house.main_id, value = '1', at = AT) => ({
    meter_id,
    reading_timestamp: at,
    value,
  });
  const property = () => `/api/properties/${house.property_id}`;

  test('the secret is shown once; the list shows how it begins', async () => {
    const expires_at = '2027-01-01T00:00:00Z';
    const body = {
      name: ' cellar ',
      scopes: ['read', 'readings:write'],
      property_id: house.property_id,
      expires_at,
    };
    const answer = await make(body);
    expect(answer.status).toBe(201);
    const { secret, ...shown } = answer.body;
    expect(secret).toMatch(/^electric_[A-Za-z0-9_-]{48}$/);
    expect(shown).toEqual({
      id: expect.any(Number),
      name: 'cellar',
      prefix: secret.slice(0, 15),
      scopes: ['read', 'readings:write'],
      property_id: house.property_id,
      created_at: '2026-06-15T12:00:00Z',
      expires_at,
      last_used_at: null,
    });
    const second = await make({ scopes: ['read'] });
    expect(second.body).toMatchObject({ property_id: null, expires_at: null });
    const { secret: _, ...newest } = second.body;
    expect(await list()).toEqual({ items: [newest, shown], total: 2, limit: 100, offset: 0 });
    expect(await list(await server.newPerson())).toEqual({ items: [], total: 0, limit: 100, offset: 0 });
  });

  test.each([
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['write'] }, 'scopes.0'],
    [{ scopes: ['read', 'read'] }, 'scopes'],
    [{ scopes: 'read' }, 'scopes'],
    [{}, 'scopes'],
    [{ scopes: ['read'], name: '' }, 'name'],
    [{ scopes: ['read'], name: 'a\nb' }, 'name'],
    [{ scopes: ['read'], name: 'x'.repeat(101) }, 'name'],
    [{ scopes: ['read'], expires_at: '2026-06-15T12:00:00Z' }, 'expires_at'],
    [{ scopes: ['read'], expires_at: '2027-01-01' }, 'expires_at'],
    [{ scopes: ['read'], user_id: 1 }, 'user_id'],
  ])('%j: 422', async (body, path) => {
    expectProblem(await make(body), 'validation_failed', { errors: [path] });
    expect((await list()).total).toBe(0);
  });

  test('a property must be within reach', async () => {
    const theirs = await newHouse(server);
    expectProblem(await make({ scopes: ['read'], property_id: theirs.property_id }), 'forbidden');
    expectProblem(await make({ scopes: ['read'], property_id: 999_999 }), 'not_found');
    const flat = await theirs.submeter('flat');
    await join(theirs, anna, 'tenant', [flat]);
    expect((await make({ scopes: ['read'], property_id: theirs.property_id })).status).toBe(201);
  });

  test(`there are ${MAX_API_KEYS} of them at most, also if they are asked for at once`, async () => {
    const wanted = Array.from({ length: MAX_API_KEYS + 5 }, () => make({ scopes: ['read'] }));
    const answers = await Promise.all(wanted);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(MAX_API_KEYS);
    for (const refused of answers.filter(({ status }) => status !== 201))
      expectProblem(refused, 'too_many_api_keys');
    const { items, total } = await list();
    expect([items.length, total]).toEqual([MAX_API_KEYS, MAX_API_KEYS]);
    expect((await as(anna.token)('DELETE', `${KEYS}/${items[0].id}`)).status).toBe(204);
    expect((await make({ scopes: ['read'] })).status).toBe(201);
    // Somebody else's do not count.
    expect((await make({ scopes: ['read'] }, await server.newPerson())).status).toBe(201);
  });

  test('a deleted one is refused at once; only its user may delete it', async () => {
    const { secret, id } = await given(['read']);
    const other = await server.newPerson();
    expectProblem(await as(other.token)('DELETE', `${KEYS}/${id}`), 'forbidden');
    expectProblem(await as(anna.token)('DELETE', `${KEYS}/999999`), 'not_found');
    expect((await as(secret)('GET', property())).status).toBe(200);
    expect((await as(anna.token)('DELETE', `${KEYS}/${id}`)).status).toBe(204);
    expectProblem(await as(secret)('GET', property()), 'not_authenticated');
    expectProblem(await as(anna.token)('DELETE', `${KEYS}/${id}`), 'not_found');
    expectProblem(await as(other.token)('DELETE', `${KEYS}/${id}`), 'not_found');
    expect((await list()).total).toBe(0);
  });

  test('an expired one is refused, and still listed', async () => {
    const { secret } = await given(['read'], { expires_at: new Date(now_ms + SHORT_MS).toISOString() });
    now_ms += SHORT_MS - 1;
    expect((await as(secret)('GET', property())).status).toBe(200);
    now_ms += 1;
    expectProblem(await as(secret)('GET', property()), 'not_authenticated');
    expect((await list()).total).toBe(1);
  });

  test('what is none is refused without a look at the database', async () => {
    const { secret } = await given(['read']);
    const last = secret.at(-1) === 'A' ? 'Q' : 'A';
    const middle = secret[20] === 'A' ? 'B' : 'A';
    const forged = [
      secret.slice(0, -1) + last,
      secret.slice(0, 20) + middle + secret.slice(21),
      secret.slice(0, -1),
      `${secret}A`,
      secret.toUpperCase(),
      secret.replace('electric_', ''),
      secret.replace('electric_', 'electric-'),
      `electric_${'A'.repeat(48)}`,
      'electric_',
      createHash('sha256').update(secret).digest('hex'),
      `electric_${createHash('sha256').update(secret).digest('hex')}`,
    ];
    for (const token of forged) {
      const { statements } = await counted(engine, async () =>
        expectProblem(await as(token)('GET', property()), 'not_authenticated'),
      );
      expect([token, statements]).toEqual([token, []]);
    }
    expect((await as(secret)('GET', property())).status).toBe(200);
  });

  test('every route, with every key', async () => {
    const { secret: reads } = await given(['read']);
    const { secret: writes } = await given(['readings:write']);
    const { secret: both } = await given(['read', 'readings:write']);
    const keys: [string, Scope[]][] = [
      [reads, ['read']],
      [writes, ['readings:write']],
      [both, ['read', 'readings:write']],
    ];
    const before = { ...(await counts(server.db)), api_keys: 0 };
    for (const [name, { method, url }] of every) {
      const wanted = SCOPES[name];
      if (wanted === 'public') continue;
      for (const [secret, scopes] of keys) {
        // About what does not exist: whoever gets in finds nothing.
        const path = url.replace(/:\w+/g, '999999');
        const { status, body } = await as(secret)(method, path, method === 'GET' ? undefined : {});
        const let_in = wanted !== 'never' && scopes.includes(wanted);
        expect([name, scopes, body.code === 'insufficient_scope', status === 403]).toEqual([
          name,
          scopes,
          !let_in,
          !let_in,
        ]);
        expect([name, status]).not.toEqual([name, 401]);
      }
    }
    expect({ ...(await counts(server.db)), api_keys: 0 }).toEqual(before);
  });

  test('is not more than its user is now', async () => {
    const theirs = await newHouse(server);
    const [flat, shop] = [await theirs.submeter('flat'), await theirs.submeter('shop')];
    const { property_id, owner } = theirs;
    const become = (role: 'reader' | 'tenant', meter_ids?: number[]) =>
      owner.client.setMember({
        property_id,
        user_id: anna.id,
        body: { role, ...(meter_ids ? { meter_ids } : {}) },
      });
    const { secret } = await given(['read', 'readings:write']);
    const key = as(secret);
    const about = (meter: number) => key('GET', `/api/meters/${meter}`);
    expectProblem(await about(flat), 'forbidden');
    await become('reader');
    expect((await about(shop)).status).toBe(200);
    expect((await key('GET', `/api/properties/${property_id}/ledger`)).status).toBe(200);
    expect((await key('POST', '/api/readings', reading(shop))).status).toBe(201);
    await become('tenant', [flat]);
    expectProblem(await about(shop), 'forbidden');
    expectProblem(
      await key('POST', '/api/readings', reading(shop, '2', '2026-02-01T00:00:00Z')),
      'forbidden',
    );
    expectProblem(await key('GET', `/api/properties/${property_id}/ledger`), 'role_too_low');
    expect((await key('POST', '/api/readings', reading(flat))).status).toBe(201);
    await owner.client.removeMember({ property_id, user_id: anna.id });
    expectProblem(await about(flat), 'forbidden');
    expectProblem(await key('GET', `/api/properties/${property_id}`), 'forbidden');
  });

  test('for one property it is for no other', async () => {
    const other = await newHouse(server, { owner: anna });
    const theirs = await newHouse(server);
    const id = await house.given(house.main_id, AT, '1');
    const elsewhere = await other.given(other.main_id, AT, '1');
    const { secret } = await given(['read', 'readings:write'], { property_id: house.property_id });
    const key = as(secret);
    for (const path of [property(), `/api/meters/${house.main_id}`, `/api/readings/${id}`])
      expect((await key('GET', path)).status).toBe(200);
    for (const path of [
      `/api/properties/${other.property_id}`,
      `/api/properties/${other.property_id}/meters`,
      `/api/properties/${other.property_id}/ledger/export`,
      `/api/meters/${other.main_id}`,
      `/api/readings/${elsewhere}`,
      `/api/readings/${elsewhere}/revisions`,
      `/api/readings/${elsewhere}/proof`,
      `/api/readings/meter/${other.main_id}/history`,
      `/api/readings/property/${other.property_id}/latest`,
    ])
      expectProblem(await key('GET', path), 'insufficient_scope');
    expectProblem(await key('GET', `/api/properties/${theirs.property_id}`), 'forbidden');
    expectProblem(await key('GET', '/api/properties/999999'), 'not_found');
    const before = await counts(server.db);
    const late = '2026-02-01T00:00:00Z';
    expectProblem(
      await key('POST', '/api/readings', reading(other.main_id, '2', late)),
      'insufficient_scope',
    );
    const round = { property_id: other.property_id, reading_timestamp: late, main_meter_value: '3' };
    expectProblem(
      await key('POST', '/api/readings/bulk', { ...round, submeter_readings: {} }),
      'insufficient_scope',
    );
    const upload = (property_id: number) =>
      server.call('POST', `/api/readings/import?property_id=${property_id}`, {
        token: secret,
        body: `timestamp,Main meter\n${late},3\n`,
        headers: { 'content-type': 'text/csv' },
      });
    expectProblem(await upload(other.property_id), 'insufficient_scope');
    expect(await counts(server.db)).toEqual(before);
    expect((await upload(house.property_id)).status).toBe(201);
    for (const path of ['/api/properties', '/api/users/me/properties']) {
      const { body } = await key('GET', path);
      expect([body.total, body.items.map(({ id }: { id: number }) => id)]).toEqual([1, [house.property_id]]);
    }
    const { body: dashboard } = await key('GET', '/api/users/me/dashboard');
    expect([dashboard.properties_count, dashboard.properties_summary[0].id]).toEqual([1, house.property_id]);
  });

  test('what it records says so, in the answer, in the trail and in the chain', async () => {
    const { secret, id } = await given(['read', 'readings:write'], { name: 'meter pi' });
    const key = as(secret);
    const said = { source: 'api', recorded_by_user_id: anna.id, recorded_by_api_key_id: id };
    const { status, body: one } = await key('POST', '/api/readings', reading());
    expect([status, one]).toMatchObject([201, said]);
    expect((await key('GET', `/api/readings/${one.id}`)).body).toMatchObject(said);
    // Sent again it is the same reading, whoever sends it.
    const again = await as(anna.token)('POST', '/api/readings', reading());
    expect([again.status, again.body]).toEqual([200, one]);
    const { body: round } = await key('POST', '/api/readings/bulk', {
      property_id: house.property_id,
      reading_timestamp: '2026-01-02T00:00:00Z',
      main_meter_value: '2',
      submeter_readings: {},
    });
    expect(round.items[0]).toMatchObject(said);
    await server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
      token: secret,
      body: 'timestamp,Main meter\n2026-01-03T00:00:00Z,3\n',
      headers: { 'content-type': 'text/csv' },
    });
    const by_hand = await house.given(house.main_id, '2026-01-04T00:00:00Z', '4');
    expect((await house.get(`/api/readings/${by_hand}`)).body).toMatchObject({
      source: 'manual',
      recorded_by_api_key_id: null,
    });
    const batches = async () => (await house.get(`${property()}/ledger`)).body.items;
    const named = { ...said, recorded_by: anna.username, recorded_by_api_key: 'meter pi' };
    const nobody = { source: 'manual', recorded_by_api_key_id: null, recorded_by_api_key: null };
    expect(await batches()).toMatchObject([nobody, named, named, named]);
    const { body: trail } = await house.get(`/api/readings/${one.id}/revisions`);
    expect(trail.items[0]).toMatchObject({ ...said, recorded_by: anna.username });

    // Its id stays, and so does its name.
    await as(anna.token)('DELETE', `${KEYS}/${id}`);
    expect(await batches()).toMatchObject([nobody, named, named, named]);
    const { body: verified } = await house.get(`${property()}/ledger/verify`);
    expect(verified).toMatchObject({ verified: true, batches: 4 });
    const { body: file } = await house.get(`${property()}/ledger/export`);
    expect(file).not.toContain('meter pi');
    expect((await standalone(file)).code).toBe(0);
    // Whoever says it was another key, or none, is found out.
    for (const other of ['null', String(id + 1)]) {
      const forged = file.replace(`"recorded_by_api_key_id":${id}`, `"recorded_by_api_key_id":${other}`);
      expect(forged).not.toBe(file);
      expect((await standalone(forged)).code).toBe(1);
    }
    expect((await standalone(file.replace(`"recorded_by_api_key_id":${id},`, ''))).code).toBe(1);
  });

  test('its last use is noted, at most once a minute', async () => {
    const { secret } = await given(['read']);
    const used = async () => (await list()).items[0].last_used_at;
    const use = () => as(secret)('GET', property());
    const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
    expect(await used()).toBeNull();
    await use();
    const first_ms = now_ms;
    expect(await used()).toBe(iso(first_ms));
    now_ms += 59_999;
    await use();
    expect(await used()).toBe(iso(first_ms));
    now_ms += 1;
    await use();
    expect(await used()).toBe(iso(first_ms + 60_000));
  });

  test('a repeat by another credential is no repeat', async () => {
    const { secret } = await given(['readings:write'], { property_id: house.property_id });
    const other = await newHouse(server, { owner: anna });
    const headers = { 'idempotency-key': 'once' };
    const send = (token: string) =>
      server.call('POST', '/api/readings', { token, body: reading(other.main_id), headers });
    expect((await send(anna.token)).status).toBe(201);
    expectProblem(await send(secret), 'idempotency_key_reused');
  });

  test('its secret is in no table and in no log, only its hash is', async () => {
    const { secret } = await given(['read', 'readings:write']);
    await as(secret)('GET', property());
    await as(secret)('POST', '/api/readings', reading());
    await as(secret)('PATCH', '/api/users/me', { locale: secret });
    await as(secret)('GET', `/api/properties/${secret}`);
    await as(`${secret}x`)('GET', property());
    await as(anna.token)('POST', KEYS, { name: 'x', scopes: ['read'], secret });
    const bytes = Buffer.from(secret.slice('electric_'.length), 'base64url');
    const spellings = [
      secret.slice('electric_'.length),
      secret.slice(15, 45),
      bytes.toString('hex'),
      bytes.subarray(0, 32).toString('hex'),
      bytes.toString('base64'),
      Buffer.from(secret).toString('base64').slice(0, 60),
    ];
    const stored = JSON.stringify(await everything(server.db), (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    );
    expect(stored).toContain(createHash('sha256').update(secret).digest('hex'));
    expect(logged).toContain('/api/properties/:property_id');
    for (const text of [stored, logged])
      expect(spellings.filter((each) => text.toLowerCase().includes(each.toLowerCase()))).toEqual([]);
    expect(logged).not.toContain(createHash('sha256').update(secret).digest('hex'));
  });
});
