/**
 * Random histories on the real server, compared with a naive model of the ledger after every step: readings through
 * every door, in any order, corrected, voided, settled, confirmed, undone; devices described, replaced and put back.
 *
 * Every run draws new histories. A failure names its seed:
 *   SIM_SEED=123 npx vitest run tests/sim                   replays that one history on both engines
 *   SIM_RUNS=2000 npx vitest run tests/sim --testTimeout=0  a long run, for a night or a change of the core
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { ENGINES, type Engine } from '../support/engines.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { change } from './change.ts';
import { compareAll } from './compare.ts';
import { replace } from './devices.ts';
import { furnish } from './household.ts';
import * as model from './model.ts';
import { Random } from './random.ts';
import { nextBatch, record } from './record.ts';
import { arriving, readingsOf } from './story.ts';

const { SIM_SEED, SIM_RUNS } = process.env;
const FIRST_SEED = Number(SIM_SEED ?? randomInt(2 ** 31));
/** How many histories a run draws if nothing is said; a step on PostgreSQL takes some times as long. */
const USUAL_RUNS = { sqlite: 10, postgres: 3 };
const seedsOn = (engine: Engine) => {
  const length = Number(SIM_RUNS ?? (SIM_SEED === undefined ? USUAL_RUNS[engine] : 1));
  return Array.from({ length }, (_, i) => FIRST_SEED + i);
};

const replay = (seed: number) => `replay with SIM_SEED=${seed} npx vitest run tests/sim`;
console.log(`Simulating histories from seed ${FIRST_SEED} on: ${replay(FIRST_SEED)}`);

/**
 * Lives through one history: readings arrive batch by batch, and between them people correct, settle, replace and undo.
 * After each step the ledger's answers are compared with the model's. A failure says in which step.
 */
async function live(server: TestServer, person: Person, random: Random, steps: string[]): Promise<void> {
  const household = await furnish(server, person, random);
  const { meters, list } = household;
  const is_orderly = random.percent(30);
  const often = random.pick([10, 40, 60]);
  const lines = meters.flatMap(({ id }) =>
    readingsOf(random, id, is_orderly, model.devicesOf(list, id)[0]?.digits ?? null),
  );
  let waiting = arriving(random, lines);
  for (let left = 60; left > 0; left--) {
    if (waiting.length === 0 || random.percent(often)) {
      steps.push(await change(household));
    } else {
      const batch = nextBatch(household, waiting);
      waiting = waiting.filter((line) => !batch.includes(line));
      steps.push(batch[0]!.kind === 'device' ? 'replace' : `record ${batch.length}`);
      if (batch[0]!.kind === 'device') await replace(household, batch[0]!);
      // A refused batch leaves nothing behind; its readings come again, one by one.
      else if (!(await record(household, batch)) && batch.length > 1)
        for (const line of batch) await record(household, [line]);
    }
    await compareAll(household);
  }
}

describe.each(ENGINES)('any history on %s', (engine) => {
  let server: TestServer;
  let person: Person;

  beforeAll(async () => {
    server = await startServer(engine);
    person = await server.newPerson();
  });
  afterAll(() => server.close());

  test.each(seedsOn(engine))('seed %d', async (seed) => {
    const steps: string[] = [];
    try {
      await live(server, person, new Random(seed), steps);
    } catch (error) {
      const where = `in step ${steps.length + 1} or the end of step ${steps.length}, after: ${steps.slice(-5).join(', ')}`;
      throw new Error(`The ledger and the model differ ${where}. ${replay(seed)}`, { cause: error });
    }
  });
});
