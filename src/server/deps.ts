/** What the server's code gets handed: one plain object, so that a test can override what it likes. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { accessTokens } from './auth/access-token.ts';
import { passwords } from './auth/password.ts';
import type { Config } from './config.ts';
import type { Database } from './db/connect.ts';
import { deriveKey } from './secret.ts';

export interface Deps {
  config: Config;
  db: Database;
  /** Epoch milliseconds. */
  clock: () => number;
  log: Logger;
  ids: { uuid(): string; token(): string };
  passwords: ReturnType<typeof passwords>;
  accessTokens: ReturnType<typeof accessTokens>;
}

export function makeDeps(config: Config, secret: string, db: Database, override: Partial<Deps> = {}): Deps {
  const clock = override.clock ?? Date.now;
  return {
    config,
    db,
    clock,
    log: pino({ level: config.LOG_LEVEL }),
    ids: { uuid: randomUUID, token: () => randomBytes(32).toString('base64url') },
    passwords: passwords(),
    accessTokens: accessTokens(
      deriveKey(secret, 'access token'),
      config.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      clock,
    ),
    ...override,
  };
}
