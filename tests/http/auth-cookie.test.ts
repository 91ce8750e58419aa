/** The refresh token of a browser: in a cookie, and used by pages of this server only. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { expectProblem } from '../support/problem.ts';
import { sendRaw } from '../support/raw.ts';
import { PASSWORD, startServer, type TestServer } from '../support/server.ts';

const PUBLIC_URL = 'https://electric.example.com';
const SAME = { 'sec-fetch-site': 'same-origin' };
const CREDENTIALS = { username: 'anna', password: PASSWORD };

type Headers = Record<string, string>;

async function prepared(server: TestServer): Promise<TestServer> {
  await server.anonymous.register({ body: { ...CREDENTIALS, email: 'anna@example.com' } });
  return server;
}

/** As a browser does, without the client that would tidy headers up: fetch sets Sec-Fetch and Host itself. */
async function post(server: TestServer, path: string, body: object | null, headers: Headers = {}) {
  const { host } = new URL(server.origin);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = body === null ? '' : JSON.stringify(body);
  if (body !== null) lines.push('Content-Type: application/json');
  return sendRaw(server.origin, [`POST /api/auth/${path} HTTP/1.1`, ...lines], text, { host });
}

const COOKIE =
  /^__Host-electric_refresh=([\w-]{43}); Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict$/;

/** Signs in as a browser does. @returns the Cookie header it sends from then on, and its access token */
async function browser(
  server: TestServer,
): Promise<{ cookie: string; authorization: string; token: string }> {
  const answer = await post(server, 'login', { ...CREDENTIALS, use_cookie: true }, SAME);
  expect(answer.body).toEqual({
    access_token: expect.any(String),
    token_type: 'bearer',
    expires_in: 1800,
    refresh_token: null,
  });
  const [, token] = COOKIE.exec(answer.headers.get('set-cookie')!)!;
  return {
    cookie: `theme=dark; __Host-electric_refresh=${token}; other=1`,
    authorization: `Bearer ${answer.body.access_token}`,
    token: token!,
  };
}

describe.each(ENGINES)('the cookie on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await prepared(await startServer(engine));
  });
  afterAll(() => server.close());

  test('takes the refresh token instead of the answer, and rotates', async () => {
    const { cookie, token } = await browser(server);
    const next = await post(server, 'refresh', null, { ...SAME, cookie });
    expect(next.status).toBe(200);
    expect(next.body.refresh_token).toBeNull();
    const [, second] = COOKIE.exec(next.headers.get('set-cookie')!)!;
    expect(second).not.toBe(token);
    expect((await server.call('GET', '/api/users/me', { token: next.body.access_token })).status).toBe(200);
    // The old cookie is a copy by now: everything ends.
    expectProblem(await post(server, 'refresh', {}, { ...SAME, cookie }), 'not_authenticated');
    const renewed = { ...SAME, cookie: `__Host-electric_refresh=${second}` };
    expectProblem(await post(server, 'refresh', {}, renewed), 'not_authenticated');
  });

  test('is set and cleared only where it is asked for', async () => {
    const login = await post(server, 'login', CREDENTIALS);
    expect(login.headers.get('set-cookie')).toBeNull();
    expect(login.body.refresh_token).toMatch(/^[\w-]{43}$/);
    const next = await post(server, 'refresh', { refresh_token: login.body.refresh_token });
    expect(next.headers.get('set-cookie')).toBeNull();
    expect(next.body.refresh_token).toMatch(/^[\w-]{43}$/);
    const refused = await post(server, 'login', { ...CREDENTIALS, password: 'x', use_cookie: true }, SAME);
    expectProblem(refused, 'invalid_credentials');
    expect(refused.headers.get('set-cookie')).toBeNull();
  });

  test('logout ends its session and clears it', async () => {
    const { cookie, authorization } = await browser(server);
    const other = await browser(server);
    const answer = await post(server, 'logout', null, {
      ...SAME,
      cookie,
      authorization: other.authorization,
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('set-cookie')).toBe(
      '__Host-electric_refresh=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict',
    );
    // That of the token and that of the cookie, if they differ.
    for (const ended of [authorization, other.authorization]) {
      const me = await server.call('GET', '/api/users/me', { headers: { authorization: ended } });
      expectProblem(me, 'not_authenticated');
    }
    for (const ended of [cookie, other.cookie])
      expectProblem(await post(server, 'refresh', {}, { ...SAME, cookie: ended }), 'not_authenticated');
  });

  test('is not needed: a program that has none is told so', async () => {
    expectProblem(await post(server, 'refresh', null), 'validation_failed', { errors: ['refresh_token'] });
    const cookies = { cookie: 'electric_refresh=x; __Host-electric_refresh=' };
    expectProblem(await post(server, 'refresh', {}, cookies), 'validation_failed', {
      errors: ['refresh_token'],
    });
  });

  test.each<[string, (host: string) => Headers]>([
    ['another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['another host of the same site', () => ({ 'sec-fetch-site': 'same-site' })],
    ['a bookmark', () => ({ 'sec-fetch-site': 'none' })],
    [
      'another site that says our origin',
      (host) => ({ 'sec-fetch-site': 'cross-site', origin: `http://${host}` }),
    ],
    ['an old browser on another site', () => ({ origin: 'https://evil.example' })],
    ['an old browser on another port', () => ({ origin: 'http://127.0.0.1:1' })],
    ['an old browser in a sandbox', () => ({ origin: 'null' })],
    ['a host that ends as ours does', (host) => ({ origin: `http://evil${host}` })],
    ['nobody knows where', () => ({})],
  ])('from %s: 403, and the session goes on untouched', async (_, from) => {
    const { cookie, authorization } = await browser(server);
    const headers = from(new URL(server.origin).host);
    expectProblem(await post(server, 'refresh', {}, { ...headers, cookie }), 'cross_site');
    expectProblem(await post(server, 'logout', {}, { ...headers, cookie, authorization }), 'cross_site');
    const login = await post(server, 'login', { ...CREDENTIALS, use_cookie: true }, headers);
    expectProblem(login, 'cross_site');
    expect(login.headers.get('set-cookie')).toBeNull();
    expect((await post(server, 'refresh', {}, { ...SAME, cookie })).status).toBe(200);
  });

  test('an old browser says where a page comes from with Origin alone', async () => {
    const { cookie } = await browser(server);
    expect((await post(server, 'refresh', {}, { origin: server.origin, cookie })).status).toBe(200);
  });
});

test('behind a proxy the origin is that of PUBLIC_URL, whatever the host says', async () => {
  const server = await prepared(await startServer('sqlite', {}, { PUBLIC_URL }));
  const { cookie } = await browser(server);
  expectProblem(await post(server, 'refresh', {}, { origin: server.origin, cookie }), 'cross_site');
  expectProblem(
    await post(server, 'refresh', {}, { origin: `${PUBLIC_URL}.evil.example`, cookie }),
    'cross_site',
  );
  expectProblem(
    await post(server, 'refresh', {}, { origin: 'http://electric.example.com', cookie }),
    'cross_site',
  );
  expect((await post(server, 'refresh', {}, { origin: PUBLIC_URL, cookie })).status).toBe(200);
  await server.close();
});
