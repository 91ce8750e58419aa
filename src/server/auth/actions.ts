import { createHash } from 'node:crypto';
import type { Static } from 'typebox';
import type * as contract from '../../contract/auth.ts';
import type { Tokens, User } from '../../contract/auth.ts';
import { fold } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import { uniqueViolation } from '../db/dialect.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import type { Caller } from './caller.ts';
import * as store from './store.ts';

const REFRESH_LIFETIME_MS = 30 * 86_400_000;

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function present({ id, username, email, created_at }: store.UserRow): User {
  return { id, username, email, created_at: formatInstant(created_at) };
}

export async function register(deps: Deps, body: Static<typeof contract.register.body>): Promise<User> {
  const { username, email } = body;
  const password_hash = await deps.passwords.hash(body.password);
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

/** Opens the next session of a family. @returns its refresh token, which is stored only as a hash */
async function openSession(deps: Deps, tx: Tx, user_id: number, family: string): Promise<string> {
  const token = deps.ids.token();
  const now_ms = deps.clock();
  await store.insertSession(tx, {
    user_id,
    family,
    token_hash: hashToken(token),
    created_at: now_ms,
    expires_at: now_ms + REFRESH_LIFETIME_MS,
    used_at: null,
  });
  return token;
}

async function tokens(deps: Deps, user_id: number, refresh_token: string): Promise<Tokens> {
  return {
    access_token: await deps.accessTokens.sign(user_id),
    token_type: 'bearer',
    expires_in: deps.accessTokens.lifetime_s,
    refresh_token,
  };
}

export async function login(deps: Deps, body: Static<typeof contract.login.body>): Promise<Tokens> {
  const user = await store.findUserByLogin(deps.db.read, fold(body.username));
  const right = await deps.passwords.verify(body.password, user?.password_hash ?? null);
  if (!user || !right) {
    throw new DomainError('invalid_credentials', 'The username or the password is wrong.');
  }
  const refresh_token = await deps.db.write((tx) => openSession(deps, tx, user.id, deps.ids.uuid()));
  return tokens(deps, user.id, refresh_token);
}

/** Rotates a refresh token; one that was used before ends its whole family: somebody has a copy. */
export async function refresh(deps: Deps, refresh_token: string): Promise<Tokens> {
  const next = await deps.db.write(async (tx) => {
    const session = await store.findSession(tx, hashToken(refresh_token));
    if (!session || session.expires_at <= deps.clock()) return null;
    await store.lockSessions(tx, session.user_id);
    if (!(await store.useSession(tx, session.id, deps.clock()))) {
      await store.endFamily(tx, session.family);
      return null;
    }
    return { user_id: session.user_id, token: await openSession(deps, tx, session.user_id, session.family) };
  });
  if (!next)
    throw new DomainError('not_authenticated', 'The refresh token is not valid any more: sign in again.');
  return tokens(deps, next.user_id, next.token);
}

export async function logout(deps: Deps, { user_id }: Caller, refresh_token: string): Promise<void> {
  await deps.db.write(async (tx) => {
    const session = await store.findSession(tx, hashToken(refresh_token));
    if (session?.user_id !== user_id) return;
    await store.lockSessions(tx, user_id);
    await store.endFamily(tx, session.family);
  });
}

export async function me(deps: Deps, { user_id }: Caller): Promise<User> {
  const user = await store.findUser(deps.db.read, user_id);
  if (!user) throw new DomainError('not_authenticated', 'This account does not exist any more.');
  return present(user);
}
