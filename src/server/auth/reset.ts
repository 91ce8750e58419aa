/** Forgotten passwords: a link by mail, good once. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/auth.ts';
import { fold } from '../../core/text.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { languageOf, passwordReset } from '../mail/messages.ts';
import { hashToken } from './hash-token.ts';
import { checkNewPassword } from './new-password.ts';
import * as store from './store.ts';

const LINK_LIFETIME_MS = 3_600_000;
/** Open links of one account: whoever asks again and again fills no letter box. */
const MAX_LINKS = 3;

/**
 * Writes down that somebody asks. Whether there is such an account is looked up later, so that nobody can tell from the
 * answer, nor from the time it takes.
 */
export async function forgotPassword({ db, jobs, mail }: Deps, login: string): Promise<void> {
  if (!mail) return;
  await db.write((tx) => jobs.add(tx, 'forgot_password', { login }));
  jobs.wake();
}

/** Makes the link and writes its mail down, if the account is there. */
export async function sendResetLink(
  { db, clock, ids, jobs, config }: Deps,
  login: string,
  finish: (tx: Tx) => Promise<void>,
): Promise<void> {
  await db.write(async (tx) => {
    await finish(tx);
    const user = await store.findUserByLogin(tx, fold(login));
    if (!user) return;
    await store.lockSessions(tx, user.id);
    await store.deleteExpiredResets(tx, user.id, clock());
    if ((await store.countResets(tx, user.id)) >= MAX_LINKS) return;
    const token = ids.token();
    await store.insertReset(tx, {
      token_hash: hashToken(token),
      user_id: user.id,
      expires_at: clock() + LINK_LIFETIME_MS,
    });
    // After the #, so that the token stands in no server's log.
    const link = `${config.PUBLIC_URL}/reset-password#${token}`;
    const message = passwordReset(languageOf(user.locale), user.username, link);
    await jobs.add(tx, 'mail', { to: user.email, ...message });
  });
}

/** Throws reset_token_invalid. All sessions and open links of the account end. */
export async function resetPassword(
  { db, clock, passwords, config }: Deps,
  { token, new_password }: Static<typeof contract.resetPassword.body>,
): Promise<void> {
  const refused = new DomainError(
    'reset_token_invalid',
    'This link has been used or is older than an hour: ask for a new one.',
  );
  const token_hash = hashToken(token);
  // Hashing a password is dear: not for whoever has no link.
  const account = await store.findResetAccount(db.read, token_hash, clock());
  if (!account) throw refused;
  const host = config.PUBLIC_URL === null ? null : new URL(config.PUBLIC_URL).hostname;
  checkNewPassword('new_password', new_password, account, host);
  const password_hash = await passwords.hash(new_password);
  await db.write(async (tx) => {
    const user_id = await store.takeReset(tx, token_hash, clock());
    if (user_id === null) throw refused;
    await store.lockSessions(tx, user_id);
    await store.setPassword(tx, user_id, password_hash);
    await store.deleteResets(tx, user_id);
    await store.endSessions(tx, user_id);
  });
}
