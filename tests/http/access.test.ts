/** Who may call what: one row per contract. A contract without a row fails here. */
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Contracts, contracts } from '../../src/contract/index.ts';
import type { Contract } from '../../src/contract/schema.ts';
import { deriveKey } from '../../src/server/secret.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, SECRET, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

interface Ids {
  property_id: number;
  meter_id: number;
  reading_id: number;
  batch_id: number;
  device_id: number;
  implausible_id: number;
  /** A meter whose first device nobody has described. */
  undescribed_id: number;
  implausible_device_id: number;
}

/**
 * public: works without credentials. own: only ever about the caller. Else: a valid request about the resources
 * in `ids`; what the path needs is filled in from there.
 */
type Row =
  | 'public'
  | 'own'
  | ((ids: Ids) => {
      params?: Record<string, number>;
      query?: Record<string, string | number>;
      body?: object | string;
      type?: string;
    });

const AT = '2026-01-01T00:00:00Z';
const PERIOD = { start_date: '2026-01-01', end_date: '2026-02-01' };

const ROWS: Record<keyof Contracts, Row> = {
  register: 'public',
  login: 'public',
  refresh: 'public',
  logout: 'own',
  getMe: 'own',
  createProperty: 'own',
  listProperties: 'own',
  getProperty: () => ({}),
  updateProperty: () => ({ body: { address: 'Storgatan 1' } }),
  createMainMeter: ({ property_id }) => ({ body: { property_id } }),
  createSubmeter: ({ property_id }) => ({ body: { property_id, name: 'sauna' } }),
  listMeters: () => ({}),
  getMeter: () => ({}),
  updateMeter: () => ({ body: { location: 'cellar' } }),
  createReading: ({ meter_id }) => ({
    body: { meter_id, reading_timestamp: '2026-02-01T00:00:00Z', value: '9' },
  }),
  createReadings: ({ property_id }) => ({
    body: {
      property_id,
      reading_timestamp: '2026-03-01T00:00:00Z',
      main_meter_value: '9',
      submeter_readings: {},
    },
  }),
  importReadings: ({ property_id }) => ({
    query: { property_id },
    type: 'text/csv',
    body: 'timestamp,Main meter\n2026-04-01T00:00:00Z,9\n',
  }),
  getReading: () => ({}),
  correctReading: () => ({ body: { value: '7', reason: 'misread' } }),
  voidReading: () => ({ query: { reason: 'wrong meter' } }),
  settleRollover: () => ({ body: { digits: 1 } }),
  confirmReading: ({ implausible_id }) => ({ params: { reading_id: implausible_id }, body: {} }),
  listRevisions: () => ({}),
  listDevices: () => ({}),
  describeDevice: ({ undescribed_id }) => ({
    params: { meter_id: undescribed_id },
    body: { serial_number: 'A-1' },
  }),
  correctDevice: () => ({ body: { serial_number: 'A-1', reason: 'read the plate' } }),
  confirmDevice: ({ undescribed_id, implausible_device_id }) => ({
    params: { meter_id: undescribed_id, device_id: implausible_device_id },
    body: {},
  }),
  replaceDevice: () => ({
    body: { replaced_at: '2026-05-01T00:00:00Z', final_value: '10', initial_value: '0' },
  }),
  undoReplacement: () => ({ query: { reason: 'wrong meter' } }),
  listAttention: () => ({}),
  listBatches: () => ({}),
  verifyLedger: () => ({}),
  exportLedger: () => ({}),
  undoBatch: () => ({ body: { reason: 'wrong meter' } }),
  proveReading: () => ({}),
  getSummary: () => ({ query: { reading_timestamp: AT } }),
  getLatest: () => ({}),
  getHistory: () => ({}),
  getMeterRange: () => ({ query: PERIOD }),
  getPropertyRange: () => ({ query: PERIOD }),
  getConsumption: () => ({ query: { start_timestamp: AT, end_timestamp: '2026-01-02T00:00:00Z' } }),
  getSeries: () => ({ query: { ...PERIOD, interval: 'day' } }),
  getHealth: 'public',
  getReadiness: 'public',
  getOpenapi: 'public',
};

test('every contract has a row, and the public ones are those that say so', () => {
  expect(Object.keys(ROWS).sort()).toEqual(Object.keys(contracts).sort());
  const open = Object.values(contracts as Record<string, Contract>).filter((contract) => contract.public);
  const rows = Object.entries(ROWS).filter(([, row]) => row === 'public');
  expect(rows.map(([name]) => name).sort()).toEqual(open.map(({ name }) => name).sort());
});

const rows = Object.entries(ROWS) as [keyof Contracts, Row][];
const closed = rows.filter(([, row]) => row !== 'public').map(([name]) => name);
const shared = rows.filter(([, row]) => typeof row === 'function').map(([name]) => name);

describe.each(ENGINES)('access on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let stranger: Person;
  let ids: Ids;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
    stranger = await server.newPerson();
    ids = await freshIds();
  });
  afterAll(() => server.close());

  let year = 1950;
  /** What every call may be about: a reading that went down, its batch, and a replacement. */
  async function freshIds(): Promise<Ids> {
    year += 1;
    const replaced = { replaced_at: `${year}-01-01T00:00:00Z`, final_value: '9.5', initial_value: '0' };
    const { body: device } = await house.post(`/api/meters/${house.main_id}/replacements`, replaced);
    await house.given(house.main_id, `${year}-02-01T00:00:00Z`, '9');
    const reading_id = await house.given(house.main_id, `${year}-03-01T00:00:00Z`, '5');
    const { batch_id } = (await house.get(`/api/readings/${reading_id}`)).body;
    const { property_id, main_id: meter_id } = house;
    const undescribed_id = await house.submeter(`shed ${year}`);
    const at = (day: number) => `${year}-01-0${day}T00:00:00Z`;
    for (const day of [1, 2, 3, 4]) await house.given(undescribed_id, at(day), String(day));
    const implausible_id = await house.given(undescribed_id, at(5), '5000');
    const late = { replaced_at: at(6), final_value: '10000', initial_value: '0' };
    const { body: replaced_late } = await house.post(`/api/meters/${undescribed_id}/replacements`, late);
    return {
      ...{ property_id, meter_id, reading_id, batch_id, device_id: device.id },
      ...{ undescribed_id, implausible_id, implausible_device_id: replaced_late.id },
    };
  }

  function send(name: keyof Contracts, about: Ids, token?: string) {
    const { method, url } = contracts[name];
    const row = ROWS[name];
    const { params = {}, query = {}, body, type } = typeof row === 'function' ? row(about) : {};
    const path = url.replace(/:(\w+)/g, (_, param: string) => String({ ...about, ...params }[param]));
    const search = new URLSearchParams(
      Object.entries(query).map(([k, v]): [string, string] => [k, String(v)]),
    );
    const headers = type ? { 'content-type': type } : undefined;
    return server.call(method, `${path}?${search}`, { token, body, ...(headers ? { headers } : {}) });
  }

  test.each(closed)('%s without a token: 401', async (name) => {
    expectProblem(await send(name, ids), 'not_authenticated');
  });

  test.each(rows.filter(([, row]) => row === 'public').map(([name]) => name))(
    '%s asks nobody for a token',
    async (name) => {
      expect((await send(name, ids)).status).not.toBe(401);
    },
  );

  test.each(shared)("%s on somebody else's resource: 403, and nothing is written", async (name) => {
    const before = await counts(server.db);
    expectProblem(await send(name, ids, stranger.token), 'forbidden');
    expect(await counts(server.db)).toEqual(before);
  });

  test.each(shared)('%s on what does not exist: 404', async (name) => {
    const nothing = {
      property_id: 999_999,
      meter_id: 999_999,
      reading_id: 999_999,
      batch_id: 999_999,
      device_id: 999_999,
      implausible_id: 999_999,
      undescribed_id: 999_999,
      implausible_device_id: 999_999,
    };
    expectProblem(await send(name, nothing, stranger.token), 'not_found');
  });

  test.each(shared)('%s by the owner: the same request is a good one', async (name) => {
    const { status } = await send(name, await freshIds(), house.owner.token);
    // A second main meter is the one thing that a valid request cannot have.
    expect(status).toBe(name === 'createMainMeter' ? 409 : [201, 200, 204].find((s) => s === status));
  });

  test("lists show one's own and nothing else", async () => {
    const other = await newHouse(server, { owner: stranger });
    const mine = await house.get('/api/properties');
    expect(mine.body.items.map(({ id }: { id: number }) => id)).toEqual([house.property_id]);
    expect(mine.body.total).toBe(1);
    const theirs = await other.get('/api/properties?include_inactive=true&search=villa');
    expect(theirs.body.items.map(({ id }: { id: number }) => id)).toEqual([other.property_id]);
    expect(theirs.body.total).toBe(1);
    const meters = await other.get(`/api/properties/${other.property_id}/meters`);
    expect(meters.body.items.map(({ id }: { id: number }) => id)).toEqual([other.main_id]);
  });

  describe('a token', () => {
    const key = deriveKey(SECRET, 'access token');
    const now_s = () => Math.floor(Date.now() / 1000);
    /** A good token but for what a test changes. */
    const token = (
      { alg = 'HS256', typ = 'at+jwt', ...claims }: Record<string, unknown> = {},
      signer: Uint8Array = key,
    ) =>
      new SignJWT({
        sub: String(house.owner.id),
        iss: 'electric',
        aud: 'electric-api',
        iat: now_s(),
        exp: now_s() + 60,
        ...claims,
      })
        .setProtectedHeader({ alg: alg as string, ...(typ ? { typ: typ as string } : {}) })
        .sign(signer);

    const cases: [string, () => string | Promise<string>][] = [
      ['garbage', () => 'garbage'],
      ['three dots', () => 'a.b.c'],
      [
        'alg none',
        () =>
          new UnsecuredJWT({ sub: String(house.owner.id) })
            .setIssuer('electric')
            .setAudience('electric-api')
            .setExpirationTime('1m')
            .encode(),
      ],
      ['another algorithm', () => token({ alg: 'HS512' }, new Uint8Array(64).fill(1))],
      ['another algorithm with our key', () => token({ alg: 'HS384' }, key)],
      ['another key', () => token({}, deriveKey('another secret', 'access token'))],
      ['the key of another purpose', () => token({}, deriveKey(SECRET, 'refresh token'))],
      ['another issuer', () => token({ iss: 'somebody' })],
      ['another audience', () => token({ aud: 'electric-web' })],
      ['another type', () => token({ typ: 'JWT' })],
      ['no type', () => token({ typ: null })],
      ['expired', () => token({ exp: now_s() - 1 })],
      ['no expiry', () => token({ exp: undefined })],
      ['not valid yet', () => token({ nbf: now_s() + 600 })],
      ['no subject', () => token({ sub: undefined })],
      ...['somebody', '', '0', '-1', '1.5', '9007199254740993'].map(
        (sub): [string, () => Promise<string>] => [`the subject "${sub}"`, () => token({ sub })],
      ),
      ['a changed signature', () => house.owner.token.replace(/.$/, (c) => (c === 'A' ? 'Q' : 'A'))],
    ];
    test('a good one, made as the bad ones below, is taken', async () => {
      expect((await server.call('GET', '/api/users/me', { token: await token() })).status).toBe(200);
    });
    test.each(cases)('%s: 401', async (_, make) => {
      expectProblem(await server.call('GET', '/api/users/me', { token: await make() }), 'not_authenticated');
    });
    test.each(['Basic abc', 'Bearer', 'Bearer ', ''])('Authorization: "%s": 401', async (authorization) => {
      const answer = await server.call('GET', '/api/users/me', { headers: { authorization } });
      expectProblem(answer, 'not_authenticated');
    });
    test('the scheme may be written in lower case', async () => {
      const headers = { authorization: `bearer ${house.owner.token}` };
      expect((await server.call('GET', '/api/users/me', { headers })).status).toBe(200);
    });
  });
});

describe('an access token', () => {
  test('is good until it expires, not longer, though it was good a moment ago', async () => {
    let now_ms = Date.parse('2026-06-15T12:00:00Z');
    const server = await startServer('sqlite', { clock: () => now_ms });
    const { token } = await server.newPerson();
    const me = () => server.call('GET', '/api/users/me', { token });
    now_ms += 30 * 60_000 - 1000;
    expect((await me()).status).toBe(200);
    now_ms += 1000;
    expectProblem(await me(), 'not_authenticated');
    await server.close();
  });
});
