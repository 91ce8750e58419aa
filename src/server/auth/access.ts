import type { Tx } from '../db/tables.ts';
import { DomainError } from '../errors.ts';
import type { Caller } from './caller.ts';
import { findUser, lockSessions, type UserRow } from './store.ts';

/**
 * The caller's account, locked: nobody changes its password or deletes it until the transaction ends. Throws
 * not_authenticated if it was deleted since the request came in.
 */
export async function requireUser(tx: Tx, { user_id }: Pick<Caller, 'user_id'>): Promise<UserRow> {
  await lockSessions(tx, user_id);
  const user = await findUser(tx, user_id);
  if (user) return user;
  throw new DomainError('not_authenticated', 'This account does not exist any more.');
}
