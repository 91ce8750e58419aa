/** What the server's code gets handed: one plain object, so that a test can override what it likes. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { accessTokens } from './auth/access-token.ts';
import { attemptCounters } from './auth/attempts.ts';
import { passwords } from './auth/password.ts';
import type { Config } from './config.ts';
import type { Database } from './db/connect.ts';
import type { Tx } from './db/tables.ts';
import { Jobs } from './jobs/queue.ts';
import { type SendMail, smtp } from './mail/smtp.ts';
import type { Photos } from './photos/photos.ts';
import { openPhotos } from './photos/storage.ts';
import { makeSeal, type Seal } from './seal.ts';
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
  attempts: ReturnType<typeof attemptCounters>;
  jobs: Jobs;
  /** Null where no mail server is set. */
  mail: SendMail | null;
  photos: Photos;
  /** Seals the answers that are kept for repeated requests: some hold a secret. */
  answerSeal: Seal;
  /** Hides which clients are counted. */
  countingKey: Uint8Array;
  /** By this name the broker keeps messages for this server, whichever of its processes asks for them. */
  mqttClientId: string;
  /**
   * Throws precondition_failed unless the resource still is what the request's If-Match names, if it names something. A
   * change calls it in its transaction, once what it is about to change is locked.
   */
  checkVersion: (tx: Tx) => Promise<void>;
}

export function makeDeps(config: Config, secret: string, db: Database, override: Partial<Deps> = {}): Deps {
  const clock = override.clock ?? Date.now;
  const log = override.log ?? pino({ level: config.LOG_LEVEL });
  const { SMTP_URL, MAIL_FROM, PUBLIC_URL } = config;
  const from = MAIL_FROM ?? `Electric <electric@${new URL(PUBLIC_URL ?? 'http://localhost').hostname}>`;
  return {
    config,
    db,
    clock,
    log,
    ids: { uuid: randomUUID, token: () => randomBytes(32).toString('base64url') },
    passwords: passwords(),
    accessTokens: accessTokens(
      deriveKey(secret, 'access token'),
      config.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      clock,
    ),
    attempts: attemptCounters(deriveKey(secret, 'failed attempts'), config.RATE_LIMIT === 'on'),
    jobs: new Jobs({ db, clock, log, seal: makeSeal(deriveKey(secret, 'jobs')) }),
    mail: SMTP_URL === null ? null : smtp(SMTP_URL, from),
    photos: openPhotos(config.PHOTOS_URL, config.DATABASE_URL),
    answerSeal: makeSeal(deriveKey(secret, 'idempotent answers')),
    countingKey: deriveKey(secret, 'request counts'),
    mqttClientId: `electric-${Buffer.from(deriveKey(secret, 'mqtt client')).toString('hex', 0, 6)}`,
    checkVersion: async () => {},
    ...override,
  };
}
