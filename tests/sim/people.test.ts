/**
 * Random people in two houses, held against a model after every step: roles that change, members who come and go,
 * meters that are granted and withdrawn, readings recorded, corrected, voided and undone by whoever tries.
 *
 *   SIM_SEED=123 npx vitest run tests/sim/people.test.ts    replays one history on both engines
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../src/contract/schema.ts';
import { ENGINES } from '../support/engines.ts';
import { answersTo, everyGet } from '../support/people.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import type { Outcome, Place } from './people-model.ts';
import * as model from './people-model.ts';
import { mark, START_MS, step, World } from './people-steps.ts';
import { Random } from './random.ts';

const { SIM_SEED } = process.env;
const FIRST_SEED = Number(SIM_SEED ?? randomInt(2 ** 31));
const USUAL_RUNS = { sqlite: 4, postgres: 1 };
const STEPS = 60;
/** Routes of a property that not every member may call. */
const NEEDED: Record<string, Role> = {
  listMembers: 'owner',
  listInvitations: 'owner',
  archiveProperty: 'owner',
  listBatches: 'reader',
  listMqttTopics: 'editor',
  verifyLedger: 'reader',
  exportLedger: 'reader',
};

/** One person looks at everything in one house. */
async function look(world: World, place: Place, who: Person): Promise<void> {
  const { property_id, meter_ids, entries, main_id } = place;
  const seen = model.visible(place, who.id);
  const some = world.random.shuffle(entries).slice(0, 5);
  const gets = everyGet({
    params: { property_id: [property_id], meter_id: meter_ids, reading_id: some.map(({ id }) => id) },
    query: {
      reading_timestamp: [new Date(START_MS + world.random.int(1, STEPS) * 60_000).toISOString()],
      start_timestamp: ['2026-01-01T00:05:00Z'],
      end_timestamp: ['2026-01-01T00:30:00Z'],
      start_date: ['2026-01-01'],
      end_date: ['2026-01-02'],
      interval: ['day'],
      boundary: ['exact'],
      include_inactive: ['true'],
      include_superseded: ['true'],
      limit: ['1000'],
    },
  });
  const answers = await answersTo(world.server, who, gets);
  for (const { name, path, about } of gets) {
    const { status, text } = answers.get(path)!;
    const told = `${who.username} ${name} ${path}`;
    const { reading_id } = about;
    const entry = entries.find(({ id }) => id === reading_id);
    const meter_id = about.meter_id ?? entry?.meter_id;
    let expected: Outcome = 'success';
    if (meter_id !== undefined) expected = model.admittedTo(place, who.id, meter_id, 'tenant');
    else if (about.property_id !== undefined)
      expected = model.admitted(place, who.id, NEEDED[name] ?? 'tenant');
    if (name === 'getReading' && entry?.is_void) expected = 'not_found';
    // Nobody took any.
    if (name === 'getPhoto' && expected === 'success') expected = 'not_found';
    const found: Outcome = status === 200 ? 'success' : JSON.parse(text).code;
    expect([told, found]).toEqual([told, expected]);
    // Neither a word nor a figure of what this person does not see, in this house or the other one.
    for (const other of world.places) {
      const theirs = model.visible(other, who.id);
      for (const id of other.meter_ids.filter((each) => !theirs.includes(each))) {
        const shows_main =
          id === other.main_id && other.members.has(who.id) && model.seesTotals(other, who.id);
        const words = shows_main
          ? [`canary note ${id}.`]
          : [`canary name ${id}.`, `canary place ${id}.`, `canary note ${id}.`, `${mark(id)}"`];
        for (const word of words) expect([told, word, text.includes(word)]).toEqual([told, word, false]);
      }
    }
  }
  if (!place.members.has(who.id)) return;
  const body = (name: string) =>
    JSON.parse(
      answers.get(gets.find((get) => get.name === name && get.path.includes(`/${property_id}`))!.path)!.text,
    );
  const ids = (rows: { id?: number; meter_id?: number }[], key: 'id' | 'meter_id') =>
    [...new Set(rows.map((row) => row[key]))].sort();
  expect(ids(body('listMeters').items, 'id')).toEqual([...seen].sort());
  const in_force = entries.filter(
    ({ meter_id, is_void, superseded }) => seen.includes(meter_id) && !is_void && !superseded,
  );
  expect(ids(body('getPropertyRange').items, 'id')).toEqual(ids(in_force, 'id'));
  expect(body('getPropertyRange').total).toBe(in_force.length);
  const consumption = body('getConsumption');
  expect(ids(consumption.submeters, 'meter_id')).toEqual(seen.filter((id) => id !== main_id).sort());
  expect(consumption.coverage === null).toBe(!seen.includes(main_id) && !model.seesTotals(place, who.id));
  expect(body('getProperty').role).toBe(place.members.get(who.id)!.role);
}

describe.each(ENGINES)('random people on %s', (engine) => {
  let server: TestServer;
  const people: Person[] = [];
  beforeAll(async () => {
    server = await startServer(engine);
    for (let i = 0; i < 6; i++) people.push(await server.newPerson());
  });
  afterAll(() => server.close());

  const runs = SIM_SEED === undefined ? USUAL_RUNS[engine] : 1;
  test.each(Array.from({ length: runs }, (_, i) => FIRST_SEED + i))('seed %d', async (seed) => {
    const world = new World(server, people, new Random(seed));
    await world.build();
    const steps: string[] = [];
    try {
      for (let left = STEPS; left > 0; left--) {
        steps.push(await step(world));
        const place = world.random.pick(world.places);
        await look(world, place, world.somebody(place));
      }
    } catch (error) {
      const replay = `replay with SIM_SEED=${seed} npx vitest run tests/sim/people.test.ts`;
      throw new Error(`The server and the model differ after: ${steps.slice(-3).join('; ')}. ${replay}`, {
        cause: error,
      });
    }
  });
});
