/** What a person settles with one call each: a register that went down, and a rate that looks wrong. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf, used } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('settling on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let main: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    main = house.main_id;
  });
  afterEach(() => expectSoundProjection(server.db));

  const days = (from: number, to: number) => used(house, main, day(from), day(to));
  const flags = () => flagsOf(house, main);
  const replace = (at: string, final_value: string, initial_value: string, more = {}) =>
    house.post(`/api/meters/${main}/replacements`, { replaced_at: at, final_value, initial_value, ...more });
  const rollover = (id: number, body: object = {}) => house.post(`/api/readings/${id}/rollover`, body);
  const confirm = (id: number, body: object = {}) => house.post(`/api/readings/${id}/confirm`, body);
  const describeDevice = (body: object) => house.say(main, body);

  /** Registers on the days 1, 2, 3 … @returns their ids */
  async function registers(...values: string[]): Promise<number[]> {
    const ids: number[] = [];
    for (const [i, value] of values.entries()) ids.push(await house.given(main, day(i + 1), value));
    return ids;
  }

  describe('a decrease, settled with one call', () => {
    let down: number;
    beforeEach(async () => {
      const ids = await registers('99980', '99990', '15', '25');
      down = ids[2]!;
      expect(await flags()).toEqual([[], [], ['decreased'], []]);
      expect([await days(1, 2), await days(2, 3), await days(3, 4), await days(1, 4)]).toEqual([
        '10',
        null,
        '10',
        null,
      ]);
    });

    test('correct the reading', async () => {
      const { status, body } = await house.patch(`/api/readings/${down}`, {
        value: '100000',
        reason: 'typo',
      });
      expect([status, body.flags]).toEqual([200, []]);
      expect([await days(1, 3), await days(2, 3)]).toEqual(['20', '10']);
      // The next one is below it now.
      expect(await flags()).toEqual([[], [], [], ['decreased']]);
    });

    test('correct the reading before it', async () => {
      const [{ id: second }] = (
        await house.get(`/api/readings/meter/${main}/range?start_date=${day(2)}&end_date=${day(3)}`)
      ).body.items;
      await house.patch(`/api/readings/${second}`, { value: '14', reason: 'wrong meter' });
      expect(await flags()).toEqual([[], ['decreased'], [], []]);
      expect([await days(1, 2), await days(2, 4)]).toEqual([null, '11']);
    });

    test('void the reading: the next one is the decrease', async () => {
      await server.call('DELETE', `/api/readings/${down}?reason=wrong+meter`, { token: owner.token });
      expect(await flags()).toEqual([[], [], ['decreased']]);
    });

    test('record a replacement', async () => {
      const { status, body } = await replace('2026-01-02T12:00:00Z', '99995', '10');
      expect([status, body.warnings]).toEqual([201, []]);
      expect(await flags()).toEqual([[], [], [], []]);
      expect([await days(1, 2), await days(2, 3), await days(3, 4), await days(1, 4)]).toEqual([
        '10',
        '10',
        '10',
        '30',
      ]);
    });

    test('record a rollover, and say how many digits there are', async () => {
      const { status, body } = await rollover(down, { digits: 5, reason: 'seen it happen' });
      expect([status, body]).toEqual([
        201,
        expect.objectContaining({
          value: '15',
          flags: ['rolled_over'],
          warnings: [],
          supersedes_id: down,
          reason: 'seen it happen',
        }),
      ]);
      expect(await flags()).toEqual([[], [], ['rolled_over'], []]);
      expect([await days(2, 3), await days(1, 4)]).toEqual(['25', '45']);
    });

    test('record a rollover of a device whose digits are known: nothing more to say', async () => {
      await describeDevice({ digits: 5 });
      // The device alone explains it.
      expect(await flags()).toEqual([[], [], ['rolled_over'], []]);
      await describeDevice({ digits: 6 });
      expect(await flags()).toEqual([[], [], ['decreased'], []]);
      // It counts to 999999: nobody but a person can say that it went so far.
      expect((await rollover(down)).body.flags).toEqual(['rolled_over']);
      expect(await days(2, 3)).toBe('900025');
    });

    test('a rollover without digits, where nobody said how many: 422', async () => {
      const before = await counts(server.db);
      expectProblem(await rollover(down), 'validation_failed', { errors: ['digits'] });
      expect(await counts(server.db)).toEqual(before);
    });

    test('a rollover that cannot be one: 422, and nothing is written', async () => {
      const before = await counts(server.db);
      expectProblem(await rollover(down, { digits: 4 }), 'validation_failed', { errors: ['digits'] });
      for (const digits of [0, 10, 1.5, '5', null])
        expectProblem(await rollover(down, { digits }), 'validation_failed', { errors: ['digits'] });
      expect(await counts(server.db)).toEqual(before);
    });
  });

  test('a rollover where the register did not go down, or where there is none: 422', async () => {
    const [, second] = await registers('100', '200');
    expectProblem(await rollover(second!, { digits: 5 }), 'validation_failed', { errors: ['digits'] });
    const relative = await house.given(main, day(3), '5', { reading_type: 'relative' });
    expectProblem(await rollover(relative, { digits: 5 }), 'validation_failed', { errors: ['digits'] });
  });

  test('settling an old decrease puts everything after it right', async () => {
    const [, , down] = await registers('100', '90', '99999', '3', '13', '23', '10', '20');
    // Two more are not settled, and stay so.
    expect(await flags()).toEqual([[], ['decreased'], [], ['decreased'], [], [], ['decreased'], []]);
    const [fourth] = (
      await house.get(`/api/readings/meter/${main}/range?start_date=${day(4)}&end_date=${day(5)}`)
    ).body.items;
    expect(down).toBeLessThan(fourth.id);
    await rollover(fourth.id, { digits: 5 });
    expect(await flags()).toEqual([[], ['decreased'], [], ['rolled_over'], [], [], ['decreased'], []]);
    expect([
      await days(2, 6),
      await days(3, 4),
      await days(5, 6),
      await days(7, 8),
      await days(1, 8),
    ]).toEqual(['99933', '4', '10', '10', null]);
  });

  test('a rollover with a multiplier counts in units of the register', async () => {
    const kitchen = await house.submeter('kitchen', { device: { multiplier: 40 } });
    await house.given(kitchen, day(1), '9990');
    const id = await house.given(kitchen, day(2), '10');
    expect((await rollover(id, { digits: 4 })).status).toBe(201);
    expect(await used(house, kitchen, day(1), day(2))).toBe('800');
  });

  test('twice round is one decrease each, settled each', async () => {
    const [, second, , fourth] = await registers('900', '100', '800', '50');
    await rollover(second!, { digits: 3 });
    await rollover(fourth!, { digits: 3 });
    expect([await days(1, 2), await days(3, 4), await days(1, 4)]).toEqual(['200', '250', '1150']);
  });

  test('a correction of the value forgets what was settled, one of the note does not', async () => {
    const [, down] = await registers('99990', '15', '25');
    const settled = (await rollover(down!, { digits: 5 })).body.id;
    const noted = (await house.patch(`/api/readings/${settled}`, { note: 'x', reason: 'y' })).body;
    expect(noted.flags).toEqual(['rolled_over']);
    const same = { value: '15', reading_timestamp: day(2), reason: 'y' };
    const kept = (await house.patch(`/api/readings/${noted.id}`, same)).body;
    expect(kept.flags).toEqual(['rolled_over']);
    const corrected = (await house.patch(`/api/readings/${kept.id}`, { value: '16', reason: 'y' })).body;
    expect(corrected.flags).toEqual(['decreased']);
  });

  test('so does one of the time, and of where an interval begins', async () => {
    const [, down] = await registers('99990', '15', '25');
    const settled = (await rollover(down!, { digits: 5 })).body.id;
    const at = { reading_timestamp: '2026-01-02T00:00:01Z', reason: 'y' };
    expect((await house.patch(`/api/readings/${settled}`, at)).body.flags).toEqual(['decreased']);

    const kitchen = await house.submeter('kitchen');
    let last = 0;
    for (const [from, value] of ['1', '1', '1', '900'].entries()) {
      const more = { reading_type: 'relative', period_start: day(from + 1) };
      last = await house.given(kitchen, day(from + 2), value, more);
    }
    const { id } = (await confirm(last)).body;
    expect((await flagsOf(house, kitchen)).at(-1)).toEqual([]);
    const began = { period_start: '2026-01-04T01:00:00Z', reason: 'y' };
    expect((await house.patch(`/api/readings/${id}`, began)).body.flags).toEqual(['implausible']);
  });

  describe('once more', () => {
    /** The call changes nothing, and answers with the reading as it is. */
    async function unchanged(call: () => Promise<{ status: number; body: object }>, body: object) {
      const before = await counts(server.db);
      const answer = await call();
      expect([answer.status, answer.body]).toEqual([200, body]);
      expect(await counts(server.db)).toEqual(before);
    }

    test('a rollover: the same again, under both its ids', async () => {
      const [, down] = await registers('99990', '15');
      const { body } = await rollover(down!, { digits: 5 });
      for (const id of [down!, body.id]) {
        await unchanged(() => rollover(id, { digits: 5 }), body);
        await unchanged(() => rollover(id), body);
      }
      // Other digits say something else.
      expectProblem(await rollover(down!, { digits: 6 }), 'reading_superseded', { reading_id: body.id });
      expect((await rollover(body.id, { digits: 6 })).status).toBe(201);
      expect(await days(1, 2)).toBe('900025');
    });

    test('a rollover that the device explains by itself', async () => {
      await describeDevice({ digits: 5 });
      const [, down] = await registers('99990', '15');
      const { body } = await house.get(`/api/readings/${down}`);
      expect(body.flags).toEqual(['rolled_over']);
      await unchanged(() => rollover(down!), body);
      await unchanged(() => rollover(down!, { digits: 5 }), body);
    });

    test('a confirmation, under both its ids; not of another value', async () => {
      const [, , , , jump] = await registers('0', '24', '48', '72', '2472');
      const { body } = await confirm(jump!);
      for (const id of [jump!, body.id]) await unchanged(() => confirm(id, { reason: 'again' }), body);
      const other = (await house.patch(`/api/readings/${body.id}`, { value: '2473', reason: 'x' })).body;
      expectProblem(await confirm(jump!), 'reading_superseded', { reading_id: other.id });
      const again = (await confirm(other.id)).body;
      expectProblem(await confirm(jump!), 'reading_superseded', { reading_id: again.id });
    });

    test('a confirmation where nothing is flagged implausible: 422', async () => {
      const [first, , down] = await registers('100', '110', '50');
      const before = await counts(server.db);
      for (const id of [first!, down!]) {
        const answer = await confirm(id);
        expectProblem(answer, 'validation_failed', { errors: ['reading_id'] });
        expect(answer.body.detail).toMatch(/nothing to confirm/);
      }
      expect(await counts(server.db)).toEqual(before);
    });
  });

  describe('an implausible rate', () => {
    let jump: number;
    beforeEach(async () => {
      const ids = await registers('0', '24', '48', '72', '2472', '4872');
      jump = ids[4]!;
      expect(await flags()).toEqual([[], [], [], [], ['implausible'], ['implausible']]);
    });

    test('is recorded, warned of, and known', async () => {
      const { body } = await house.get(`/api/readings/${jump}`);
      expect(body.warnings).toEqual([
        {
          code: 'implausible',
          meter_id: main,
          reading_id: jump,
          device_id: null,
          detail: expect.stringMatching(/Main meter.*2026-01-05T00:00:00Z.*confirm it/),
        },
      ]);
      expect([await days(4, 5), await days(1, 6)]).toEqual(['2400', '4872']);
    });

    test('confirmed: the flag goes, and later ones are judged by it', async () => {
      const { status, body } = await confirm(jump, { reason: 'the sauna' });
      expect([status, body]).toEqual([
        201,
        expect.objectContaining({
          value: '2472',
          flags: [],
          warnings: [],
          supersedes_id: jump,
          reason: 'the sauna',
        }),
      ]);
      expect(await flags()).toEqual([[], [], [], [], [], []]);
      expect(await days(4, 5)).toBe('2400');
    });

    test('confirmed, then corrected to another value: judged anew', async () => {
      const { body } = await confirm(jump);
      const { body: again } = await house.patch(`/api/readings/${body.id}`, { value: '2473', reason: 'x' });
      expect(again.flags).toEqual(['implausible']);
    });

    test('the factor of the meter: higher, off, and back', async () => {
      // 24 kWh a day are 1000 W, 2400 are 100 000 W: a hundred times as much.
      const set = (plausibility_factor: number | null) =>
        house.patch(`/api/meters/${main}`, { plausibility_factor });
      expect((await set(100)).body.plausibility_factor).toBe(100);
      expect(await flags()).toEqual([[], [], [], [], [], []]);
      await set(99);
      expect(await flags()).toEqual([[], [], [], [], ['implausible'], ['implausible']]);
      expect((await set(null)).body.plausibility_factor).toBeNull();
      expect(await flags()).toEqual([[], [], [], [], [], []]);
      const { body } = await house.record(main, day(7), '999999');
      expect(body.flags).toEqual([]);
      await set(10);
      expect((await flags()).slice(4)).toEqual([['implausible'], ['implausible'], ['implausible']]);
    });

    test('the factor of one meter is no other’s', async () => {
      const kitchen = await house.submeter('kitchen');
      await house.patch(`/api/meters/${main}`, { plausibility_factor: null });
      for (const [i, value] of ['0', '24', '48', '72', '2472'].entries())
        await house.given(kitchen, day(i + 1), value);
      expect(await flagsOf(house, kitchen)).toEqual([[], [], [], [], ['implausible']]);
    });

    test.each([1, 0, -1, 2.5, 1_000_001, '10'])('the factor %j: 422', async (plausibility_factor) => {
      const answer = await house.patch(`/api/meters/${main}`, { plausibility_factor });
      expectProblem(answer, 'validation_failed', { errors: ['plausibility_factor'] });
    });

    test('exactly at the factor is plausible, a Wh above is not', async () => {
      // Peak 1000 W: 240 kWh in a day are ten times as much.
      await house.patch(`/api/readings/${jump}`, { value: '312', reason: 'x' });
      expect((await flags())[4]).toEqual([]);
      const [{ id }] = (
        await house.get(`/api/readings/meter/${main}/range?start_date=${day(5)}&end_date=${day(6)}`)
      ).body.items;
      await house.patch(`/api/readings/${id}`, { value: '312.001', reason: 'x' });
      expect((await flags())[4]).toEqual(['implausible']);
    });
  });
});
