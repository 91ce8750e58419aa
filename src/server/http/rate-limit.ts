/** How many requests a client may send. Ordinary limits are kept in memory, the strict ones by all instances together. */
import { createHmac } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LIMITS, type LimitName } from '../../contract/limits.ts';
import type { Contract } from '../../contract/schema.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { network } from './network.ts';
import * as store from './store.ts';

/** The class that a call counts in, null if it is not counted. @param contract undefined for what is no call of the API */
export function limitOf(contract: Contract | undefined): LimitName | null {
  if (contract?.limit === 'none') return null;
  return contract?.limit ?? (contract && contract.method !== 'GET' ? 'write' : 'read');
}

/** Beyond so many clients in a window the ones seen first are forgotten: memory is bounded, whoever asks. */
const REMEMBERED_CLIENTS = 100_000;

/** @returns counts one request of a client within the window that ends then, and says how many there are */
function inMemory(): (client: string, ends_ms: number) => number {
  let counts = new Map<string, number>();
  let window_ends_ms = 0;
  return (client, ends_ms) => {
    if (ends_ms !== window_ends_ms) {
      counts = new Map();
      window_ends_ms = ends_ms;
    }
    const used = (counts.get(client) ?? 0) + 1;
    if (used === 1 && counts.size >= REMEMBERED_CLIENTS) counts.delete(counts.keys().next().value!);
    counts.set(client, used);
    return used;
  };
}

/**
 * Counts a request, by its user or else by its address, and says in its answer what is left (RateLimit, RateLimit-Policy:
 * draft-ietf-httpapi-ratelimit-headers-10). Throws rate_limited.
 * @param contract undefined for what is no call of the API
 */
export type Limiter = (
  request: FastifyRequest,
  reply: FastifyReply,
  contract: Contract | undefined,
) => Promise<void>;

export function rateLimiter({ config, clock, db, countingKey }: Deps): Limiter {
  if (config.RATE_LIMIT === 'off') return async () => {};
  const counters = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, inMemory()])) as {
    [N in LimitName]: ReturnType<typeof inMemory>;
  };

  async function countTogether(name: LimitName, client: string, now_ms: number, ends_ms: number) {
    const key = createHmac('sha256', countingKey).update(`${name} ${client}`).digest('base64url');
    return db.write(async (tx) => {
      await store.sweepCounts(tx, now_ms);
      return store.countRequest(tx, key, ends_ms);
    });
  }

  return async (request, reply, contract) => {
    const name = limitOf(contract);
    if (name === null) return;
    const { quota, window_s, shared } = LIMITS[name];
    const client = request.caller ? `user ${request.caller.user_id}` : `address ${network(request.ip)}`;
    const now_ms = clock();
    const ends_ms = (Math.floor(now_ms / (window_s * 1000)) + 1) * window_s * 1000;
    let used = counters[name](client, ends_ms);
    // Who has used the quota up at this instance alone costs the database nothing more.
    if (shared && used <= quota) used = await countTogether(name, client, now_ms, ends_ms);
    const left_s = Math.ceil((ends_ms - now_ms) / 1000);
    reply.header('ratelimit-policy', `"${name}";q=${quota};w=${window_s}`);
    reply.header('ratelimit', `"${name}";r=${Math.max(0, quota - used)};t=${left_s}`);
    if (used <= quota) return;
    throw new DomainError(
      'rate_limited',
      `More than ${quota} requests of this kind in ${window_s} seconds: go on in ${left_s} seconds.`,
      { retry_after: left_s },
    );
  };
}
