/** Forged and misused tokens, beyond those in access.test.ts: none is taken. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../src/server/secret.ts';
import { ENGINES } from '../support/engines.ts';
import { expectProblem } from '../support/problem.ts';
import { PASSWORD, type Person, SECRET, startServer, type TestServer } from '../support/server.ts';

const KEY = deriveKey(SECRET, 'access token');
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

type Signer = (input: string) => Buffer;
const hmac =
  (algorithm: string, key: Uint8Array = KEY): Signer =>
  (input) =>
    createHmac(algorithm, key).update(input).digest();

/** A token byte by byte: no library would make most of these. */
function forge(header: unknown, payload: unknown, signer: Signer = hmac('sha256')): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

describe.each(ENGINES)('tokens on %s', (engine) => {
  let server: TestServer;
  let person: Person;
  let other: Person;
  beforeAll(async () => {
    server = await startServer(engine);
    person = await server.newPerson();
    other = await server.newPerson();
  });
  afterAll(() => server.close());

  const me = (token: string) => server.call('GET', '/api/users/me', { token });
  const HEADER = { alg: 'HS256', typ: 'at+jwt' };
  const claims = (more: object = {}) => {
    const now_s = Math.floor(Date.now() / 1000);
    return {
      sub: String(person.id),
      sid: decodeJwt(person.token).sid,
      iss: 'electric',
      aud: 'electric-api',
      iat: now_s,
      exp: now_s + 60,
      ...more,
    };
  };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

  test('one made as those below is good, if nothing is wrong with it', async () => {
    expect((await me(forge(HEADER, claims()))).status).toBe(200);
  });

  const cases: [string, () => string][] = [
    ['alg none without a signature', () => `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims())}.`],
    ['alg None with our signature', () => forge({ ...HEADER, alg: 'None' }, claims())],
    ['alg "" with our signature', () => forge({ ...HEADER, alg: '' }, claims())],
    ['no alg', () => forge({ typ: 'at+jwt' }, claims())],
    ['HS512 with our key', () => forge({ ...HEADER, alg: 'HS512' }, claims(), hmac('sha512'))],
    ['HS512 in the header alone', () => forge({ ...HEADER, alg: 'HS512' }, claims())],
    [
      'RS256 with a key of their own',
      () =>
        forge({ ...HEADER, alg: 'RS256' }, claims(), (input) =>
          sign('sha256', Buffer.from(input), rsa.privateKey),
        ),
    ],
    ['RS256 in the header alone', () => forge({ ...HEADER, alg: 'RS256' }, claims())],
    [
      'a key in the header',
      () =>
        forge(
          { ...HEADER, jwk: { kty: 'oct', k: Buffer.from('theirs').toString('base64url') } },
          claims(),
          hmac('sha256', Buffer.from('theirs')),
        ),
    ],
    ['a critical extension', () => forge({ ...HEADER, crit: ['exp'] }, claims())],
    ['an unknown critical extension', () => forge({ ...HEADER, crit: ['x'], x: 1 }, claims())],
    ['an empty list of critical extensions', () => forge({ ...HEADER, crit: [] }, claims())],
    ['an unencoded payload', () => forge({ ...HEADER, crit: ['b64'], b64: false }, claims())],
    ['an array as payload', () => forge(HEADER, [claims()])],
    ['a string as payload', () => forge(HEADER, JSON.stringify(JSON.stringify(claims())))],
    ['null as payload', () => forge(HEADER, 'null')],
    ['no JSON as payload', () => forge(HEADER, 'sub=1')],
    ['an array as header', () => forge([HEADER], claims())],
    [
      'another key',
      () => forge(HEADER, claims(), hmac('sha256', deriveKey('another secret', 'access token'))),
    ],
    ['an empty key', () => forge(HEADER, claims(), hmac('sha256', new Uint8Array()))],
    ['the secret itself as key', () => forge(HEADER, claims(), hmac('sha256', Buffer.from(SECRET)))],
    ['no signature', () => `${part(HEADER)}.${part(claims())}.`],
    ['no signature and no dot', () => `${part(HEADER)}.${part(claims())}`],
    ['half a signature', () => forge(HEADER, claims()).slice(0, -20)],
    [
      'the signature of another token',
      () => `${forge(HEADER, claims()).replace(/[^.]+$/, '')}${other.token.split('.')[2]}`,
    ],
    [
      "somebody else's id under one's own signature",
      () => {
        const [header, , signature] = person.token.split('.');
        return `${header}.${part({ ...decodeJwt(person.token), sub: String(other.id) })}.${signature}`;
      },
    ],
    ['another issuer', () => forge(HEADER, claims({ iss: 'electric2' }))],
    ['no issuer', () => forge(HEADER, claims({ iss: undefined }))],
    ['another audience', () => forge(HEADER, claims({ aud: ['electric-web'] }))],
    ['no audience', () => forge(HEADER, claims({ aud: undefined }))],
    ['another type', () => forge({ ...HEADER, typ: 'rt+jwt' }, claims())],
    ['expired', () => forge(HEADER, claims({ exp: Math.floor(Date.now() / 1000) - 1 }))],
    ['an expiry that is no number', () => forge(HEADER, claims({ exp: '9999999999' }))],
    ['not valid yet', () => forge(HEADER, claims({ nbf: Math.floor(Date.now() / 1000) + 600 }))],
    ['no subject', () => forge(HEADER, claims({ sub: undefined }))],
    ['a list of subjects', () => forge(HEADER, claims({ sub: [String(person.id)] }))],
    ['a number as subject', () => forge(HEADER, claims({ sub: person.id }))],
    ['no session', () => forge(HEADER, claims({ sid: undefined }))],
    ['a session that is no text', () => forge(HEADER, claims({ sid: [decodeJwt(person.token).sid] }))],
    ['a session that does not exist', () => forge(HEADER, claims({ sid: crypto.randomUUID() }))],
    ["somebody else's session", () => forge(HEADER, claims({ sid: decodeJwt(other.token).sid }))],
    [
      "somebody else's session and id, without the key",
      () =>
        forge(
          HEADER,
          claims({ sub: String(other.id), sid: decodeJwt(other.token).sid }),
          hmac('sha256', Buffer.alloc(32)),
        ),
    ],
    ['the session instead of a token', () => String(decodeJwt(person.token).sid)],
  ];
  test.each(cases)('%s: 401', async (_, make) => {
    const token = make();
    expectProblem(await me(token), 'not_authenticated');
    // The second time a token comes it is not known from the first.
    expectProblem(await me(token), 'not_authenticated');
  });

  test('a refresh token is no access token, nor the other way round', async () => {
    const body = { username: person.username, password: PASSWORD };
    const { body: tokens } = await server.call('POST', '/api/auth/login', { body });
    expectProblem(await me(tokens.refresh_token), 'not_authenticated');
    for (const refresh_token of [tokens.access_token.slice(0, 200), tokens.access_token.split('.')[2]]) {
      const answer = await server.call('POST', '/api/auth/refresh', { body: { refresh_token } });
      expectProblem(answer, 'not_authenticated');
    }
    const refresh_token = tokens.access_token;
    const answer = await server.call('POST', '/api/auth/refresh', { body: { refresh_token } });
    expect([401, 422]).toContain(answer.status);
    // Neither attempt ended the session.
    expect((await me(tokens.access_token)).status).toBe(200);
  });

  test('the stored hash of a refresh token is none', async () => {
    const rows = await server.db.read.selectFrom('refresh_tokens').selectAll().execute();
    expect(rows.length).toBeGreaterThan(0);
    for (const { token_hash: refresh_token } of rows) {
      const answer = await server.call('POST', '/api/auth/refresh', { body: { refresh_token } });
      expectProblem(answer, 'not_authenticated');
    }
  });
});
