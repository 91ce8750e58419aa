/** What the server remembers of requests. */
import { sql } from 'kysely';
import { skipLocked } from '../db/dialect.ts';
import type { Db, Tx } from '../db/tables.ts';

/** Rows that a request clears away, so that no request has to clear many. */
const SWEPT_AT_ONCE = 10;

/**
 * Takes a key, waiting for whoever is taking it; one from before `expired_ms` is free again.
 * @returns false if it is taken
 */
export async function claimKey(
  tx: Tx,
  user_id: number,
  key: string,
  now_ms: number,
  expired_ms: number,
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, created_at)
    VALUES (${user_id}, ${key}, '', '', ${now_ms})
    ON CONFLICT (user_id, key) DO UPDATE SET created_at = excluded.created_at
      WHERE idempotency_keys.created_at <= ${expired_ms}
    RETURNING user_id`.execute(tx);
  return rows.length === 1;
}

export async function keepAnswer(
  tx: Tx,
  user_id: number,
  key: string,
  kept: { fingerprint: string; answer: string },
): Promise<void> {
  await tx
    .updateTable('idempotency_keys')
    .set(kept)
    .where('user_id', '=', user_id)
    .where('key', '=', key)
    .execute();
}

export async function releaseKey(tx: Tx, user_id: number, key: string): Promise<void> {
  await tx.deleteFrom('idempotency_keys').where('user_id', '=', user_id).where('key', '=', key).execute();
}

export async function findAnswer(
  db: Db,
  user_id: number,
  key: string,
  expired_ms: number,
): Promise<{ fingerprint: string; answer: string } | undefined> {
  return db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'answer'])
    .where('user_id', '=', user_id)
    .where('key', '=', key)
    .where('created_at', '>', expired_ms)
    .executeTakeFirst();
}

export async function sweepKeys(tx: Tx, expired_ms: number): Promise<void> {
  await sql`
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
      SELECT user_id, key FROM idempotency_keys WHERE created_at <= ${expired_ms}
      ORDER BY created_at LIMIT ${SWEPT_AT_ONCE} ${skipLocked(tx)})`.execute(tx);
}

/** Counts one request. @param expires_at when the window it falls into ends @returns how many there are in that window */
export async function countRequest(tx: Tx, key: string, expires_at: number): Promise<number> {
  // An instance whose clock is behind counts into the window that the others are in.
  const { rows } = await sql<{ count: number }>`
    INSERT INTO request_counts (key, expires_at, count) VALUES (${key}, ${expires_at}, 1)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN request_counts.expires_at < excluded.expires_at THEN 1 ELSE request_counts.count + 1 END,
      expires_at = CASE WHEN request_counts.expires_at < excluded.expires_at THEN excluded.expires_at
        ELSE request_counts.expires_at END
    RETURNING count`.execute(tx);
  return rows[0]!.count;
}

export async function sweepCounts(tx: Tx, now_ms: number): Promise<void> {
  await sql`
    DELETE FROM request_counts WHERE key IN (
      SELECT key FROM request_counts WHERE expires_at <= ${now_ms}
      ORDER BY expires_at LIMIT ${SWEPT_AT_ONCE} ${skipLocked(tx)})`.execute(tx);
}
