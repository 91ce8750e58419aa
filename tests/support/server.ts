/** The real server on a free port, over a fresh database. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type Client, createClient } from '../../src/client/index.ts';
import { buildApp } from '../../src/server/app.ts';
import { attemptCounters } from '../../src/server/auth/attempts.ts';
import { loadConfig } from '../../src/server/config.ts';
import type { Database } from '../../src/server/db/connect.ts';
import { type Deps, makeDeps } from '../../src/server/deps.ts';
import { deriveKey } from '../../src/server/secret.ts';
import { type Engine, freshDatabase } from './engines.ts';

export const PASSWORD = 'a sentence that is long enough';
export const SECRET = 'a secret for tests that is long enough';

/** Counts failed sign-ins although requests are not counted: a test signs in more often than anybody does. */
export const GUARDED: Partial<Deps> = {
  attempts: attemptCounters(deriveKey(SECRET, 'failed attempts'), true),
};

export interface Person {
  id: number;
  username: string;
  token: string;
  /** Calls the server as this person. */
  client: Client;
}

export interface TestServer {
  app: FastifyInstance;
  deps: Deps;
  db: Database;
  origin: string;
  /** Calls the server without credentials. */
  anonymous: Client;
  /** Registers somebody new and signs them in. */
  newPerson(): Promise<Person>;
  /** A raw request: status, headers and parsed body. */
  call(method: string, path: string, options?: CallOptions): Promise<CallResult>;
  close(): Promise<void>;
}

export interface CallOptions {
  token?: string | undefined;
  /** Sent as JSON; a string or bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface CallResult {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/** @param settings environment variables, as the server would find them; requests are counted only if these say so */
export async function startServer(
  engine: Engine,
  override: Partial<Deps> = {},
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const { db, close } = await freshDatabase(engine);
  const photos = join(tmpdir(), `electric-photos-${randomUUID()}`);
  const config = loadConfig({
    NODE_ENV: 'test',
    RATE_LIMIT: 'off',
    PHOTOS_URL: `file:${photos}`,
    ...settings,
  });
  const log = pino({ level: 'silent' });
  const deps = makeDeps(config, SECRET, db, { log, ...override });
  const app = buildApp(deps);
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const anonymous = createClient({ origin });
  let people = 0;

  return {
    app,
    deps,
    db,
    origin,
    anonymous,
    async newPerson() {
      people += 1;
      const username = `person${people}`;
      const email = `${username}@example.com`;
      const { id } = await anonymous.register({ body: { username, email, password: PASSWORD } });
      const { access_token: token } = await anonymous.login({ body: { username, password: PASSWORD } });
      return { id, username, token, client: createClient({ origin, token: () => token }) };
    },
    async call(method, path, { token, body, headers = {} } = {}) {
      const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
      const response = await fetch(origin + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as string }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '')
          ? JSON.parse(text)
          : text,
      };
    },
    async close() {
      await app.close();
      await close();
      rmSync(photos, { recursive: true, force: true });
    },
  };
}
