/** What devices on the wall send, to the letter: a number, a camera's array, Home Assistant's rest_command. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Scope } from '../../src/contract/schema.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts, everything } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const NOW_S = Date.parse(NOW) / 1000;

describe.each(ENGINES)('device input on %s', (engine) => {
  let server: TestServer;
  let now_ms: number;
  let house: House;
  let owner: Person;
  let key: { id: number; secret: string };
  let logged = '';

  beforeAll(async () => {
    const log = pino(
      { level: 'trace' },
      {
        write(line: string) {
          logged += line;
        },
      },
    );
    server = await startServer(engine, { clock: () => now_ms, log });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    now_ms = Date.parse(NOW) + 789;
    owner = await server.newPerson();
    house = await newHouse(server, { owner });
    key = await newKey(['readings:write']);
  });

  const newKey = async (scopes: Scope[], more: object = {}) =>
    owner.client.createApiKey({ body: { name: 'camera', scopes, ...more } });

  /** Sends bytes to a meter's own address. */
  const send = (body: string, headers: Record<string, string>, meter_id = house.main_id) =>
    server.call('POST', `/api/meters/${meter_id}/readings`, { body, headers });
  const sendJson = (body: object, more: Record<string, string> = {}) =>
    send(JSON.stringify(body), { apikey: key.secret, 'content-type': 'application/json', ...more });
  const history = async (meter_id = house.main_id) =>
    (await house.get(`/api/readings/meter/${meter_id}/history`)).body.items;

  describe("a meter's own address", () => {
    test('takes a number, as of now to the second, and names the key', async () => {
      const { status, body, headers } = await sendJson({ value: '250.5' });
      expect([status, body]).toMatchObject([
        201,
        {
          meter_id: house.main_id,
          value: '250.5',
          reading_timestamp: NOW,
          reading_type: 'absolute',
          source: 'device',
          recorded_by_user_id: owner.id,
          recorded_by_api_key_id: key.id,
        },
      ]);
      expect(headers.get('etag')).toMatch(/^"/);
      expect(await history()).toEqual([body]);
      const batches = (await house.get(`/api/properties/${house.property_id}/ledger`)).body.items;
      expect(batches).toMatchObject([{ source: 'device', recorded_by_api_key: 'camera' }]);
      expect((await house.get(`/api/properties/${house.property_id}/ledger/verify`)).body.verified).toBe(
        true,
      );
    });

    test('takes everything else that a reading may say', async () => {
      const said = {
        value: 0.25,
        reading_timestamp: '2026-06-15T11:00:00+02:00',
        reading_type: 'relative',
        period_start: '2026-06-15T08:45:00Z',
        note: 'pulse counter',
      };
      const { status, body } = await sendJson(said);
      expect([status, body]).toMatchObject([
        201,
        { ...said, value: '0.25', reading_timestamp: '2026-06-15T09:00:00Z' },
      ]);
    });

    test.each(['text/plain', 'text/plain; charset=utf-8', 'application/octet-stream'])(
      'takes a bare number as %s',
      async (type) => {
        const { status, body } = await send(' 12345.678\n', { apikey: key.secret, 'content-type': type });
        expect([status, body.value]).toEqual([201, '12345.678']);
      },
    );

    test('the same again within the second is the same reading, another value is a conflict', async () => {
      const first = await sendJson({ value: '1' });
      now_ms += 200;
      const again = await sendJson({ value: 1 });
      expect([again.status, again.body]).toEqual([200, first.body]);
      expectProblem(await sendJson({ value: '2' }), 'reading_conflict', { reading_id: first.body.id });
      now_ms += 1000;
      expect((await sendJson({ value: '2' })).status).toBe(201);
    });

    const NO_VALUES = ['unavailable', 'unknown', 'None', '', '12,5', '-1', '1.0005', '1e3'];
    test.each(NO_VALUES)('%j is refused, and nothing is written', async (text) => {
      const before = await counts(server.db);
      const as_text = await send(text, { apikey: key.secret, 'content-type': 'text/plain' });
      expectProblem(as_text, 'validation_failed', { errors: ['value'] });
      expectProblem(await sendJson({ value: text }), 'validation_failed', { errors: ['value'] });
      expect({ ...(await counts(server.db)), idempotency_keys: 0 }).toEqual({
        ...before,
        idempotency_keys: 0,
      });
    });

    test('refuses what it does not know, other types, bytes that are no text, an interval of no time', async () => {
      expectProblem(await sendJson({ value: '1', unit: 'kWh' }), 'validation_failed', { errors: ['unit'] });
      const apikey = key.secret;
      expectProblem(await send('1', { apikey, 'content-type': 'image/jpeg' }), 'unsupported_media_type');
      expectProblem(await send('1', { apikey, 'content-type': 'text/csv' }), 'unsupported_media_type');
      const bytes = await server.call('POST', `/api/meters/${house.main_id}/readings`, {
        body: new Uint8Array([0xff, 0x31]),
        headers: { apikey, 'content-type': 'text/plain' },
      });
      expectProblem(bytes, 'invalid_json');
      expectProblem(await sendJson({ value: '1', reading_type: 'relative' }), 'validation_failed', {
        errors: ['reading_timestamp'],
      });
      const ahead = { value: '1', reading_timestamp: '2026-06-15T12:06:00Z' };
      expectProblem(await sendJson(ahead), 'validation_failed', { errors: ['reading_timestamp'] });
      expect(await history()).toEqual([]);
    });

    test('a bare text is a value there and nowhere else', async () => {
      const headers = { 'content-type': 'text/plain' };
      const answer = await server.call('POST', '/api/readings', { token: owner.token, body: '1', headers });
      expectProblem(answer, 'unsupported_media_type');
    });

    test('repeated with an Idempotency-Key it is one reading, whatever the clock says', async () => {
      const once = { 'idempotency-key': 'once' };
      const first = await sendJson({ value: '1' }, once);
      now_ms += 60_000;
      const again = await sendJson({ value: '1' }, once);
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(await history()).toHaveLength(1);
    });
  });

  describe('the key', () => {
    const plain = { 'content-type': 'text/plain' };

    test('comes as a bearer token, as APIKEY or as X-API-Key', async () => {
      for (const [i, headers] of [
        { authorization: `Bearer ${key.secret}` },
        { APIKEY: key.secret },
        { 'X-API-Key': key.secret },
        { apikey: key.secret, authorization: 'Basic abc' },
      ].entries()) {
        now_ms += 1000;
        const { status, body } = await send(String(i), { ...plain, ...headers } as Record<string, string>);
        expect([status, body.recorded_by_api_key_id]).toEqual([201, key.id]);
      }
    });

    test('in such a header it is good for devices only, and only a key is', async () => {
      const { secret } = await newKey(['read', 'readings:write']);
      for (const header of ['apikey', 'x-api-key']) {
        const headers = { [header]: secret };
        const property = `/api/properties/${house.property_id}`;
        expectProblem(await server.call('GET', property, { headers }), 'not_authenticated');
        const body = { meter_id: house.main_id, reading_timestamp: NOW, value: '1' };
        expectProblem(await server.call('POST', '/api/readings', { body, headers }), 'not_authenticated');
        expectProblem(await send('1', { ...plain, [header]: owner.token }), 'not_authenticated');
        expectProblem(await send('1', { ...plain, [header]: `${secret}x` }), 'not_authenticated');
        expectProblem(await send('1', { ...plain, [header]: '' }), 'not_authenticated');
      }
      expectProblem(await send('1', plain), 'not_authenticated');
    });

    test('is what it is elsewhere: its scopes, its property, gone once deleted, its user demoted', async () => {
      const flat = await house.submeter('flat');
      const other = await newHouse(server, { owner });
      const { secret: reads } = await newKey(['read']);
      expectProblem(await send('1', { ...plain, apikey: reads }), 'insufficient_scope');
      const { secret: here } = await newKey(['readings:write'], { property_id: house.property_id });
      expectProblem(await send('1', { ...plain, apikey: here }, other.main_id), 'insufficient_scope');
      const elsewhere = await server.call('POST', `/api/properties/${other.property_id}/device-readings`, {
        body: [{ name: 'main', value: '1', timestampLong: '1' }],
        headers: { apikey: here },
      });
      expectProblem(elsewhere, 'insufficient_scope');
      expect((await send('1', { ...plain, apikey: here })).status).toBe(201);

      const tenant = await server.newPerson();
      await join(house, tenant, 'tenant', [flat]);
      const theirs = await tenant.client.createApiKey({ body: { name: 'x', scopes: ['readings:write'] } });
      expectProblem(await send('1', { ...plain, apikey: theirs.secret }), 'forbidden');
      expect((await send('1', { ...plain, apikey: theirs.secret }, flat)).status).toBe(201);
      await tenant.client.deleteApiKey({ api_key_id: theirs.id });
      expectProblem(await send('2', { ...plain, apikey: theirs.secret }, flat), 'not_authenticated');
    });

    test('is in no log and no table', async () => {
      await send('1', { ...plain, apikey: key.secret });
      await send('x', { ...plain, 'x-api-key': key.secret });
      expect(logged).toContain('/api/meters/:meter_id/readings');
      expect(logged + JSON.stringify(await everything(server.db))).not.toContain(key.secret.slice(15, 45));
    });
  });

  describe('Home Assistant', () => {
    // rest_command renders its payload to bytes and sends them with the content_type it was given.
    const restCommand = (state: string) =>
      send(`{"value": "${state}"}`, {
        authorization: `Bearer ${key.secret}`,
        'content-type': 'application/json',
        'user-agent': 'HomeAssistant/2026.6.1 aiohttp/3.12.13 Python/3.13',
        accept: '*/*',
      });

    test('rest_command sends a rendered template', async () => {
      expect((await restCommand('10432.871')).body).toMatchObject({ value: '10432.871', source: 'device' });
    });

    test.each(['unavailable', 'unknown'])(
      'the state %s is refused with what would be right',
      async (state) => {
        const answer = await restCommand(state);
        expectProblem(answer, 'validation_failed', { errors: ['value'] });
        expect(answer.body.detail).toMatch(/plain decimal number of kWh/);
      },
    );
  });

  describe('an AI-on-the-edge camera', () => {
    /** One number as the firmware writes it: everything is a string. */
    const number = (name: string, value: string, at_s: number, more: object = {}) => ({
      timestamp: new Date(at_s * 1000).toISOString().replace(/\..*/, '+0000'),
      timestampLong: String(at_s),
      name,
      rawValue: value || '0NN45.1',
      value,
      preValue: value,
      rate: '0.012000',
      changeAbsolute: '0.2',
      error: 'no error',
      ...more,
    });
    const webhook = (numbers: object, headers: Record<string, string> = {}) =>
      server.call('POST', `/api/properties/${house.property_id}/device-readings`, {
        body: numbers,
        headers: { apikey: key.secret, 'user-agent': 'ESP32 Meter reader', ...headers },
      });
    const said = { code: null, reason: null };

    test('every number goes to the meter of its name; the only one is called main', async () => {
      const flat = await house.submeter('Flat Å');
      const { status, body } = await webhook([
        number('main', '00521.1', NOW_S - 60),
        number('flat å', '12.034', NOW_S - 50),
      ]);
      const [first] = await history();
      const [second] = await history(flat);
      expect([status, body]).toEqual([
        201,
        {
          property_id: house.property_id,
          recorded: 2,
          unchanged: 0,
          skipped: 0,
          refused: 0,
          readings: [
            {
              name: 'main',
              outcome: 'recorded',
              meter_id: house.main_id,
              reading_id: first.id,
              reading_timestamp: '2026-06-15T11:59:00Z',
              value: '521.1',
              ...said,
            },
            {
              name: 'flat å',
              outcome: 'recorded',
              meter_id: flat,
              reading_id: second.id,
              reading_timestamp: '2026-06-15T11:59:10Z',
              value: '12.034',
              ...said,
            },
          ],
        },
      ]);
      expect(first).toMatchObject({ value: '521.1', source: 'device', recorded_by_api_key_id: key.id });
      expect(second.value).toBe('12.034');
    });

    test('a meter named main comes before the main meter, an active one before one that was withdrawn', async () => {
      const old = await house.submeter('main');
      await house.retire('meters', old);
      const named = await house.submeter('main');
      await webhook([number('main', '5', NOW_S)]);
      expect([await history(), (await history(named)).length]).toEqual([[], 1]);
      await house.retire('meters', named);
      const { body } = await webhook([number('main', '6', NOW_S)]);
      expect(body.readings).toMatchObject([{ outcome: 'refused', code: 'meter_inactive' }]);
    });

    test('what it rejected is skipped; a repeated timestamp is the same reading', async () => {
      await webhook([number('main', '521.1', NOW_S - 300)]);
      const [there] = await history();
      const rejected = number('main', '', NOW_S - 300, { error: 'Neg. Rate - Read: 520.9 - Raw: 520.9' });
      const { status, body } = await webhook([rejected, number('main', '521.1', NOW_S - 300)]);
      expect([status, body]).toMatchObject([
        200,
        {
          recorded: 0,
          unchanged: 1,
          skipped: 1,
          readings: [
            { outcome: 'skipped', reading_id: null, reason: expect.stringContaining('Neg. Rate') },
            { outcome: 'unchanged', reading_id: there.id },
          ],
        },
      ]);
      expect(await history()).toHaveLength(1);
    });

    test.each([
      ['no such meter', { name: 'garage' }, 'validation_failed', /garage/],
      ['a clock that was never set', { timestampLong: '17' }, 'validation_failed', /1970.*NTP/],
      ['a clock that is ahead', { timestampLong: String(NOW_S + 600) }, 'validation_failed', /future/],
      ['an illegible value', { value: '52N.1' }, 'validation_failed', /52N\.1/],
      ['more decimals than there are', { value: '521.17108' }, 'validation_failed', /three decimals/],
      ['a negative value', { value: '-1' }, 'validation_failed', /negative/],
      ['another value at an instant', { timestampLong: String(NOW_S - 600) }, 'reading_conflict', /correct/],
    ])('%s is refused with the reason, and takes no other with it', async (_, wrong, code, reason) => {
      const flat = await house.submeter('flat');
      const there = await house.given(house.main_id, '2026-06-15T11:50:00Z', '500');
      const { status, body } = await webhook([
        { ...number('main', '521.1', NOW_S - 60), ...wrong },
        number('flat', '1', NOW_S - 60),
      ]);
      expect([status, body]).toMatchObject([
        201,
        {
          recorded: 1,
          refused: 1,
          readings: [
            {
              outcome: 'refused',
              code,
              reason: expect.stringMatching(reason),
              reading_id: code === 'reading_conflict' ? there : null,
            },
            { outcome: 'recorded' },
          ],
        },
      ]);
      expect([(await history()).length, (await history(flat)).length]).toEqual([1, 1]);
      expect(logged).toContain('what a device sent was refused');
    });

    test('a meter that a tenant does not see is none', async () => {
      const flat = await house.submeter('flat');
      const tenant = await server.newPerson();
      await join(house, tenant, 'tenant', [flat]);
      const { secret } = await tenant.client.createApiKey({
        body: { name: 'x', scopes: ['readings:write'] },
      });
      const { body } = await webhook([number('main', '1', NOW_S), number('flat', '1', NOW_S)], {
        apikey: secret,
      });
      expect(body.readings).toMatchObject([{ outcome: 'refused', meter_id: null }, { outcome: 'recorded' }]);
      expect(await history()).toEqual([]);
    });

    test('an older firmware says the time with its offset only, a newer one says more', async () => {
      const { timestampLong: _, ...old } = number('main', '7', NOW_S);
      const { body } = await webhook([
        { ...old, timestamp: '2026-06-15T13:30:00+0200' },
        number('main', '8', NOW_S, { signal: -61 }),
      ]);
      expect(body.readings).toMatchObject([
        { outcome: 'recorded', reading_timestamp: '2026-06-15T11:30:00Z' },
        { outcome: 'recorded' },
      ]);
    });

    test('repeated with an Idempotency-Key it is answered as before, the refused one too', async () => {
      const numbers = [number('main', '1', NOW_S), number('garage', '1', NOW_S), number('main', '2', NOW_S)];
      const first = await webhook(numbers, { 'idempotency-key': 'twice' });
      expect(first.body).toMatchObject({ recorded: 1, refused: 2 });
      const again = await webhook(numbers, { 'idempotency-key': 'twice' });
      expect([again.status, again.body]).toEqual([first.status, first.body]);
      expect((await house.get(`/api/properties/${house.property_id}/ledger/verify`)).body.verified).toBe(
        true,
      );
    });

    test('what is no such array is refused whole', async () => {
      const before = await counts(server.db);
      const good = number('main', '1', NOW_S);
      expectProblem(await webhook([]), 'validation_failed', { errors: ['body'] });
      expectProblem(await webhook(good), 'validation_failed', { errors: ['body'] });
      expectProblem(await webhook([good, { ...good, value: { a: 1 } }]), 'validation_failed', {
        errors: ['1.value'],
      });
      expectProblem(await webhook([good, { value: '1' }]), 'validation_failed', { errors: ['1.name'] });
      expectProblem(await webhook(Array(51).fill(good)), 'validation_failed', { errors: ['body'] });
      expect(await counts(server.db)).toEqual(before);
    });
  });
});
