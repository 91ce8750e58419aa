/** Requests that are bad around the body, and texts that no database should get: the right 4xx, nothing written. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw.ts';
import { PASSWORD, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const T1 = '2026-01-01T00:00:00Z';

describe.each(ENGINES)('bad input on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let before: Record<string, number>;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
    await house.submeter('kitchen');
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    before = await counts(server.db);
  });
  /** The answer is the problem it should be, and no table has changed. */
  async function refused(answer: Parameters<typeof expectProblem>[0], ...how: Refusal): Promise<void> {
    expectProblem(answer, ...how);
    expect(await counts(server.db)).toEqual(before);
  }
  type Refusal = Parameters<typeof expectProblem> extends [unknown, ...infer R] ? R : never;
  const wrong = (answer: Parameters<typeof expectProblem>[0], ...errors: string[]) =>
    refused(answer, 'validation_failed', { errors });
  /** A reading as text, so that it can hold what JSON.stringify would not write. */
  const body = ({ meter_id = `${house.main_id}`, at = `"${T1}"`, value = '"1"', more = '' }) =>
    `{"meter_id":${meter_id},"reading_timestamp":${at},"value":${value}${more}}`;
  const post = (text: string | Uint8Array) => house.post('/api/readings', text);
  const raw = (headers: string[], bytes: string | Uint8Array, options = {}) =>
    sendRaw(
      server.origin,
      ['POST /api/readings HTTP/1.1', `Authorization: Bearer ${house.owner.token}`, ...headers],
      bytes,
      options,
    );

  describe('content types', () => {
    const bad = () => body({ value: '-1' });
    test.each([
      ...['text/plain', 'text/csv', 'application/x-ndjson', 'multipart/form-data; boundary=x', 'text/json'],
      ...[
        'application/x-www-form-urlencoded',
        'application/jsonx',
        'application/json5',
        'application/vnd.api+json',
      ],
      ...[
        'application/json, text/plain',
        'application/ json',
        'json',
        '/',
        ';',
        '*/*',
        'application/json\t/x',
      ],
      ...['application/json; charset=iso-8859-1', 'application/json;charset=utf-16', '"application/json"'],
      'application/jsön',
    ])('Content-Type "%s": 415', async (type) => {
      await refused(await raw([`Content-Type: ${type}`], bad()), 'unsupported_media_type');
    });
    test('none: 415', async () => refused(await raw([], bad()), 'unsupported_media_type'));
    // However the header is dressed up, the body is validated all the same.
    test.each([
      ...[
        'application/json',
        'APPLICATION/JSON',
        '\tapplication/json',
        '  application/json  ',
        'application/json\t',
      ],
      ...['application/json;', 'application/json ; charset=UTF-8', 'application/json;charset="utf-8"'],
      ...['application/json;\tcharset=utf-8', 'application/json; a=b; c="d;e"', 'application/json;;;'],
    ])('Content-Type "%s" is JSON, and validated as such', async (type) => {
      await wrong(await raw([`Content-Type: ${type}`], bad()), 'value');
    });
  });

  describe('paths and queries', () => {
    const ids = ['0', '-1', '1.5', '1e3', '0x1', ' 1', '1 ', '+1', '01', 'abc', 'null', 'true', 'NaN', '१'];
    test.each([...ids, '9223372036854775808', '9007199254740992', '1'.repeat(150), "1'--", '1;2', '\0'])(
      'the id "%s": 422',
      async (id) => {
        const at = encodeURIComponent(id);
        await wrong(await house.get(`/api/properties/${at}`), 'property_id');
        await wrong(await house.get(`/api/meters/${at}`), 'meter_id');
        await wrong(await house.get(`/api/readings/${at}`), 'reading_id');
      },
    );
    test.each([
      ['GET /api/properties/%E0%A4%A HTTP/1.1', 'invalid_request'],
      ['GET /api/properties/%ZZ HTTP/1.1', 'invalid_request'],
      ['GET /api/%%% HTTP/1.1', 'invalid_request'],
      [`GET /api/properties/${'1'.repeat(1000)} HTTP/1.1`, 'not_found'],
      ['GET /api/properties/../../etc/passwd HTTP/1.1', 'not_found'],
      ['GET //api//properties HTTP/1.1', 'not_found'],
      ['GET /api\\properties HTTP/1.1', 'not_found'],
    ] as const)('%s', async (line, code) => {
      const answer = await sendRaw(server.origin, [line, `Authorization: Bearer ${house.owner.token}`]);
      await refused(answer, code);
    });
    test.each([
      'GET /api properties HTTP/1.1',
      'GET /api/properties HTTP/9.9',
      'gibberish',
      'GET api HTTP/1.1',
    ])('a request line that is none: %s', async (line) =>
      refused(await sendRaw(server.origin, [line]), 'invalid_request'),
    );
    test.each([
      ['too long', `X-Long: ${'x'.repeat(40_000)}`],
      ['without a name', ': x'],
      ['with a control character', 'Content-Type: application/json\x0b'],
    ])('headers %s: 400', async (_, header) =>
      refused(await sendRaw(server.origin, ['GET /api/health HTTP/1.1', header]), 'invalid_request'),
    );
    test.each(['%00', '%ED%A0%80', '%FF', 'a%00b'])('search=%s harms nobody', async (search) => {
      for (const path of ['/api/properties', `/api/properties/${house.property_id}/meters`]) {
        const answer = await house.get(`${path}?search=${search}`);
        // What is no UTF-8 in an address becomes U+FFFD, which finds nothing.
        if (answer.status === 200) expect(answer.body.items).toEqual([]);
        else await wrong(answer, 'search');
        if (search.includes('%00')) expect(answer.status).toBe(422);
      }
    });
    test('a search of 201 characters: 422, of 200 of the widest letter: fine', async () => {
      await wrong(await house.get(`/api/properties?search=${'x'.repeat(201)}`), 'search');
      expect((await house.get(`/api/properties?search=${'%EF%B7%BA'.repeat(200)}`)).status).toBe(200);
    });
    test('a field of the query that does not exist, or stands twice', async () => {
      await wrong(await house.get('/api/properties?limits=5'), 'limits');
      await wrong(await house.get('/api/properties?__proto__=5'), '__proto__');
      await wrong(await house.get('/api/properties?search=a&search=b'), 'search');
      const summary = `/api/readings/property/${house.property_id}/summary`;
      await wrong(
        await house.get(`${summary}?reading_timestamp=${T1}&reading_timestamp=${T1}`),
        'reading_timestamp',
      );
    });
  });

  describe('texts', () => {
    const TEXTS: [string, string][] = [
      ['NUL', 'aa\u0000aa'],
      ['a lone surrogate', 'aa\ud800aa'],
      ['a trailing surrogate', 'aa\udc00'],
      ['an escape character', 'aa\u001b[2J'],
      ['5000 characters', 'x'.repeat(5000)],
    ];
    const register = (more: object) =>
      server.call('POST', '/api/auth/register', {
        body: { username: 'texts', email: 'texts@example.com', password: PASSWORD, ...more },
      });
    const fields: [string, string, (text: string) => Promise<Parameters<typeof expectProblem>[0]>][] = [
      ['a username', 'username', (username) => register({ username })],
      ['an email address', 'email', (text) => register({ email: `${text}@example.com` })],
      ['a display name', 'display_name', (display_name) => house.post('/api/properties', { display_name })],
      ['an address', 'address', (address) => house.post('/api/properties', { display_name: 'x', address })],
      [
        'a time zone',
        'timezone',
        (timezone) => house.post('/api/properties', { display_name: 'x', timezone }),
      ],
      [
        'a currency',
        'currency',
        (currency) => house.post('/api/properties', { display_name: 'x', currency }),
      ],
      [
        'a changed display name',
        'display_name',
        (display_name) => house.patch(`/api/properties/${house.property_id}`, { display_name }),
      ],
      [
        'a submeter name',
        'name',
        (name) => house.post('/api/meters/submeter', { property_id: house.property_id, name }),
      ],
      [
        'a location',
        'location',
        (location) =>
          house.post('/api/meters/submeter', { property_id: house.property_id, name: 'x', location }),
      ],
      ['a changed meter name', 'name', (name) => house.patch(`/api/meters/${house.main_id}`, { name })],
      ['a note', 'note', (note) => post(body({ more: `,"note":${JSON.stringify(note)}` }))],
    ];
    const cases = fields.flatMap(([what, field, send]) =>
      TEXTS.map(([name, text]) => [what, name, field, send, text] as const),
    );
    test.each(cases)('%s with %s: 422', async (_, __, field, send, text) => wrong(await send(text), field));

    test('a password of 1025 characters, or of halves of characters: 422', async () => {
      await wrong(await register({ password: 'x'.repeat(1025) }), 'password');
      await wrong(await register({ password: '\ud800'.repeat(20) }), 'password');
    });
    test.each(TEXTS)('signing in or refreshing with %s: 401 or 422', async (_, text) => {
      const sign_in = (more: object) =>
        server.call('POST', '/api/auth/login', { body: { username: 'a', password: PASSWORD, ...more } });
      const answers = [
        await sign_in({ username: text }),
        await sign_in({ username: `${text}@example.com` }),
        await sign_in({ password: text }),
        await server.call('POST', '/api/auth/refresh', { body: { refresh_token: text } }),
      ];
      for (const answer of answers) {
        expect([401, 422]).toContain(answer.status);
        expectProblem(answer, answer.body.code, answer.body.errors && { errors: [expect.any(String)] });
      }
      expect(await counts(server.db)).toEqual(before);
    });
  });
});
