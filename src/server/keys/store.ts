import { type Insertable, type Selectable, sql } from 'kysely';
import type { Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

/** A key that has not been deleted. */
export type KeyRow = Selectable<Tables['api_keys']> & { name: string; secret_prefix: string };

export async function insertKey(tx: Tx, key: Insertable<Tables['api_keys']>): Promise<KeyRow> {
  return (await tx.insertInto('api_keys').values(key).returningAll().executeTakeFirstOrThrow()) as KeyRow;
}

/** On the way of every request with a key. */
export async function findKeyByHash(db: Db, secret_hash: string): Promise<KeyRow | undefined> {
  const { rows } = await sql<KeyRow>`SELECT * FROM api_keys WHERE secret_hash = ${secret_hash}`.execute(db);
  return rows[0];
}

export async function findKey(db: Db, id: number): Promise<KeyRow | undefined> {
  const { rows } = await sql<KeyRow>`
    SELECT * FROM api_keys WHERE id = ${id} AND secret_hash IS NOT NULL`.execute(db);
  return rows[0];
}

function keysOf(db: Db, user_id: number) {
  return db.selectFrom('api_keys').where('user_id', '=', user_id).where('secret_hash', 'is not', null);
}

export async function countKeys(db: Db, user_id: number): Promise<number> {
  const { total } = await keysOf(db, user_id)
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
}

/** A user's keys, newest first. */
export async function listKeys(
  db: Db,
  user_id: number,
  { limit, offset }: Page,
): Promise<{ rows: KeyRow[]; total: number }> {
  const rows = await keysOf(db, user_id)
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit!)
    .offset(offset!)
    .execute();
  return { rows: rows as KeyRow[], total: await countKeys(db, user_id) };
}

export async function useKey(tx: Tx, id: number, now_ms: number): Promise<void> {
  await tx.updateTable('api_keys').set({ last_used_at: now_ms }).where('id', '=', id).execute();
}

const GONE = { secret_hash: null, secret_prefix: null };

/** Takes a key's secret away; its row stays for the ledger to name. */
export async function deleteKey(tx: Tx, id: number): Promise<void> {
  await tx.updateTable('api_keys').set(GONE).where('id', '=', id).execute();
}

/** The same for all keys that a user ever had, and their names too. */
export async function forgetKeys(tx: Tx, user_id: number): Promise<void> {
  await tx
    .updateTable('api_keys')
    .set({ ...GONE, name: null, last_used_at: null })
    .where('user_id', '=', user_id)
    .execute();
}
