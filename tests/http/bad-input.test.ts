/** Bodies that no client should send, and some do: answered with the right 4xx, and nothing is written. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const T1 = '2026-01-01T00:00:00Z';
const CONFLICTING_KEYS = [
  '"value":1,"value":2',
  `"value":1,"v\\u0061lue":2`,
  `"value":1,"value"${' '.repeat(99)}:2`,
];

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

  test('the body below is a good one where nothing is changed', async () => {
    const other = await newHouse(server, { owner: house.owner });
    expect((await post(body({ meter_id: `${other.main_id}` }))).status).toBe(201);
  });

  describe('numbers', () => {
    test.each([
      ...['-1', '-0.001', '1000000000', '999999999.9991', '1.2345', '1e400', '-1e400', '1e21', '1e-4'],
      ...['null', 'true', 'false', '[]', '["1"]', '[1]', '{}', '{"kwh":"1"}'],
      ...['"12,5"', '"1 000"', '"1e3"', '"-1"', '"+1"', '"1."', '".5"', '""', '" 1"', '"1\\n"', '"0x10"'],
      ...['"NaN"', '"Infinity"', '"١٢"', '"1.2345"', '"1000000000"', '"1\\u0000"', `"${'9'.repeat(400)}"`],
    ])('value %s: 422', async (value) => wrong(await post(body({ value })), 'value'));

    test.each([
      'NaN',
      '-NaN',
      'Infinity',
      '12,5',
      '+1',
      '01',
      '.5',
      '1.',
      '0x10',
      '1_000',
      'undefined',
      "'1'",
    ])('value %s is no JSON: 400', async (value) => refused(await post(body({ value })), 'invalid_json'));

    test.each([
      '0',
      '-1',
      '1.5',
      '9223372036854775808',
      '9007199254740992',
      '1e400',
      '"1"',
      'null',
      'true',
      '[1]',
    ])('meter_id %s: 422', async (meter_id) => wrong(await post(body({ meter_id })), 'meter_id'));
  });

  describe('timestamps', () => {
    test.each([
      ...['2026-01-01T00:00:00', '2026-01-01', '2026-01-01T00:00', '2026-01-01 00:00:00', 'now', ''],
      ...['2026-02-30T00:00:00Z', '2025-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z'],
      ...['0000-01-01T00:00:00Z', '1899-12-31T23:59:59Z', '20000-01-01T00:00:00Z', '+020000-01-01T00:00:00Z'],
      ...['9999-12-31T23:59:59Z', '2126-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'],
      ...['2025-12-31T23:59:60Z', '2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z'],
      ...[
        '2026-01-01T00:00:00+99:00',
        '2026-01-01T00:00:00+0100',
        '2026-01-01T00:00:00+01',
        '2026-01-01T00:00:00+1:00',
      ],
      ...['2026-01-01T00:00:00 Z', '2026-01-01T00:00:00z ', '2026-01-01T00:00:00.Z', '2026-W01-1T00:00:00Z'],
      ...[
        '1767225600',
        '2026-01-01T00:00:00Z\\u0000',
        '2026-01-01T00:00:00[Europe/Paris]',
        '٢٠٢٦-01-01T00:00:00Z',
      ],
    ])('reading_timestamp "%s": 422', async (at) =>
      wrong(await post(body({ at: `"${at}"` })), 'reading_timestamp'),
    );
    test.each(['1767225600', '1767225600000', 'null', 'true', '[]', '{}'])(
      'reading_timestamp %s: 422',
      async (at) => wrong(await post(body({ at })), 'reading_timestamp'),
    );
    test('a timestamp without an offset is told the right form', async () => {
      const { body: problem } = await post(body({ at: '"2026-01-01T00:00:00"' }));
      expect(problem.errors[0].message).toMatch(/2026-03-29T12:00:00Z/);
    });
  });

  describe('fields', () => {
    test.each([
      ['unknown', ',"colour":"red"', 'colour'],
      ['misspelt', ',"reading_typ":"absolute"', 'reading_typ'],
      ['the server’s own', ',"recorded_by_user_id":1', 'recorded_by_user_id'],
      ['__proto__', ',"__proto__":{"value":"1"}', '__proto__'],
      ['constructor', ',"constructor":{"prototype":{}}', 'constructor'],
      ['empty', ',"":1', 'body'],
      ['a type that is none', ',"reading_type":"guess"', 'reading_type'],
      ['a type in upper case', ',"reading_type":"ABSOLUTE"', 'reading_type'],
      ['a type that is null', ',"reading_type":null', 'reading_type'],
      ['a note that is a number', ',"note":1', 'note'],
      ['a note of 2001 characters', `,"note":"${'x'.repeat(2001)}"`, 'note'],
      ['a note of NUL', ',"note":"a\\u0000b"', 'note'],
      ['a note with half a character', ',"note":"a\\ud800b"', 'note'],
      ['a note with the other half', ',"note":"\\udc00"', 'note'],
      ['a note of spaces', ',"note":"  "', 'note'],
      [
        'a beginning that is no timestamp',
        ',"reading_type":"relative","period_start":"then"',
        'period_start',
      ],
    ])('%s: 422', async (_, more, field) => wrong(await post(body({ more })), field));

    test.each(['', '[]', '"reading"', '1', 'null', 'true'])('the body %s', async (text) => {
      if (text === '') await refused(await post(' '), 'invalid_json');
      else await wrong(await post(text), 'body');
    });
    test('nothing of what is needed: every field is named', async () => {
      const answer = await post('{}');
      answer.body.errors.sort((a: { path: string }, b: { path: string }) => a.path.localeCompare(b.path));
      await wrong(answer, 'meter_id', 'reading_timestamp', 'value');
    });
    test.each(['two\nlines', 'a\ttab', 'a\u0007bell', '\ud800'])(
      'a name that is no line: %j',
      async (name) => {
        const meter = { property_id: house.property_id, name };
        await wrong(await house.post('/api/meters/submeter', JSON.stringify(meter)), 'name');
      },
    );
    test('a round whose names nobody has', async () => {
      for (const name of [
        '__proto__',
        'constructor',
        'toString',
        '',
        ' ',
        'a\u0000b',
        '\ud800',
        'x'.repeat(5000),
      ]) {
        const round = `{"property_id":${house.property_id},"reading_timestamp":"${T1}","main_meter_value":"1","submeter_readings":{${JSON.stringify(name)}:"1"}}`;
        await refused(await house.post('/api/readings/bulk', round), 'not_found');
      }
    });
    test('a round of more than a thousand names', async () => {
      const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`m${i}`, '1']));
      const round = {
        property_id: house.property_id,
        reading_timestamp: T1,
        main_meter_value: '1',
        submeter_readings: many,
      };
      await wrong(await house.post('/api/readings/bulk', round), 'submeter_readings');
    });
  });

  describe('JSON that cannot be read, or not by everybody: 400', () => {
    test.each([
      ['cut off', () => body({}).slice(0, -1)],
      ['followed by more', () => `${body({})}{}`],
      ['with a trailing comma', () => body({ more: ',' })],
      ['with a comment', () => `${body({})} // main`],
      ['nested a million deep', () => '['.repeat(500_000) + ']'.repeat(500_000)],
      ['nested 40 deep', () => body({ more: `,"note":${'['.repeat(40)}${']'.repeat(40)}` })],
      ['empty', () => ''],
      ['blank', () => ' \n'],
      ['two byte order marks', () => `\ufeff\ufeff${body({})}`],
      ['UTF-16', () => Buffer.from(body({}), 'utf16le')],
      [
        'not UTF-8',
        () => Buffer.concat([Buffer.from('{"note":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      ],
      ['UTF-8 of half a character', () => Buffer.from('{"note":"\xed\xa0\x80"}', 'latin1')],
      ['overlong UTF-8', () => Buffer.from('{"note":"\xc0\x80"}', 'latin1')],
      ['NUL', () => body({}).replace('{', '{\u0000')],
      ['a line break in a string', () => body({ more: ',"note":"a\nb"' })],
    ])('%s', async (_, make) => {
      const answer = await raw(['Content-Type: application/json'], make());
      if (make() !== '') return refused(answer, 'invalid_json');
      expect([400, 422]).toContain(answer.status);
      expectProblem(answer, answer.body.code, answer.body.errors ? { errors: ['body'] } : {});
    });
    test.each(['250.50000000000000001', '1.0000000000000000001', '1.00000000000000000001e2'])(
      'a number that would be rounded before it could be refused: %s',
      async (value) => refused(await post(body({ value })), 'invalid_json'),
    );
    test.each(CONFLICTING_KEYS)('a key that stands twice: %s', async (keys) => {
      const text = `{"meter_id":${house.main_id},"reading_timestamp":"${T1}",${keys}}`;
      await refused(await post(text), 'invalid_json');
    });
    test('one byte order mark is what some editors put there: it says nothing and does no harm', async () => {
      await wrong(await post(`\ufeff${body({ value: '-1' })}`), 'value');
    });
    test('ten megabytes: 413', async () => {
      const text = body({ more: `,"note":"${'x'.repeat(10_000_000)}"` });
      await refused(await raw(['Content-Type: application/json'], text), 'body_too_large');
      const chunk = Buffer.from(text);
      const chunked = Buffer.concat([
        Buffer.from(`${chunk.length.toString(16)}\r\n`),
        chunk,
        Buffer.from('\r\n0\r\n\r\n'),
      ]);
      const headers = ['Content-Type: application/json', 'Transfer-Encoding: chunked'];
      await refused(await raw(headers, chunked, { length: false }), 'body_too_large');
    });
    test('no body at all: 400', async () => {
      await refused(await raw([], ''), 'invalid_request');
      await refused(await raw([], '', { length: false }), 'invalid_request');
    });
  });
});
