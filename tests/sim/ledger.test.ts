/**
 * Random histories on the real server, compared with a naive model of the ledger after every batch.
 *
 * Every run draws new histories. A failure names its seed:
 *   SIM_SEED=123 npx vitest run tests/sim                  replays that one history on both engines
 *   SIM_RUNS=2000 npx vitest run tests/sim --testTimeout=0 a long run, for a night or a change of the core
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { compareConsumption, compareHistory, compareProjection, compareSeries } from './compare.ts';
import { entryIds, furnish } from './household.ts';
import { Random } from './random.ts';
import { nextBatch, record } from './record.ts';
import { arriving, readingsOf } from './story.ts';

const { SIM_SEED, SIM_RUNS } = process.env;
const RUNS = Number(SIM_RUNS ?? (SIM_SEED === undefined ? 8 : 1));
const FIRST_SEED = Number(SIM_SEED ?? randomInt(2 ** 31));
const SEEDS = Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i);

const replay = (seed: number) => `replay with SIM_SEED=${seed} npx vitest run tests/sim`;
console.log(`Simulating ${RUNS} histories from seed ${FIRST_SEED} on: ${replay(FIRST_SEED)}`);

/**
 * Lives through one history: readings arrive batch by batch, and after each the ledger's answers are compared with
 * the model's.
 */
async function live(server: TestServer, person: Person, random: Random): Promise<void> {
  const household = await furnish(server, person, random);
  const is_orderly = random.percent(30);
  const lines = household.meters.flatMap(({ id }) => readingsOf(random, id, is_orderly));
  let waiting = arriving(random, lines);
  while (waiting.length > 0) {
    const batch = nextBatch(household, waiting);
    waiting = waiting.filter((line) => !batch.includes(line));
    const taken = await record(household, batch);
    // A refused batch leaves nothing behind; its readings come again, one by one.
    if (!taken && batch.length > 1) for (const line of batch) await record(household, [line]);
    const ids = await entryIds(household);
    expect(ids.size).toBe(household.list.length);
    for (let i = 0; i < 2; i++) await compareConsumption(household, ids);
    if (random.percent(25)) await compareSeries(household, ids);
    if (random.percent(25)) await compareHistory(household, ids);
    if (random.percent(25)) await compareProjection(household);
  }
  const ids = await entryIds(household);
  for (let i = 0; i < 5; i++) {
    await compareConsumption(household, ids);
    await compareSeries(household, ids);
    await compareHistory(household, ids);
  }
  await compareProjection(household);
}

describe.each(ENGINES)('any history on %s', (engine) => {
  let server: TestServer;
  let person: Person;

  beforeAll(async () => {
    server = await startServer(engine);
    person = await server.newPerson();
  });
  afterAll(() => server.close());

  test.each(SEEDS)('seed %d', async (seed) => {
    try {
      await live(server, person, new Random(seed));
    } catch (error) {
      throw new Error(`The ledger and the model differ: ${replay(seed)}`, { cause: error });
    }
  });
});
