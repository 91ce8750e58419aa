import type { Static } from 'typebox';
import type * as contract from '../../contract/auth.ts';
import type { Session, Tokens, User } from '../../contract/auth.ts';
import { fold } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import { uniqueViolation } from '../db/dialect.ts';
import { type Listed, listed, type Page } from '../db/page.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, forbidden, notFound } from '../errors.ts';
import { checkAttempts, countFailure, forgiveFailures } from './attempts.ts';
import type { Caller } from './caller.ts';
import { hashToken } from './hash-token.ts';
import { checkNewPassword } from './new-password.ts';
import * as store from './store.ts';

export const REFRESH_LIFETIME_MS = 30 * 86_400_000;
const MAX_USER_AGENT = 200;

/** Where a request comes from. */
export interface Origin {
  /** The client's IP address. */
  address: string;
  user_agent: string | null;
  /** Aborted once nobody waits for the answer any more. */
  gone: AbortSignal;
}

function present({ id, username, email, created_at }: store.UserRow): User {
  return { id, username, email, created_at: formatInstant(created_at) };
}

const hostOf = ({ config }: Deps) => (config.PUBLIC_URL ? new URL(config.PUBLIC_URL).hostname : null);

/** Throws validation_failed, username_taken, email_taken, unavailable. */
export async function register(
  deps: Deps,
  body: Static<typeof contract.register.body>,
  gone: AbortSignal,
): Promise<User> {
  const { username, email } = body;
  checkNewPassword('password', body.password, body, hostOf(deps));
  const password_hash = await deps.passwords.hash(body.password, gone);
  try {
    const user = await deps.db.write((tx) =>
      store.insertUser(tx, {
        username,
        username_folded: fold(username),
        email,
        email_folded: fold(email),
        password_hash,
        created_at: deps.clock(),
      }),
    );
    return present(user);
  } catch (error) {
    const index = uniqueViolation(error);
    if (index?.includes('email')) {
      throw new DomainError('email_taken', 'An account with this email address exists: sign in instead.');
    }
    if (index) throw new DomainError('username_taken', 'This username is taken: choose another.');
    throw error;
  }
}

/** Makes a session's next refresh token, which is stored only as a hash. */
async function nextToken({ ids }: Deps, tx: Tx, session: string): Promise<string> {
  const token = ids.token();
  await store.insertRefreshToken(tx, hashToken(token), session);
  return token;
}

async function openSession(deps: Deps, tx: Tx, user_id: number, user_agent: string | null) {
  const session = deps.ids.uuid();
  const now_ms = deps.clock();
  await store.insertSession(tx, {
    id: session,
    user_id,
    user_agent: user_agent?.slice(0, MAX_USER_AGENT) ?? null,
    created_at: now_ms,
    last_used_at: now_ms,
    expires_at: now_ms + REFRESH_LIFETIME_MS,
  });
  await store.sweepSessions(tx, now_ms);
  return { user_id, session, token: await nextToken(deps, tx, session) };
}

type Opened = Awaited<ReturnType<typeof openSession>>;

async function presentTokens({ accessTokens }: Deps, { user_id, session, token }: Opened): Promise<Tokens> {
  return {
    access_token: await accessTokens.sign({ user_id, session }),
    token_type: 'bearer',
    expires_in: accessTokens.lifetime_s,
    refresh_token: token,
  };
}

/**
 * Throws invalid_credentials, too_many_attempts, unavailable: the same, after the same work, whether there is such an
 * account or not.
 */
export async function login(
  deps: Deps,
  body: Static<typeof contract.login.body>,
  { address, user_agent, gone }: Origin,
): Promise<Tokens> {
  const name = fold(body.username);
  const counters = deps.attempts.signIn(name, address);
  await checkAttempts(deps.db.read, counters, deps.clock());
  const user = await store.findUserByLogin(deps.db.read, name);
  const right = await deps.passwords.verify(body.password, user?.password_hash ?? null, gone);
  const opened = await deps.db.write(async (tx) => {
    if (user && right && (await hasStill(tx, user))) {
      await forgiveFailures(tx, counters, deps.clock());
      return openSession(deps, tx, user.id, user_agent);
    }
    await countFailure(tx, counters, deps.clock());
    return null;
  });
  if (!opened) throw new DomainError('invalid_credentials', 'The username or the password is wrong.');
  return presentTokens(deps, opened);
}

/** Whether the password that was verified is still the account's; it cannot change before the transaction ends. */
async function hasStill(tx: Tx, { id, password_hash }: store.UserRow): Promise<boolean> {
  await store.lockSessions(tx, id);
  return (await store.findUser(tx, id))?.password_hash === password_hash;
}

/** Rotates a refresh token; one that was used before ends its session: somebody has a copy. */
export async function refresh(deps: Deps, refresh_token: string): Promise<Tokens> {
  const next = await deps.db.write(async (tx) => {
    const now_ms = deps.clock();
    const token_hash = hashToken(refresh_token);
    const session = await store.findTokenSession(tx, token_hash);
    if (!session || session.expires_at <= now_ms) return null;
    const { id, user_id } = session;
    await store.lockSessions(tx, user_id);
    if (!(await store.useRefreshToken(tx, token_hash, now_ms))) {
      await store.endSession(tx, id);
      return null;
    }
    await store.deleteUsedTokens(tx, id, now_ms - REFRESH_LIFETIME_MS);
    await store.renewSession(tx, id, { last_used_at: now_ms, expires_at: now_ms + REFRESH_LIFETIME_MS });
    return { user_id, session: id, token: await nextToken(deps, tx, id) };
  });
  if (!next) {
    throw new DomainError('not_authenticated', 'The refresh token is not valid any more: sign in again.');
  }
  return presentTokens(deps, next);
}

/** Ends the caller's session, and that of the refresh token if it is the caller's too. */
export async function logout(
  { db }: Deps,
  { user_id, session }: Caller,
  refresh_token: string | null,
): Promise<void> {
  await db.write(async (tx) => {
    await store.lockSessions(tx, user_id);
    if (session) await store.endSession(tx, session);
    const other = refresh_token && (await store.findTokenSession(tx, hashToken(refresh_token)));
    if (other && other.user_id === user_id) await store.endSession(tx, other.id);
  });
}

export async function listSessions(
  { db, clock }: Deps,
  caller: Caller,
  page: Page,
): Promise<Listed<Session>> {
  const { items, total } = await store.listSessions(db.read, caller.user_id, clock(), page);
  const sessions = items.map(({ id, created_at, last_used_at, user_agent }) => ({
    id,
    created_at: formatInstant(created_at),
    last_used_at: formatInstant(last_used_at),
    user_agent,
    current: id === caller.session,
  }));
  return listed(sessions, total, page);
}

export async function endSession({ db }: Deps, { user_id }: Caller, id: string): Promise<void> {
  await db.write(async (tx) => {
    await store.lockSessions(tx, user_id);
    const session = await store.findSession(tx, id);
    if (!session) throw notFound(`session ${id}: it may have ended already`);
    if (session.user_id !== user_id) throw forbidden('session');
    await store.endSession(tx, id);
  });
}

/** Throws wrong_password, too_many_attempts, validation_failed, unavailable. All other sessions end. */
export async function changePassword(
  deps: Deps,
  { user_id, session }: Caller,
  { current_password, new_password }: Static<typeof contract.changePassword.body>,
  gone: AbortSignal,
): Promise<void> {
  const { db, passwords, clock } = deps;
  const user = await store.findUser(db.read, user_id);
  if (!user || !session) {
    throw new DomainError(
      'forbidden',
      'A password is changed by whoever has signed in with it: sign in first.',
    );
  }
  checkNewPassword('new_password', new_password, user, hostOf(deps));
  const counters = deps.attempts.passwordChange(session);
  await checkAttempts(db.read, counters, clock());
  const right = await passwords.verify(current_password, user.password_hash, gone);
  const password_hash = right ? await passwords.hash(new_password, gone) : null;
  const changed = await db.write(async (tx) => {
    if (!password_hash || !(await hasStill(tx, user))) {
      await countFailure(tx, counters, clock());
      return false;
    }
    await forgiveFailures(tx, counters, clock());
    await store.setPassword(tx, user_id, password_hash);
    await store.endOtherSessions(tx, user_id, session);
    return true;
  });
  if (!changed) throw new DomainError('wrong_password', 'The current password is not this one.');
}
