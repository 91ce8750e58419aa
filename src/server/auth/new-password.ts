/** What a password must be, and how an account gets another one. */
import { MIN_PASSWORD_LENGTH } from '../../contract/auth.ts';
import { fold } from '../../core/text.ts';
import type { Database } from '../db/connect.ts';
import { invalid, notFound } from '../errors.ts';
import { guessable } from './guessable.ts';
import { passwords } from './password.ts';
import * as store from './store.ts';

interface Account {
  username: string;
  email: string;
}

/**
 * Throws validation_failed with the reason if a password is too short or easy to guess. Nothing else is asked of it.
 * @param path the field that it came in
 * @param host the server's name, which is a bad password too; null if it has none
 */
export function checkNewPassword(
  path: string,
  password: string,
  { username, email }: Account,
  host: string | null,
): void {
  // Counted as it is compared: with letters composed.
  if ([...password.normalize('NFC')].length < MIN_PASSWORD_LENGTH)
    throw invalid([{ path, message: `must have at least ${MIN_PASSWORD_LENGTH} characters` }]);
  const reason = guessable(password, [username, email, 'electric', ...(host ? [host] : [])]);
  if (reason)
    throw invalid([
      { path, message: `${reason}: take something longer of your own, a sentence for example` },
    ]);
}

/**
 * For the server's keeper: a new password for somebody who has lost theirs. All their sessions end. Throws not_found,
 * validation_failed.
 * @param login username or email address
 */
export async function resetPassword(
  db: Database,
  login: string,
  password: string,
): Promise<Account & { id: number }> {
  const user = await store.findUserByLogin(db.read, fold(login));
  if (!user) throw notFound(`user ${login}`);
  checkNewPassword('password', password, user, null);
  const password_hash = await passwords().hash(password);
  await db.write(async (tx) => {
    await store.lockSessions(tx, user.id);
    await store.setPassword(tx, user.id, password_hash);
    await store.endSessions(tx, user.id);
  });
  return { id: user.id, username: user.username, email: user.email };
}
