/**
 * Failed attempts at a password, counted in the database: all instances count together, and a restart forgets nothing.
 * Whoever is refused is told so before the password is looked at, so a refusal says nothing about it.
 */
import { createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Db, Tx } from '../db/tables.ts';
import { DomainError } from '../errors.ts';
import * as store from './store.ts';

const MINUTE_MS = 60_000;
const FIRST_REFUSAL_MS = MINUTE_MS / 2;
const LONGEST_REFUSAL_MS = 15 * MINUTE_MS;

interface Limit {
  /** Failures until the first refusal. */
  failures: number;
  /** After so long without a failure all are forgotten. */
  forgotten_after_ms: number;
  /** Whether a success makes them forgotten: an address may stand for many people, also for a guesser with an account. */
  forgiven: boolean;
}

const LIMITS = {
  account: { failures: 5, forgotten_after_ms: 24 * 60 * MINUTE_MS, forgiven: true },
  session: { failures: 5, forgotten_after_ms: 24 * 60 * MINUTE_MS, forgiven: true },
  address: { failures: 30, forgotten_after_ms: 60 * MINUTE_MS, forgiven: false },
} as const satisfies Record<string, Limit>;

export interface Counter extends Limit {
  key: string;
}

/** The network that a client has to itself: an IPv6 one gets a /64, and could guess from any address in it. */
function network(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.replace(/%.*/, '').split('::');
  const groups = (part: string | undefined) => (part ? part.split(':') : []);
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(Math.max(0, zeros)).fill('0'), ...groups(tail)];
  return all.slice(0, 4).join(':');
}

/**
 * @param key hides what is counted: people type their password where the username belongs
 * @param enabled without it nothing is counted
 */
export function attemptCounters(key: Uint8Array, enabled: boolean) {
  const counter = (kind: keyof typeof LIMITS, name: string): Counter => ({
    key: createHmac('sha256', key).update(`${kind} ${name}`).digest('base64url'),
    ...LIMITS[kind],
  });
  const counted = (...counters: Counter[]) => (enabled ? counters : []);
  return {
    /** @param login folded, whether there is such an account or not */
    signIn: (login: string, address: string) =>
      counted(counter('account', login), counter('address', network(address))),
    /** Apart from signing in, so that nobody outside can lock a session's owner out. */
    passwordChange: (session: string) => counted(counter('session', session)),
  };
}

/** Throws too_many_attempts as long as one of them is refused. */
export async function checkAttempts(db: Db, counters: readonly Counter[], now_ms: number): Promise<void> {
  if (counters.length === 0) return;
  const rows = await store.findAttempts(
    db,
    counters.map(({ key }) => key),
  );
  const until = Math.max(0, ...rows.map(({ refused_until }) => refused_until));
  if (until <= now_ms) return;
  throw new DomainError(
    'too_many_attempts',
    'Too many attempts have failed. Wait as long as Retry-After says, and try again.',
    { retry_after: Math.ceil((until - now_ms) / 1000) },
  );
}

/**
 * Counts one failure. Throws too_many_attempts if others, at the same time, have used the attempts up: then nobody may
 * learn whether this one was right.
 */
export async function countFailure(tx: Tx, counters: readonly Counter[], now_ms: number): Promise<void> {
  if (counters.length === 0) return;
  for (const { key } of counters) await store.lockAttempts(tx, key);
  await checkAttempts(tx, counters, now_ms);
  const rows = await store.findAttempts(
    tx,
    counters.map(({ key }) => key),
  );
  for (const { key, failures: allowed, forgotten_after_ms } of counters) {
    const row = rows.find((found) => found.key === key)!;
    const failures = row.expires_at <= now_ms ? 1 : row.failures + 1;
    const refusal_ms =
      failures < allowed ? 0 : Math.min(FIRST_REFUSAL_MS * 2 ** (failures - allowed), LONGEST_REFUSAL_MS);
    const expires_at = now_ms + forgotten_after_ms;
    await store.updateAttempts(tx, { key, failures, refused_until: now_ms + refusal_ms, expires_at });
  }
  await store.sweepAttempts(tx, now_ms);
}

/** The password was right. Throws too_many_attempts as countFailure does. */
export async function forgiveFailures(tx: Tx, counters: readonly Counter[], now_ms: number): Promise<void> {
  if (counters.length === 0) return;
  await checkAttempts(tx, counters, now_ms);
  await store.deleteAttempts(
    tx,
    counters.filter(({ forgiven }) => forgiven).map(({ key }) => key),
  );
}
