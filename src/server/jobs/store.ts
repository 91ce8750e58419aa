import { type Insertable, type Selectable, sql } from 'kysely';
import { skipLocked } from '../db/dialect.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type JobRow = Selectable<Tables['jobs']>;

export async function insertJob(tx: Tx, job: Insertable<Tables['jobs']>): Promise<void> {
  await tx.insertInto('jobs').values(job).execute();
}

/**
 * Takes jobs that are due, oldest first, and puts them off until the lease ends: whoever took them and died leaves them
 * to the next.
 */
export async function claimDue(tx: Tx, now_ms: number, lease_ms: number, limit: number): Promise<JobRow[]> {
  const { rows } = await sql<JobRow>`
    UPDATE jobs SET attempts = attempts + 1, run_at = ${now_ms + lease_ms}
    WHERE id IN (SELECT id FROM jobs WHERE state = 'ready' AND run_at <= ${now_ms}
      ORDER BY run_at, id LIMIT ${limit} ${skipLocked(tx)})
    RETURNING *`.execute(tx);
  return rows;
}

/** When the next job is due; null if none is waiting. */
export async function nextDue(db: Db): Promise<number | null> {
  const { rows } = await sql<{ run_at: number }>`
    SELECT run_at FROM jobs WHERE state = 'ready' ORDER BY run_at, id LIMIT 1`.execute(db);
  return rows[0]?.run_at ?? null;
}

export async function deleteJob(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('jobs').where('id', '=', id).execute();
}

export async function postponeJob(tx: Tx, id: number, run_at: number, error: string): Promise<void> {
  await tx.updateTable('jobs').set({ run_at, error }).where('id', '=', id).execute();
}

/** Gives a job up; what was in it is not kept. */
export async function failJob(tx: Tx, id: number, error: string): Promise<void> {
  await tx.updateTable('jobs').set({ state: 'failed', error, payload: '' }).where('id', '=', id).execute();
}
