/** Idempotency-Key: a repeated request has one effect, and gets the first answer again. */
import { createHash, hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Contract } from '../../contract/schema.ts';
import { hold } from '../db/hold.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import * as store from './store.ts';

const KEPT_MS = 86_400_000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** An answer as it goes over the wire. */
export interface Sent {
  status: number;
  /** Those that the call itself has set. */
  headers: Record<string, string>;
  /** Null where there is none. */
  body: string | null;
}

/** The key that a request carries; null if it has none, or is not one whose answer is kept. Throws invalid_request. */
export function idempotencyKey({ method, public: open }: Contract, request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  // What public calls answer is secret, and nobody knows who repeats them.
  if (key === undefined || method !== 'POST' || open) return null;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new DomainError(
    'invalid_request',
    'Idempotency-Key must have 1 to 255 visible ASCII characters: a fresh UUID is a good one.',
  );
}

/** Passes an upload on, taking its digest. */
class Digesting extends Transform {
  readonly #hash = createHash('sha256');
  readonly #done = Promise.withResolvers<string>();

  constructor(upload: IncomingMessage) {
    super();
    // Whoever reads the upload hears of it, too.
    this.#done.promise.catch(() => {});
    pipeline(upload, this, (error) => {
      if (error) this.#done.reject(Object.assign(error, { code: 'ECONNRESET' }));
    });
  }
  override _transform(bytes: Buffer, _encoding: string, done: TransformCallback): void {
    this.#hash.update(bytes);
    done(null, bytes);
  }
  override _flush(done: TransformCallback): void {
    this.#done.resolve(this.#hash.digest('base64url'));
    done();
  }
  /** Reads on to the end, if nobody else does. */
  digest(): Promise<string> {
    this.resume();
    return this.#done.promise;
  }
}

/** What was asked, and by which API key, so that the same key for something else is noticed. A streamed body is known once it was read. */
export function fingerprintOf({ name, streams }: Contract, request: FastifyRequest): () => Promise<string> {
  const { params, query, body, caller } = request;
  const api_key = caller?.api_key?.id ?? null;
  const asked = (content: unknown) =>
    hash('sha256', JSON.stringify([name, params, query, content, api_key]), 'base64url');
  if (!streams) return async () => asked(body);
  const digesting = new Digesting(request.raw);
  request.body = digesting;
  return async () => asked([request.headers['content-type'], await digesting.digest()]);
}

/** Somebody else has the key. */
class Taken extends Error {}

/**
 * Answers a request that carries a key. The key and the answer are kept in the transaction of the change itself, so
 * there is never one without the other; a repeat that comes meanwhile waits for that transaction. Only successes are
 * kept: what failed may be tried again.
 * @param handle does the work on the dependencies it is given
 * @throws idempotency_key_reused, and whatever `handle` throws
 */
export async function onlyOnce(
  deps: Deps,
  user_id: number,
  key: string,
  fingerprint: () => Promise<string>,
  handle: (deps: Deps) => Promise<Sent>,
): Promise<{ sent: Sent; replayed: boolean }> {
  const known = await findAnswer(deps, user_id, key, fingerprint);
  if (known) return { sent: known, replayed: true };
  const { db, clock, answerSeal } = deps;
  const now_ms = clock();
  const held = hold(db, async (tx: Tx) => {
    if (!(await store.claimKey(tx, user_id, key, now_ms, now_ms - KEPT_MS))) throw new Taken();
    await store.sweepKeys(tx, now_ms - KEPT_MS);
  });
  try {
    const sent = await handle({ ...deps, db: held.db });
    const kept = { fingerprint: await fingerprint(), answer: answerSeal.seal(JSON.stringify(sent)) };
    await held.commit((tx) => store.keepAnswer(tx, user_id, key, kept));
    return { sent, replayed: false };
  } catch (error) {
    if (error instanceof Taken) {
      const first = await findAnswer(deps, user_id, key, fingerprint);
      if (first) return { sent: first, replayed: true };
      const detail = 'Another request with this Idempotency-Key has only just failed: repeat this one.';
      throw new DomainError('unavailable', detail, { retry_after: 1 });
    }
    // A refusal that comes after a write means what it wrote, as it does without a key.
    if (error instanceof DomainError && held.hasWritten()) {
      await held.commit((tx) => store.releaseKey(tx, user_id, key));
    } else {
      await held.rollback();
    }
    throw error;
  }
}

async function findAnswer(
  { db, clock, answerSeal }: Deps,
  user_id: number,
  key: string,
  fingerprint: () => Promise<string>,
): Promise<Sent | null> {
  const row = await store.findAnswer(db.read, user_id, key, clock() - KEPT_MS);
  if (!row) return null;
  if (row.fingerprint !== (await fingerprint())) {
    const detail =
      'This Idempotency-Key was sent with another request within the last 24 hours: send a fresh one.';
    throw new DomainError('idempotency_key_reused', detail);
  }
  let answer: string;
  try {
    answer = answerSeal.open(row.answer);
  } catch {
    throw new DomainError(
      'idempotency_key_reused',
      "The first answer to this Idempotency-Key cannot be read any more, as the server's secret has changed: see whether " +
        'the change has been made, and send a fresh key if not.',
    );
  }
  return JSON.parse(answer);
}
