/**
 * The real server process, killed while it writes, again and again on the same database: what it has answered is there
 * when it starts again, whole, and the rest of what it keeps fits together.
 *
 *   KILL_ROUNDS=500 npx vitest run tests/db/kill.test.ts --testTimeout=0   kills it five hundred times on each engine
 *   KILL_SEED=123 npx vitest run tests/db/kill.test.ts                     sends what a failure was sent again; the
 *                                                                          moment of each kill is chance all the same
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { ENGINES, type Engine, freshUrl } from '../support/engines.ts';
import { inspect, settle, settled, start, stop } from '../support/killing.ts';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10);
const SEED = Number(process.env.KILL_SEED ?? randomInt(2 ** 31));
/** A database that grows takes ever longer to look through. */
const ROUNDS_PER_DATABASE = 10;
const LONGEST_LIFE_MS = 300;

/** Lives on one database for some rounds, each of which ends in a kill. @returns how many batches were written */
async function live(engine: Engine, random: Random, rounds: number): Promise<number> {
  const { url, drop } = await freshUrl(engine);
  let server = await start(url);
  try {
    const life = await settle(server.origin, random);
    const { property_id, noted } = life;
    let batches = 0;
    for (let round = 1; round <= rounds; round++) {
      const writing = life.write(server.origin);
      await sleep(random.int(1, LONGEST_LIFE_MS));
      expect(await stop(server.child, 'SIGKILL')).toEqual([null, 'SIGKILL']);
      await writing;
      await settled(url);

      server = await start(url);
      const verification = await life.clientOf(server.origin).verifyLedger({ property_id });
      expect(verification).toMatchObject({ verified: true, fault: null });
      batches = await inspect(url, noted);
      expect(verification.batches).toBe(batches);
    }
    expect(await stop(server.child, 'SIGTERM')).toEqual([0, null]);
    return batches;
  } finally {
    server.child.kill('SIGKILL');
    await drop();
  }
}

test.each(ENGINES)(
  `kill -9 while clients write, ${ROUNDS} times on %s: what was answered is there, whole`,
  async (engine) => {
    console.log(`Killing the server on ${engine} ${ROUNDS} times, from KILL_SEED=${SEED} on`);
    const random = new Random(SEED);
    let batches = 0;
    for (let left = ROUNDS; left > 0; left -= ROUNDS_PER_DATABASE) {
      batches += await live(engine, random, Math.min(left, ROUNDS_PER_DATABASE));
    }
    console.log(`${batches} batches were written between the kills`);
    // The kills came in the middle of the work.
    expect(batches).toBeGreaterThan(ROUNDS);
  },
);
