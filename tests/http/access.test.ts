/** Who may call what: every contract × every caller × every target. A contract without a row fails here. */
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Contracts, contracts } from '../../src/contract/index.ts';
import { PROBLEMS, type ProblemCode } from '../../src/contract/problem.ts';
import { type Contract, ROLES, type Role } from '../../src/contract/schema.ts';
import { deriveKey } from '../../src/server/secret.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, type Person, SECRET, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

/** What requests are about: `meter_id` is one that the tenant sees, the reading and the batch are the caller's own. */
interface Ids {
  property_id: number;
  meter_id: number;
  reading_id: number;
  batch_id: number;
  device_id: number;
  /** A member whom nobody minds. */
  user_id: number;
  invitation_id: number;
  topic_id: number;
}

interface Shared {
  /** The lowest role that gets what it asks for. */
  lowest: Role;
  /** What the contract says, where that is another role: some callers are refused for more than their role. */
  declared?: Role;
  /** What a good request is answered with, if not with a success. */
  answer?: ProblemCode;
  /** Whether it changes something that an inactive property must not change. */
  refused_if_inactive?: true;
  /** Whether it leaves a house that others could not use: it gets one of its own. */
  alone?: true;
  request?: (ids: Ids) => { query?: Record<string, string | number>; body?: object | string; type?: string };
}

/** public: works without credentials. own: only ever about the caller. Else: about a property, or a part of one. */
type Row = 'public' | 'own' | Shared;

const AT = '2026-01-01T00:00:00Z';
const PERIOD = { start_date: '2026-01-01', end_date: '2026-02-01' };
const SEEN: Shared = { lowest: 'tenant' };
const SEEN_IN_PERIOD: Shared = { lowest: 'tenant', request: () => ({ query: PERIOD }) };
const WHOLE: Shared = { lowest: 'reader' };
const records = (lowest: Role, request: Shared['request']): Shared => ({
  lowest,
  refused_if_inactive: true,
  request: request!,
});
let names = 0;

const ROWS: Record<keyof Contracts, Row> = {
  register: 'public',
  login: 'public',
  forgotPassword: 'public',
  resetPassword: 'public',
  refresh: 'public',
  logout: 'own',
  listSessions: 'own',
  endSession: 'own',
  changePassword: 'own',
  getMe: 'own',
  updateMe: 'own',
  deleteMe: 'own',
  listMyProperties: 'own',
  getDashboard: 'own',
  createApiKey: 'own',
  listApiKeys: 'own',
  deleteApiKey: 'own',
  createProperty: 'own',
  listProperties: 'own',
  getProperty: SEEN,
  updateProperty: { lowest: 'owner', request: () => ({ body: { address: 'Storgatan 1' } }) },
  deleteProperty: { lowest: 'owner', alone: true, request: () => ({ query: { cascade: 'true' } }) },
  restoreProperty: { lowest: 'owner', alone: true },
  listMembers: { lowest: 'owner' },
  setMember: { lowest: 'owner', request: () => ({ body: { role: 'reader' } }) },
  removeMember: { lowest: 'owner', declared: 'tenant' },
  createInvitation: { lowest: 'owner', request: () => ({ body: { role: 'reader' } }) },
  listInvitations: { lowest: 'owner' },
  revokeInvitation: { lowest: 'owner' },
  getInvitation: 'public',
  acceptInvitation: 'own',
  createMainMeter: {
    ...records('editor', ({ property_id }) => ({ body: { property_id } })),
    // A second main meter is the one thing that a valid request cannot have.
    answer: 'main_meter_exists',
  },
  createSubmeter: records('editor', ({ property_id }) => {
    names += 1;
    return { body: { property_id, name: `sauna ${names}` } };
  }),
  listMeters: SEEN,
  getMeter: SEEN,
  updateMeter: { lowest: 'editor', request: () => ({ body: { location: 'cellar' } }) },
  deleteMeter: { lowest: 'editor', refused_if_inactive: true, alone: true },
  restoreMeter: { lowest: 'editor', refused_if_inactive: true },
  createReading: records('tenant', ({ meter_id }) => ({
    body: { meter_id, reading_timestamp: '2026-02-01T00:00:00Z', value: '9' },
  })),
  createReadings: records('reader', ({ property_id }) => ({
    body: {
      property_id,
      reading_timestamp: '2026-03-01T00:00:00Z',
      main_meter_value: '9',
      submeter_readings: {},
    },
  })),
  importReadings: records('tenant', ({ property_id }) => ({
    query: { property_id },
    type: 'text/csv',
    body: 'timestamp,flat\n2026-04-01T00:00:00Z,9\n',
  })),
  createDeviceReading: records('tenant', () => ({
    body: { value: '9', reading_timestamp: '2026-06-01T00:00:00Z' },
  })),
  createDeviceReadings: records('tenant', () => ({
    body: [{ name: 'flat', value: '9', timestampLong: '1783296000' }],
  })),
  createMqttTopic: records('editor', () => {
    names += 1;
    return { body: { topic: `house/${names}` } };
  }),
  listMqttTopics: { lowest: 'editor' },
  deleteMqttTopic: { lowest: 'editor' },
  getReading: SEEN,
  correctReading: records('tenant', () => ({ body: { value: '7', reason: 'misread' } })),
  voidReading: records('tenant', () => ({ query: { reason: 'wrong meter' } })),
  settleRollover: records('editor', () => ({ body: { digits: 1 } })),
  // What is not flagged cannot be confirmed.
  confirmReading: { ...records('editor', () => ({ body: {} })), answer: 'validation_failed' },
  listRevisions: SEEN,
  // Its readings were recorded without photos.
  uploadPhoto: { lowest: 'tenant', answer: 'not_found', request: () => ({ type: 'image/jpeg', body: 'x' }) },
  getPhoto: { lowest: 'tenant', answer: 'not_found' },
  listDevices: SEEN,
  // The first device of every meter here has been described.
  describeDevice: {
    ...records('editor', () => ({ body: { serial_number: 'A-1' } })),
    answer: 'device_described',
  },
  correctDevice: records('editor', () => {
    names += 1;
    return { body: { serial_number: `A-${names}`, reason: 'read the plate' } };
  }),
  confirmDevice: { ...records('editor', () => ({ body: {} })), answer: 'validation_failed' },
  replaceDevice: records('editor', () => {
    names += 1;
    const replaced_at = new Date(Date.parse('2026-05-01T00:00:00Z') + names * 60_000).toISOString();
    return { body: { replaced_at, final_value: '10', initial_value: '0' } };
  }),
  undoReplacement: records('editor', () => ({ query: { reason: 'wrong meter' } })),
  listAttention: SEEN,
  listBatches: WHOLE,
  verifyLedger: WHOLE,
  exportLedger: WHOLE,
  undoBatch: records('reader', () => ({ body: { reason: 'wrong meter' } })),
  proveReading: SEEN,
  getSummary: { lowest: 'tenant', request: () => ({ query: { reading_timestamp: AT } }) },
  getLatest: SEEN,
  getHistory: SEEN,
  getMeterRange: SEEN_IN_PERIOD,
  getPropertyRange: SEEN_IN_PERIOD,
  exportReadings: SEEN,
  archiveProperty: { lowest: 'owner' },
  restoreArchive: {
    lowest: 'owner',
    answer: 'property_not_empty',
    refused_if_inactive: true,
    request: () => ({ type: 'application/zip', body: 'PK' }),
  },
  getConsumption: {
    lowest: 'tenant',
    request: () => ({ query: { start_timestamp: AT, end_timestamp: '2026-01-02T00:00:00Z' } }),
  },
  getSeries: { lowest: 'tenant', request: () => ({ query: { ...PERIOD, interval: 'day' } }) },
  getHealth: 'public',
  getReadiness: 'public',
  getOpenapi: 'public',
};

const rows = Object.entries(ROWS) as [keyof Contracts, Row][];
const shared = rows.filter((row): row is [keyof Contracts, Shared] => typeof row[1] === 'object');

describe('the table', () => {
  const every: Record<string, Contract> = contracts;
  const named = (rows: [string, unknown][]) => rows.map(([name]) => name).sort();

  test('has a row for every contract, and the public ones are those that say so', () => {
    expect(named(rows)).toEqual(Object.keys(contracts).sort());
    const open = Object.entries(every).filter(([, contract]) => contract.public);
    expect(named(rows.filter(([, row]) => row === 'public'))).toEqual(named(open));
  });

  test('and every contract declares the role that its row asks for', () => {
    for (const [name, { role }] of Object.entries(every)) {
      const row = ROWS[name as keyof Contracts];
      expect([name, role]).toEqual([
        name,
        typeof row === 'string' ? undefined : (row.declared ?? row.lowest),
      ]);
    }
  });
});

const CALLERS = [...ROLES, 'stranger', 'removed', 'signed out'] as const;
type Caller = (typeof CALLERS)[number];
const TARGETS = ['own', 'inactive', 'other', 'absent'] as const;
type Target = (typeof TARGETS)[number];

const isMember = (caller: Caller): caller is Role => (ROLES as readonly string[]).includes(caller);

/** What a request of the table must be answered with: a problem's code, or success. */
function expected(
  { lowest, answer, refused_if_inactive }: Shared,
  caller: Caller,
  target: Target,
): ProblemCode | 'success' {
  if (caller === 'signed out') return 'not_authenticated';
  if (target === 'absent') return 'not_found';
  if (target === 'other' || !isMember(caller)) return 'forbidden';
  if (ROLES.indexOf(caller) > ROLES.indexOf(lowest)) return 'role_too_low';
  if (target === 'inactive' && refused_if_inactive) return 'property_inactive';
  return answer ?? 'success';
}

const NOTHING = 999_999;
const ABSENT: Ids = {
  property_id: NOTHING,
  meter_id: NOTHING,
  reading_id: NOTHING,
  batch_id: NOTHING,
  device_id: NOTHING,
  user_id: NOTHING,
  invitation_id: NOTHING,
  topic_id: NOTHING,
};

/** A house with everybody in it; `flat` is the tenant's meter, `shop` is not. */
interface Home {
  house: House;
  flat_id: number;
  shop_id: number;
}

describe.each(ENGINES)('access on %s', (engine) => {
  let server: TestServer;
  const people = {} as Record<Exclude<Caller, 'signed out'> | 'other' | 'bystander', Person>;
  let home: Home;
  let house: House;
  /** What each caller asks for where they are refused, or where nothing new can be recorded. */
  const there = { own: {}, inactive: {}, other: {} } as Record<
    Exclude<Target, 'absent'>,
    Record<Caller, Ids>
  >;

  beforeAll(async () => {
    server = await startServer(engine, {}, { MQTT_URL: 'mqtt://127.0.0.1', MQTT_PROPERTIES: 'all' });
    for (const who of [...CALLERS, 'other', 'bystander'] as const) {
      if (who !== 'signed out') people[who] = await server.newPerson();
    }
    home = await newHome(people.owner);
    house = home.house;
    await moveIn(home);
    const inactive = await newHome(people.owner);
    await moveIn(inactive);
    const other = await newHome(people.other);
    await join(other.house, people.bystander, 'reader');
    for (const caller of CALLERS) {
      there.own[caller] = await freshIds(home, caller);
      there.inactive[caller] = await freshIds(inactive, caller);
      there.other[caller] = await freshIds(other, 'signed out');
    }
    await inactive.house.retire('properties', inactive.house.property_id);
  });
  afterAll(() => server.close());

  async function newHome(owner: Person): Promise<Home> {
    const house = await newHouse(server, { owner });
    const described = { device: { serial_number: 'S-1' } };
    return {
      house,
      flat_id: await house.submeter('flat', described),
      shop_id: await house.submeter('shop', described),
    };
  }

  async function moveIn({ house, flat_id }: Home): Promise<void> {
    await join(house, people.editor, 'editor');
    await join(house, people.reader, 'reader');
    await join(house, people.tenant, 'tenant', [flat_id]);
    await join(house, people.bystander, 'reader');
    await join(house, people.removed, 'editor');
    await house.owner.client.removeMember({ property_id: house.property_id, user_id: people.removed.id });
  }

  let days = 0;
  /** Nobody has recorded anything on this day yet. */
  function freshDay(): (hour: number) => string {
    days += 1;
    const start_ms = Date.parse('1950-01-01T00:00:00Z') + days * 86_400_000;
    return (hour) => new Date(start_ms + hour * 3_600_000).toISOString();
  }

  /** A reading that went down, recorded by the caller if they are one who records; its batch, a replacement … */
  async function freshIds(
    { house, flat_id }: Home,
    caller: Caller,
    meter_id = flat_id,
    recorder: Person = isMember(caller) ? people[caller] : house.owner,
  ): Promise<Ids> {
    const at = freshDay();
    const { property_id, owner } = house;
    const replaced = { replaced_at: at(1), final_value: '9.5', initial_value: '0' };
    const device = await owner.client.replaceDevice({ meter_id, body: replaced });
    await house.given(meter_id, at(2), '9');
    const body = { meter_id, reading_timestamp: at(3), value: '5' };
    const { id: reading_id, batch_id } = await recorder.client.createReading({ body });
    const topic = { topic: `house/${meter_id}/${at(3)}` };
    const { id: topic_id } = await owner.client.createMqttTopic({ meter_id, body: topic });
    return {
      property_id,
      meter_id,
      reading_id,
      batch_id,
      device_id: device.id!,
      topic_id,
      ...(await freshPeople(house)),
    };
  }

  /** Somebody to speak of, and an invitation that nobody has accepted. */
  async function freshPeople({ owner, property_id }: House) {
    const { items } = await owner.client.listMembers({ property_id });
    if (!items.some(({ user_id }) => user_id === people.bystander.id)) {
      await join({ owner, property_id }, people.bystander, 'reader');
    }
    const { id } = await owner.client.createInvitation({ property_id, body: { role: 'reader' } });
    return { user_id: people.bystander.id, invitation_id: id };
  }

  /** A house that nobody else asks about. */
  async function idsAlone(caller: Caller, target: Target): Promise<Ids> {
    const own = await newHome(people.owner);
    await moveIn(own);
    const ids = await freshIds(own, caller, own.flat_id);
    if (target === 'inactive') await own.house.retire('properties', ids.property_id);
    return ids;
  }

  async function idsFor(caller: Caller, target: Target, wanted: string, { alone }: Shared): Promise<Ids> {
    if (target === 'absent') return ABSENT;
    if (alone && wanted === 'success') return idsAlone(caller, target);
    if (target === 'own' && wanted === 'success') return freshIds(home, caller);
    const ids = there[target][caller];
    return target !== 'inactive' || caller !== 'owner'
      ? ids
      : { ...ids, ...(await freshPeople({ ...house, property_id: ids.property_id })) };
  }

  /** Sends the latest request once more, to the letter. */
  let last_sent: () => Promise<CallResult>;

  function send(
    name: keyof Contracts,
    about: Ids,
    caller: Caller,
    more: Record<string, string> = {},
  ): Promise<CallResult> {
    const { method, url } = contracts[name];
    const row = ROWS[name];
    const { query = {}, body, type } = (typeof row === 'object' && row.request?.(about)) || {};
    const path = url.replace(/:(\w+)/g, (_, param: keyof Ids) => String(about[param]));
    const search = new URLSearchParams(
      Object.entries(query).map(([k, v]): [string, string] => [k, String(v)]),
    );
    const headers = { ...more, ...(type ? { 'content-type': type } : {}) };
    const token = caller === 'signed out' ? undefined : people[caller].token;
    last_sent = () => server.call(method, `${path}?${search}`, { token, body, headers });
    return last_sent();
  }

  const outcome = ({ status, body }: CallResult): string =>
    status < 300
      ? 'success'
      : status === PROBLEMS[body.code as ProblemCode]?.status
        ? body.code
        : `${status}`;

  test.each(shared)('%s, by everybody about everything', async (name, row) => {
    const cells = TARGETS.flatMap((target) => CALLERS.map((caller) => ({ caller, target })));
    const found: Record<string, string> = {};
    const wanted = Object.fromEntries(
      cells.map(({ caller, target }) => [`${caller}: ${target}`, expected(row, caller, target)]),
    );
    const refused = cells.filter(({ caller, target }) => expected(row, caller, target) !== 'success');
    const about = new Map<object, Ids>();
    for (const cell of cells) {
      const { caller, target } = cell;
      about.set(cell, await idsFor(caller, target, wanted[`${caller}: ${target}`]!, row));
    }
    const before = await counts(server.db);
    for (const cell of refused) {
      found[`${cell.caller}: ${cell.target}`] = outcome(await send(name, about.get(cell)!, cell.caller));
    }
    expect(await counts(server.db), 'a refused call left something behind').toEqual(before);
    for (const cell of cells.filter((each) => !refused.includes(each))) {
      found[`${cell.caller}: ${cell.target}`] = outcome(await send(name, about.get(cell)!, cell.caller));
    }
    expect(found).toEqual(wanted);
  });

  test.each(rows.filter(([, row]) => row === 'own').map(([name]) => name))(
    '%s without a token: 401',
    async (name) => {
      expectProblem(await send(name, ABSENT, 'signed out'), 'not_authenticated');
    },
  );

  test.each(rows.filter(([, row]) => row === 'public').map(([name]) => name))(
    '%s asks nobody for a token',
    async (name) => {
      expect((await send(name, ABSENT, 'signed out')).status).not.toBe(401);
    },
  );

  describe('a meter that a tenant does not see belongs to somebody else', () => {
    const about_a_meter = shared.filter(
      ([name]) => /:(meter|reading)_id/.test(contracts[name].url) || name === 'createReading',
    );
    test.each(about_a_meter)('%s', async (name) => {
      const ids = await freshIds(home, 'tenant', home.shop_id, house.owner);
      const before = await counts(server.db);
      const to_tenant = await send(name, ids, 'tenant');
      expectProblem(to_tenant, 'forbidden');
      // Word for word what a stranger is told.
      const { request_id: _, ...told } = (await send(name, ids, 'stranger')).body;
      expect(to_tenant.body).toMatchObject(told);
      expect(await counts(server.db)).toEqual(before);
    });
  });

  describe('what somebody else recorded is for editors to change', () => {
    const OWN_ONLY = ['correctReading', 'voidReading', 'undoBatch'] as const;
    test.each(OWN_ONLY)('%s', async (name) => {
      for (const caller of ['reader', 'tenant'] as const) {
        const ids = await freshIds(home, caller, home.flat_id, people.editor);
        const before = await counts(server.db);
        expectProblem(await send(name, ids, caller), 'role_too_low');
        expect(await counts(server.db)).toEqual(before);
      }
      const ids = await freshIds(home, 'tenant', home.flat_id, people.tenant);
      expect(outcome(await send(name, ids, 'editor'))).toBe('success');
    });

    test('what an editor corrected is the editor’s, though a reader recorded it first', async () => {
      const { reading_id } = await freshIds(home, 'reader');
      const body = { value: '6', reason: 'misread' };
      const { id } = await people.editor.client.correctReading({ reading_id, body });
      const token = people.reader.token;
      const again = await server.call('PATCH', `/api/readings/${id}`, { token, body });
      expectProblem(again, 'role_too_low');
      expect(again.body.detail).toMatch(/needs the role editor, and yours in this property is reader/);
    });

    test('a batch about a device is for editors, though a reader recorded it as an editor once', async () => {
      const { property_id } = house;
      const user_id = people.reader.id;
      await house.owner.client.setMember({ property_id, user_id, body: { role: 'editor' } });
      await people.reader.client.replaceDevice({
        meter_id: home.flat_id,
        body: { replaced_at: freshDay()(1), final_value: '10', initial_value: '0' },
      });
      const { items } = await people.reader.client.listBatches({ property_id, limit: 1 });
      await house.owner.client.setMember({ property_id, user_id, body: { role: 'reader' } });
      const ids = { ...ABSENT, property_id, batch_id: items[0]!.id };
      expectProblem(await send('undoBatch', ids, 'reader'), 'role_too_low');
      expect(outcome(await send('undoBatch', ids, 'editor'))).toBe('success');
    });
  });

  describe('a child is not reached through another parent', () => {
    const CHILDREN: [keyof Contracts, keyof Ids][] = [
      ['undoBatch', 'batch_id'],
      ['undoReplacement', 'device_id'],
      ['correctDevice', 'device_id'],
      ['confirmDevice', 'device_id'],
      ['revokeInvitation', 'invitation_id'],
      ['removeMember', 'user_id'],
    ];
    test('every contract with two parameters is here', () => {
      // setMember makes anybody a member: a user is nobody's child.
      const nested = shared.filter(
        ([name]) => contracts[name].url.split(':').length > 2 && name !== 'setMember',
      );
      expect(nested.map(([name]) => name).sort()).toEqual(CHILDREN.map(([name]) => name).sort());
    });
    test.each(CHILDREN)('%s', async (name, child) => {
      const mine = await freshIds(home, 'owner');
      const next_door = await newHome(people.owner);
      const theirs = await freshIds(next_door, 'owner', next_door.flat_id);
      if (child === 'user_id') {
        await next_door.house.owner.client.removeMember({
          property_id: theirs.property_id,
          user_id: people.bystander.id,
        });
      }
      const before = await counts(server.db);
      const crossed =
        child === 'user_id'
          ? { ...mine, property_id: theirs.property_id }
          : { ...mine, [child]: theirs[child] };
      expectProblem(await send(name, crossed, 'owner'), 'not_found');
      const same_house = child === 'device_id' ? { ...mine, meter_id: home.shop_id } : crossed;
      expectProblem(await send(name, same_house, 'owner'), 'not_found');
      expect(await counts(server.db)).toEqual(before);
    });

    test('a parent, a formula and a grant name meters of the same property only', async () => {
      const next_door = await newHome(people.owner);
      const { property_id } = house;
      const before = await counts(server.db);
      const parent = { property_id, name: 'attic', parent_meter_id: next_door.flat_id };
      const there = [next_door.flat_id];
      const refused = await Promise.all([
        house.post('/api/meters/submeter', parent),
        house.post(`/api/properties/${property_id}/invitations`, { role: 'tenant', meter_ids: there }),
        house.post(`/api/properties/${property_id}/users/${people.tenant.id}`, {
          role: 'tenant',
          meter_ids: [home.flat_id, ...there],
        }),
      ]);
      expectProblem(refused[0], 'validation_failed', { errors: ['parent_meter_id'] });
      expectProblem(refused[1], 'validation_failed', { errors: ['meter_ids.0'] });
      expectProblem(refused[2], 'validation_failed', { errors: ['meter_ids.1'] });
      expect(await counts(server.db)).toEqual(before);
    });
  });

  const by_method = (...methods: string[]) =>
    shared.map(([name]) => name).filter((name) => methods.includes(contracts[name].method));

  test.each(by_method('POST'))(
    '%s twice with one Idempotency-Key: once, and the same answer',
    async (name) => {
      const about = await freshIds(home, 'owner');
      const key = { 'idempotency-key': `access-${name}` };
      const first = await send(name, about, 'owner', key);
      const before = await counts(server.db);
      const again = await last_sent();
      expect(await counts(server.db)).toEqual(before);
      expect(again.status).toBe(first.status);
      if (first.status >= 400) return;
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    },
  );

  test.each(by_method('PATCH', 'DELETE'))(
    '%s of a version that is not current: 412, and nothing is written',
    async (name) => {
      const about = await freshIds(home, 'owner');
      const before = await counts(server.db);
      const stale = await send(name, about, 'owner', { 'if-match': '"stale"' });
      expectProblem(stale, 'precondition_failed');
      expect(await counts(server.db)).toEqual(before);
    },
  );

  test("lists show one's own and nothing else", async () => {
    const stranger = people.stranger;
    const other = await newHouse(server, { owner: stranger });
    const theirs = await other.get('/api/properties?include_inactive=true&search=villa');
    expect(theirs.body.items.map(({ id }: { id: number }) => id)).toEqual([other.property_id]);
    expect(theirs.body.total).toBe(1);
    const meters = await other.get(`/api/properties/${other.property_id}/meters`);
    expect(meters.body.items.map(({ id }: { id: number }) => id)).toEqual([other.main_id]);
    const { body } = await server.call('GET', '/api/properties', { token: people.removed.token });
    expect(body).toMatchObject({ items: [], total: 0 });
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
        sid: decodeJwt(house.owner.token).sid,
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
