import { type Insertable, type Selectable, sql } from 'kysely';
import { lockRows } from '../db/dialect.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type UserRow = Selectable<Tables['users']>;

export async function insertUser(tx: Tx, user: Insertable<Tables['users']>): Promise<UserRow> {
  return tx.insertInto('users').values(user).returningAll().executeTakeFirstOrThrow();
}

export async function findUser(db: Db, id: number): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

/** @param folded a username or an email address, folded */
export async function findUserByLogin(db: Db, folded: string): Promise<UserRow | undefined> {
  const column = folded.includes('@') ? 'email_folded' : 'username_folded';
  return db.selectFrom('users').selectAll().where(column, '=', folded).executeTakeFirst();
}

export async function insertSession(tx: Tx, session: Insertable<Tables['sessions']>): Promise<void> {
  await tx.insertInto('sessions').values(session).execute();
}

/** Marks a session as used up by a refresh. @returns false if it was already */
export async function useSession(tx: Tx, id: number, now_ms: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('sessions')
    .set({ used_at: now_ms })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function findSession(db: Db, token_hash: string) {
  return db.selectFrom('sessions').selectAll().where('token_hash', '=', token_hash).executeTakeFirst();
}

/** Makes a user's refreshes queue: a family that ends leaves no session behind that is being opened meanwhile. */
export async function lockSessions(tx: Tx, user_id: number): Promise<void> {
  await lockRows(tx, sql`SELECT id FROM users WHERE id = ${user_id}`);
}

export async function endFamily(tx: Tx, family: string): Promise<void> {
  await tx.deleteFrom('sessions').where('family', '=', family).execute();
}
