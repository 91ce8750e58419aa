/**
 * PostgreSQL itself, killed while the server writes: the server says that it cannot write for now, goes on by itself once
 * the database is back, and what it has answered is there, whole.
 *
 *   KILL_ROUNDS=100 npx vitest run tests/db/kill-postgres.test.ts --testTimeout=0
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { inspect, settle, start, stop } from '../support/killing.ts';
import { startPostgres } from '../support/postgres.ts';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 4);
const SEED = Number(process.env.KILL_SEED ?? randomInt(2 ** 31));
const LONGEST_LIFE_MS = 300;

/** A call that needs the database, without a token: signing in as nobody. */
function knock(origin: string): Promise<Response> {
  const body = JSON.stringify({ username: 'nobody', password: 'a sentence that is long enough' });
  return fetch(`${origin}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
}

test(`PostgreSQL is killed ${ROUNDS} times while clients write: the server goes on by itself, all is there`, async () => {
  console.log(`Killing PostgreSQL ${ROUNDS} times, from KILL_SEED=${SEED} on`);
  const random = new Random(SEED);
  const postgres = await startPostgres();
  const { url } = postgres;
  let server: Awaited<ReturnType<typeof start>> | undefined;
  try {
    server = await start(url);
    const { origin, child } = server;
    const life = await settle(origin, random);
    const { property_id, noted } = life;
    let batches = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const writing = life.write(origin);
      await sleep(random.int(1, LONGEST_LIFE_MS));
      await postgres.kill(round % 2 ? 'SIGKILL' : 'SIGQUIT');
      await writing;
      const refused = await knock(origin);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await refused.json()).toMatchObject({ code: 'unavailable' });

      await postgres.restart();
      expect((await knock(origin)).status).toBe(401);
      const verification = await life.clientOf(origin).verifyLedger({ property_id });
      expect(verification).toMatchObject({ verified: true, fault: null });
      batches = await inspect(url, noted);
      expect(verification.batches).toBe(batches);
    }
    console.log(`${batches} batches were written between the kills`);
    expect(batches).toBeGreaterThan(ROUNDS);
    expect(await stop(child, 'SIGTERM')).toEqual([0, null]);
  } finally {
    server?.child.kill('SIGKILL');
    await postgres.stop();
  }
});
