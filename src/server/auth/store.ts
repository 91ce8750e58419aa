import { type Insertable, type Selectable, sql } from 'kysely';
import { lockRows, skipLocked } from '../db/dialect.ts';
import type { Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type UserRow = Selectable<Tables['users']>;

export async function insertUser(tx: Tx, user: Insertable<Tables['users']>): Promise<UserRow> {
  return tx.insertInto('users').values(user).returningAll().executeTakeFirstOrThrow();
}

/** A user who has not been deleted. */
export async function findUser(db: Db, id: number): Promise<UserRow | undefined> {
  const rows = db.selectFrom('users').selectAll().where('id', '=', id).where('deleted_at', 'is', null);
  return rows.executeTakeFirst();
}

/** @param folded a username or an email address, folded */
export async function findUserByLogin(db: Db, folded: string): Promise<UserRow | undefined> {
  const column = folded.includes('@') ? 'email_folded' : 'username_folded';
  return db.selectFrom('users').selectAll().where(column, '=', folded).executeTakeFirst();
}

export async function setPassword(tx: Tx, id: number, password_hash: string): Promise<void> {
  await tx.updateTable('users').set({ password_hash }).where('id', '=', id).execute();
}

export type SessionRow = Selectable<Tables['sessions']>;

export async function insertSession(tx: Tx, session: Insertable<Tables['sessions']>): Promise<void> {
  await tx.insertInto('sessions').values(session).execute();
}

export async function findSession(db: Db, id: string): Promise<SessionRow | undefined> {
  const { rows } = await sql<SessionRow>`SELECT * FROM sessions WHERE id = ${id}`.execute(db);
  return rows[0];
}

/** @returns a page of a user's sessions, the latest first, and how many there are */
export async function listSessions(db: Db, user_id: number, now_ms: number, page: Page) {
  const going_on = db.selectFrom('sessions').where('user_id', '=', user_id).where('expires_at', '>', now_ms);
  const items = await going_on
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(page.limit!)
    .offset(page.offset!)
    .execute();
  const { total } = await going_on
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { items, total };
}

export async function renewSession(
  tx: Tx,
  id: string,
  times: { last_used_at: number; expires_at: number },
): Promise<void> {
  await tx.updateTable('sessions').set(times).where('id', '=', id).execute();
}

/** Makes a user's refreshes queue: a session that ends leaves no token behind that is being made meanwhile. */
export async function lockSessions(tx: Tx, user_id: number): Promise<void> {
  await lockRows(tx, sql`SELECT id FROM users WHERE id = ${user_id}`);
}

export async function endSession(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('sessions').where('id', '=', id).execute();
}

export async function endSessions(tx: Tx, user_id: number): Promise<void> {
  await tx.deleteFrom('sessions').where('user_id', '=', user_id).execute();
}

export async function endOtherSessions(tx: Tx, user_id: number, session: string): Promise<void> {
  await tx.deleteFrom('sessions').where('user_id', '=', user_id).where('id', '<>', session).execute();
}

const SWEPT_AT_ONCE = 100;

/** Deletes some of what has expired; a few more than are added meanwhile, so that they never pile up. */
async function sweep(tx: Tx, table: 'sessions' | 'failed_attempts', key: 'id' | 'key', now_ms: number) {
  await sql`DELETE FROM ${sql.table(table)} WHERE ${sql.ref(key)} IN (
    SELECT ${sql.ref(key)} FROM ${sql.table(table)} WHERE expires_at <= ${now_ms}
    ORDER BY expires_at LIMIT ${SWEPT_AT_ONCE} ${skipLocked(tx)})`.execute(tx);
}

export async function sweepSessions(tx: Tx, now_ms: number): Promise<void> {
  await sweep(tx, 'sessions', 'id', now_ms);
}

export async function insertRefreshToken(tx: Tx, token_hash: string, session_id: string): Promise<void> {
  await tx.insertInto('refresh_tokens').values({ token_hash, session_id, used_at: null }).execute();
}

/** @returns the session of a refresh token, used or not, and when it expires */
export async function findTokenSession(db: Db, token_hash: string): Promise<SessionRow | undefined> {
  return db
    .selectFrom('refresh_tokens as t')
    .innerJoin('sessions as s', 's.id', 't.session_id')
    .selectAll('s')
    .where('t.token_hash', '=', token_hash)
    .executeTakeFirst();
}

/** Uses a refresh token up. @returns false if it was already, or is gone */
export async function useRefreshToken(tx: Tx, token_hash: string, now_ms: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('refresh_tokens')
    .set({ used_at: now_ms })
    .where('token_hash', '=', token_hash)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Forgets the tokens of a session that were used before `before_ms`. */
export async function deleteUsedTokens(tx: Tx, session_id: string, before_ms: number): Promise<void> {
  await tx
    .deleteFrom('refresh_tokens')
    .where('session_id', '=', session_id)
    .where('used_at', '<=', before_ms)
    .execute();
}

export type AttemptsRow = Selectable<Tables['failed_attempts']>;

export async function findAttempts(db: Db, keys: readonly string[]): Promise<AttemptsRow[]> {
  return db.selectFrom('failed_attempts').selectAll().where('key', 'in', keys).execute();
}

/** Makes whoever counts at the same key wait, also where nothing has been counted yet. */
export async function lockAttempts(tx: Tx, key: string): Promise<void> {
  await tx
    .insertInto('failed_attempts')
    .values({ key, failures: 0, refused_until: 0, expires_at: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await lockRows(tx, sql`SELECT key FROM failed_attempts WHERE key = ${key}`);
}

export async function updateAttempts(tx: Tx, { key, ...counted }: AttemptsRow): Promise<void> {
  await tx.updateTable('failed_attempts').set(counted).where('key', '=', key).execute();
}

export async function deleteAttempts(tx: Tx, keys: readonly string[]): Promise<void> {
  await tx.deleteFrom('failed_attempts').where('key', 'in', keys).execute();
}

export async function sweepAttempts(tx: Tx, now_ms: number): Promise<void> {
  await sweep(tx, 'failed_attempts', 'key', now_ms);
}

export async function insertReset(tx: Tx, reset: Insertable<Tables['password_resets']>): Promise<void> {
  await tx.insertInto('password_resets').values(reset).execute();
}

/** The account that a link is good for. */
export async function findResetAccount(
  db: Db,
  token_hash: string,
  now_ms: number,
): Promise<{ username: string; email: string } | undefined> {
  return db
    .selectFrom('password_resets as r')
    .innerJoin('users as u', 'u.id', 'r.user_id')
    .select(['u.username', 'u.email'])
    .where('r.token_hash', '=', token_hash)
    .where('r.expires_at', '>', now_ms)
    .executeTakeFirst();
}

/** Uses a link up. @returns whose it was; null if it is not good (any more): of many at once, one gets it */
export async function takeReset(tx: Tx, token_hash: string, now_ms: number): Promise<number | null> {
  const { rows } = await sql<{ user_id: number }>`
    DELETE FROM password_resets WHERE token_hash = ${token_hash} AND expires_at > ${now_ms}
    RETURNING user_id`.execute(tx);
  return rows[0]?.user_id ?? null;
}

export async function countResets(db: Db, user_id: number): Promise<number> {
  const found = await db
    .selectFrom('password_resets')
    .select('token_hash')
    .where('user_id', '=', user_id)
    .execute();
  return found.length;
}

export async function deleteExpiredResets(tx: Tx, user_id: number, now_ms: number): Promise<void> {
  await tx
    .deleteFrom('password_resets')
    .where('user_id', '=', user_id)
    .where('expires_at', '<=', now_ms)
    .execute();
}

export async function deleteResets(tx: Tx, user_id: number): Promise<void> {
  await tx.deleteFrom('password_resets').where('user_id', '=', user_id).execute();
}
