/** Recognisable secrets sent through every route of auth: they stand in no log, no table, and no answer but their own. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { GUARDED, startServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const PASSWORD = 'canary: the first sentence of mine';
const NEXT = 'canary: a second and better sentence';
const TYPO = 'canary: typed where the name belongs';
const GUESS = 'canary: a guess that is not right';
const WEAK = 'canarycanarycanarycanary';
const JUNK_TOKEN = 'canary-token-nobody-has-made';
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };

/** As it is, and as somebody might have written it down. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
}

function foundIn(text: string, secrets: Iterable<string>): string[] {
  const lower = text.toLowerCase();
  return [...secrets].filter((secret) => spellings(secret).some((one) => lower.includes(one.toLowerCase())));
}

describe.each(ENGINES)('secrets on %s', (engine) => {
  test('stay where they belong', async () => {
    let logged = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        logged += chunk;
        done();
      },
    });
    let now_ms = Date.now();
    const clock = () => now_ms;
    const server = await startServer(engine, { ...GUARDED, clock, log: pino({ level: 'trace' }, stream) });
    const secrets = new Set([PASSWORD, NEXT, TYPO, GUESS, WEAK, JUNK_TOKEN]);
    /** Sends, and looks whether the answer has a secret that it does not bring. */
    async function send(
      path: string,
      body: object,
      { token, headers }: { token?: string; headers?: Record<string, string> } = {},
    ) {
      // Within a second an access token would come twice.
      now_ms += 1000;
      const method = path === 'sessions' ? 'GET' : 'POST';
      const answer = await server.call(method, `/api/auth/${path}`, {
        token,
        ...(method === 'GET' ? {} : { body }),
        headers: { ...headers },
      });
      const text = JSON.stringify([answer.body, [...answer.headers]]);
      expect([path, foundIn(text, secrets)]).toEqual([path, []]);
      const cookie = /__Host-electric_refresh=([^;]+);/.exec(answer.headers.get('set-cookie') ?? '')?.[1];
      for (const secret of [answer.body.access_token, answer.body.refresh_token, cookie])
        if (secret) secrets.add(secret);
      return { ...answer, cookie };
    }
    const account = { username: 'anna', email: 'anna@example.com' };

    expect((await send('register', { ...account, password: WEAK })).status).toBe(422);
    expect((await send('register', { ...account, password: 17, token: JUNK_TOKEN })).status).toBe(422);
    expect((await send('register', { ...account, password: PASSWORD })).status).toBe(201);
    expect((await send('register', { ...account, password: PASSWORD })).status).toBe(409);

    expect((await send('login', { username: 'anna', password: GUESS })).status).toBe(401);
    expect((await send('login', { username: TYPO, password: GUESS })).status).toBe(401);
    expect((await send('login', { username: 'anna', password: PASSWORD, nonsense: GUESS })).status).toBe(422);
    const { body: first } = await send('login', { username: 'anna', password: PASSWORD });
    const browser = await send(
      'login',
      { username: 'anna', password: PASSWORD, use_cookie: true },
      { headers: SAME_ORIGIN },
    );
    expect(browser.status).toBe(200);
    for (let i = 0; i < 6; i++) await send('login', { username: 'nobody', password: GUESS });
    expect((await send('login', { username: 'nobody', password: GUESS })).status).toBe(429);

    const cookie = `__Host-electric_refresh=${browser.cookie}`;
    expect((await send('refresh', {}, { headers: { cookie } })).status).toBe(403);
    expect((await send('refresh', {}, { headers: { cookie, ...SAME_ORIGIN } })).status).toBe(200);
    expect((await send('refresh', {}, { headers: { cookie, ...SAME_ORIGIN } })).status).toBe(401);
    expect((await send('refresh', { refresh_token: JUNK_TOKEN })).status).toBe(401);
    const { body: second } = await send('refresh', { refresh_token: first.refresh_token });

    const token = second.access_token;
    expect((await send('sessions', {}, { token })).status).toBe(200);
    expect((await send('sessions', {}, { token: JUNK_TOKEN })).status).toBe(401);
    const change = (current_password: string, new_password: string) =>
      send('change-password', { current_password, new_password }, { token });
    expect((await change(GUESS, NEXT)).status).toBe(403);
    expect((await change(PASSWORD, WEAK)).status).toBe(422);
    expect((await change(PASSWORD, NEXT)).status).toBe(204);
    expect((await send('login', { username: 'anna', password: PASSWORD })).status).toBe(401);
    expect((await send('login', { username: 'anna', password: NEXT })).status).toBe(200);
    expect((await send('logout', { refresh_token: JUNK_TOKEN }, { token })).status).toBe(204);
    // What breaks on the way is logged with all that is known of it.
    await server.db.close();
    expect((await send('login', { username: 'anna', password: NEXT })).status).toBeGreaterThanOrEqual(500);
    expect(secrets.size).toBeGreaterThan(12);

    expect(logged).toContain('/api/auth/login');
    expect(foundIn(logged, secrets)).toEqual([]);
    await server.app.close();
  });

  test('are in no table in clear', async () => {
    const server = await startServer(engine, GUARDED);
    const account = { username: 'anna', email: 'anna@example.com' };
    const secrets = [PASSWORD, NEXT, TYPO, GUESS];
    const post = async (path: string, body: object, token?: string) => {
      const answer = await server.call('POST', `/api/auth/${path}`, { body, token });
      for (const secret of [answer.body.access_token, answer.body.refresh_token])
        if (secret) secrets.push(secret);
      return answer.body;
    };
    await post('register', { ...account, password: PASSWORD });
    for (const username of ['anna', TYPO]) await post('login', { username, password: GUESS });
    const first = await post('login', { username: 'anna', password: PASSWORD });
    const second = await post('refresh', { refresh_token: first.refresh_token });
    const change = { current_password: GUESS, new_password: NEXT };
    await post('change-password', change, second.access_token);
    await post('change-password', { ...change, current_password: PASSWORD }, second.access_token);
    await post('login', { username: 'anna', password: NEXT });
    const tables = await everything(server.db);
    for (const name of ['users', 'sessions', 'refresh_tokens', 'failed_attempts'])
      expect(tables[name]).not.toEqual([]);
    const stored = JSON.stringify(tables, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    );
    expect(foundIn(stored, ['anna@example.com'])).toEqual(['anna@example.com']);
    expect(foundIn(stored, secrets)).toEqual([]);
    expect(secrets.length).toBe(10);
    await server.close();
  });
});
