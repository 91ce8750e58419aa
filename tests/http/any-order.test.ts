/** Whatever is recorded, corrected, voided, settled, replaced and undone, in any order: the projection and the chain hold. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { expectSoundProjection } from '../support/ledger.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

const RUNS = { sqlite: 40, postgres: 10 };
const at = (hour: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + hour * 3_600_000).toISOString();

const hour = fc.nat(24);
const value = fc.oneof(fc.nat(30), fc.integer({ min: 970, max: 1000 }), fc.constant(0)).map(String);
const device = fc.record(
  { digits: fc.constantFrom(3, 4, null), multiplier: fc.constantFrom(1, 2, 10) },
  { requiredKeys: ['multiplier'] },
);
/** What somebody does; `which` chooses among the readings, devices or batches that there are, old ones too. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('record' as const), hour, value }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('use' as const),
      hour,
      value,
      since: fc.option(fc.integer({ min: 1, max: 3 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('correct' as const),
      which: fc.nat(),
      value: fc.option(value),
      hour: fc.option(hour),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom('void' as const, 'confirm' as const, 'settle' as const, 'reinstall' as const),
      which: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('undo' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('replace' as const),
      hour,
      value,
      initial_value: value,
      device,
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('describe' as const), device }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('factor' as const), factor: fc.constantFrom(2, 10, null) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe.each(ENGINES)('any order on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  beforeAll(async () => {
    server = await startServer(engine);
    owner = await server.newPerson();
  });
  afterAll(() => server.close());

  /** @returns how many of the steps were taken, the others being refused */
  async function play(steps: readonly Step[]): Promise<number> {
    const house = await newHouse(server, { owner });
    const { main_id, property_id } = house;
    const ids: number[] = [];
    let taken = 0;
    const drop = (path: string) =>
      server.call('DELETE', `${path}?reason=wrong+meter`, { token: owner.token });
    const any = (which: number) => ids[which % Math.max(ids.length, 1)] ?? 0;
    async function take(doing: Step) {
      switch (doing.does) {
        case 'record':
          return house.record(main_id, at(doing.hour), doing.value);
        case 'use': {
          const period_start = doing.since === null ? null : at(doing.hour - doing.since);
          return house.record(main_id, at(doing.hour), doing.value, {
            reading_type: 'relative',
            period_start,
          });
        }
        case 'correct':
          return house.patch(`/api/readings/${any(doing.which)}`, {
            reason: 'x',
            ...(doing.value === null ? { note: 'y' } : { value: doing.value }),
            ...(doing.hour === null ? {} : { reading_timestamp: at(doing.hour) }),
          });
        case 'void':
          return drop(`/api/readings/${any(doing.which)}`);
        case 'confirm':
          return house.post(`/api/readings/${any(doing.which)}/confirm`, {});
        case 'settle':
          return house.post(`/api/readings/${any(doing.which)}/rollover`, { digits: 3 });
        case 'replace':
          return house.post(`/api/meters/${main_id}/replacements`, {
            replaced_at: at(doing.hour),
            final_value: doing.value,
            initial_value: doing.initial_value,
            ...doing.device,
          });
        case 'describe':
          return house.say(main_id, doing.device);
        case 'factor':
          return house.patch(`/api/meters/${main_id}`, { plausibility_factor: doing.factor });
        case 'reinstall': {
          const { items } = (await house.get(`/api/meters/${main_id}/devices`)).body;
          return drop(`/api/meters/${main_id}/replacements/${items[doing.which % items.length].id ?? 1}`);
        }
        case 'undo': {
          const { items } = (await house.get(`/api/properties/${property_id}/ledger`)).body;
          const batch = items[doing.which % Math.min(Math.max(items.length, 1), 5)];
          return house.post(`/api/properties/${property_id}/ledger/${batch?.id ?? 1}/undo`, { reason: 'x' });
        }
      }
    }
    for (const doing of steps) {
      const { status, body } = await take(doing);
      if (status >= 500) throw new Error(`${JSON.stringify(doing)}: ${JSON.stringify(body)}`);
      if (status < 300) taken += 1;
      const { items } = (await house.get(`/api/readings/meter/${main_id}/history?include_superseded=true`))
        .body;
      ids.splice(0, ids.length, ...items.map(({ id }: { id: number }) => id));
      await expectSoundProjection(server.db);
    }
    const { body } = await house.get(`/api/properties/${property_id}/ledger/verify`);
    expect(body).toMatchObject({ verified: true, fault: null });
    return taken;
  }

  test('the projection is what the ledger says after every step', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
        taken += await play(steps);
      }),
      { numRuns: RUNS[engine] },
    );
    expect(taken).toBeGreaterThan(RUNS[engine] * 5);
  }, 300_000);
});
