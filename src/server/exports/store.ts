import { sql } from 'kysely';
import { oneOf } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';

/** Usernames by the id of their users. */
export async function usernames(db: Db, user_ids: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await sql<{ id: number; username: string }>`
    SELECT id, username FROM users WHERE id ${oneOf(db, user_ids)}`.execute(db);
  return new Map(rows.map(({ id, username }) => [id, username]));
}
