/** Recording single readings: the rules of "What may be recorded" that one reading can meet or break. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const T1 = '2026-01-01T00:00:00Z';
const T2 = '2026-01-02T00:00:00Z';
const T3 = '2026-01-03T00:00:00Z';

describe.each(ENGINES)('readings on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let kitchen: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    kitchen = await house.submeter('kitchen');
  });

  /** A whole reading of the main meter but for what the test says. */
  const reading = (more: object = {}) => ({
    id: expect.any(Number),
    property_id: house.property_id,
    meter_id: house.main_id,
    meter_name: 'Main meter',
    reading_timestamp: T1,
    value: '250.5',
    reading_type: 'absolute',
    period_start: null,
    note: null,
    photo_sha256: null,
    source: 'manual',
    flags: [],
    recorded_by_user_id: house.owner.id,
    recorded_by_api_key_id: null,
    created_at: NOW,
    batch_id: expect.any(Number),
    supersedes_id: null,
    superseded_by_id: null,
    reason: null,
    warnings: [],
    ...more,
  });
  const decreased = (id: number, at: string) => ({
    flags: ['decreased'],
    warnings: [
      {
        code: 'decreased',
        meter_id: house.main_id,
        reading_id: id,
        device_id: null,
        detail: expect.stringMatching(
          new RegExp(`Main meter.*${at}.*correct the reading, record a replacement.*, or record a rollover`),
        ),
      },
    ],
  });

  test('record one, and read it back', async () => {
    const { status, body } = await house.record(house.main_id, T1, '250.5');
    expect({ status, body }).toEqual({ status: 201, body: reading() });
    const read = await house.get(`/api/readings/${body.id}`);
    expect({ status: read.status, body: read.body }).toEqual({ status: 200, body });
  });

  test('the answer is what is read afterwards, whatever there is to say of a reading', async () => {
    const location = 'Under the stairs';
    const meter_id = await house.submeter('Cellar', { location, device: { digits: 5 } });
    const seen: string[][] = [];
    for (const [hour, value] of ['1', '2', '3', '4', '9000', '99990', '10', '5'].entries()) {
      const { body } = await house.record(meter_id, `2025-01-02T0${hour}:00:00Z`, value, {
        note: `no. ${hour}`,
      });
      expect((await house.get(`/api/readings/${body.id}`)).body).toEqual(body);
      seen.push(body.flags);
    }
    expect(new Set(seen.flat())).toEqual(new Set(['implausible', 'rolled_over', 'decreased']));
  });

  test.each([
    ['a decimal string', '250.5', '250.5'],
    ['a JSON number', 250.5, '250.5'],
    ['trailing zeros', '250.500', '250.5'],
    ['leading zeros', '000250.5', '250.5'],
    ['a whole number', 7, '7'],
    ['zero', '0', '0'],
    ['a Wh', '0.001', '0.001'],
    ['the most a register can show', '999999999.999', '999999999.999'],
    ['the same as a number', 999_999_999.999, '999999999.999'],
    // 0.1 + 0.2 is where floating point would show.
    ['what no double holds', '0.3', '0.3'],
  ])('the value may be %s', async (_, value, expected) => {
    const { status, body } = await house.record(house.main_id, T1, value);
    expect({ status, body }).toEqual({ status: 201, body: reading({ value: expected }) });
  });

  test.each([
    ['an offset', '2026-01-01T05:30:00+05:30'],
    ['milliseconds', '2026-01-01T00:00:00.000Z'],
    ['lower case', '2026-01-01t00:00:00z'],
    ['a negative offset', '2025-12-31T19:00:00-05:00'],
  ])('the same instant written with %s is the same instant', async (_, timestamp) => {
    const { body } = await house.record(house.main_id, timestamp, '250.5');
    expect(body).toEqual(reading());
    const again = await house.record(house.main_id, T1, '250.5');
    expect({ status: again.status, body: again.body }).toEqual({ status: 200, body });
  });

  test('a note, a type and a beginning of the interval are kept', async () => {
    const more = { reading_type: 'relative', period_start: T1, note: ' Read by\nAnna ☂ ' };
    const { body } = await house.record(house.main_id, T2, '1.5', more);
    expect(body).toEqual(reading({ ...more, note: 'Read by\nAnna ☂', reading_timestamp: T2, value: '1.5' }));
    const bare = await house.record(house.main_id, T3, '1.5', { note: null, period_start: null });
    expect(bare.body).toEqual(reading({ reading_timestamp: T3, value: '1.5' }));
  });

  test('up to five minutes ahead of the clock, not more', async () => {
    const at = (ahead_ms: number) => new Date(Date.parse(NOW) + ahead_ms).toISOString();
    expect((await house.record(house.main_id, at(300_000), '1')).status).toBe(201);
    const answer = await house.record(house.main_id, at(300_001), '1');
    expectProblem(answer, 'validation_failed', { errors: ['reading_timestamp'] });
  });

  describe('rule 1: where nothing may be recorded', () => {
    test('a virtual meter: 422', async () => {
      const sum = await house.submeter('sum', { sub_meter_kind: 'virtual' });
      const before = await counts(server.db);
      expectProblem(await house.record(sum, T1, '1'), 'validation_failed', { errors: ['meter_id'] });
      expect(await counts(server.db)).toEqual(before);
    });
    test('an inactive meter: 409, also for what is there already', async () => {
      await house.given(kitchen, T1, '1');
      await house.retire('meters', kitchen);
      const before = await counts(server.db);
      expectProblem(await house.record(kitchen, T2, '1'), 'meter_inactive');
      expectProblem(await house.record(kitchen, T1, '1'), 'meter_inactive');
      expect(await counts(server.db)).toEqual(before);
    });
    test('an inactive property: 409', async () => {
      await house.retire('properties', house.property_id);
      const before = await counts(server.db);
      expectProblem(await house.record(house.main_id, T1, '1'), 'property_inactive');
      expect(await counts(server.db)).toEqual(before);
    });
    test("somebody else's: 403, whatever its state", async () => {
      const stranger = await newHouse(server);
      const sum = await house.submeter('sum', { sub_meter_kind: 'virtual' });
      await house.retire('meters', kitchen);
      const before = await counts(server.db);
      for (const meter_id of [house.main_id, sum, kitchen]) {
        expectProblem(await stranger.record(meter_id, T1, '1'), 'forbidden');
      }
      expect(await counts(server.db)).toEqual(before);
    });
  });

  describe('rule 2: one reading per meter and instant', () => {
    test('the same value again is the same reading: 200 with the first one', async () => {
      const first = await house.record(house.main_id, T1, '250.5', { note: 'first' });
      const before = await counts(server.db);
      const again = await house.record(house.main_id, T1, 250.5, { note: 'second' });
      expect({ status: again.status, body: again.body }).toEqual({ status: 200, body: first.body });
      expect(await counts(server.db)).toEqual(before);
    });
    test('another value: 409 that names the reading, and nothing is written', async () => {
      const reading_id = await house.given(house.main_id, T1, '250.5');
      const before = await counts(server.db);
      const answer = await house.record(house.main_id, T1, '250.501');
      expectProblem(answer, 'reading_conflict', { reading_id });
      expect(answer.body.detail).toContain('250.5 kWh');
      expect(answer.body.detail).toContain(T1);
      expect(await counts(server.db)).toEqual(before);
    });
    test('the same number of another type, or over another interval, is another value', async () => {
      const reading_id = await house.given(house.main_id, T2, '1', {
        reading_type: 'relative',
        period_start: T1,
      });
      for (const more of [{}, { reading_type: 'relative' }]) {
        expectProblem(await house.record(house.main_id, T2, '1', more), 'reading_conflict', { reading_id });
      }
      const register = await house.given(kitchen, T2, '1');
      const amount = await house.record(kitchen, T2, '1', { reading_type: 'relative' });
      expectProblem(amount, 'reading_conflict', { reading_id: register });
    });
    test('another meter at the same instant is another reading', async () => {
      await house.given(house.main_id, T1, '250.5');
      const { status, body } = await house.record(kitchen, T1, '1');
      expect({ status, body }).toEqual({
        status: 201,
        body: reading({ meter_id: kitchen, meter_name: 'kitchen', value: '1' }),
      });
    });
  });

  describe('rules 3 and 4: any order, judged against both neighbours', () => {
    test('in between and rising: nothing to say', async () => {
      await house.given(house.main_id, T1, '100');
      await house.given(house.main_id, T3, '300');
      const { body } = await house.record(house.main_id, T2, '200');
      expect(body).toEqual(reading({ reading_timestamp: T2, value: '200' }));
    });
    test('lower than the one before: recorded, flagged, with the three ways to settle it', async () => {
      await house.given(house.main_id, T1, '100');
      const { status, body } = await house.record(house.main_id, T2, '40');
      expect({ status, body }).toEqual({
        status: 201,
        body: reading({ reading_timestamp: T2, value: '40', ...decreased(body.id, T2) }),
      });
      expect((await house.get(`/api/readings/${body.id}`)).body).toEqual(body);
    });
    test('higher than the one after: the later one is flagged', async () => {
      await house.given(house.main_id, T1, '100');
      const later = await house.given(house.main_id, T3, '150');
      const { body } = await house.record(house.main_id, T2, '200');
      expect(body).toEqual(reading({ reading_timestamp: T2, value: '200' }));
      expect((await house.get(`/api/readings/${later}`)).body).toEqual(
        reading({ reading_timestamp: T3, value: '150', ...decreased(later, T3) }),
      );
    });
    test('a step between a fall takes the flag along', async () => {
      await house.given(house.main_id, T1, '100');
      const later = await house.given(house.main_id, T3, '50');
      const { body } = await house.record(house.main_id, T2, '40');
      expect(body.flags).toEqual(['decreased']);
      expect((await house.get(`/api/readings/${later}`)).body).toEqual(
        reading({ reading_timestamp: T3, value: '50' }),
      );
    });
    test('before all others', async () => {
      const later = await house.given(house.main_id, T2, '100');
      expect((await house.record(house.main_id, T1, '90')).body.flags).toEqual([]);
      expect((await house.get(`/api/readings/${later}`)).body.flags).toEqual([]);
    });
  });

  describe('intervals', () => {
    test.each([
      ['a beginning for a register value', { period_start: T1 }],
      ['a beginning at the end', { reading_type: 'relative', period_start: T2 }],
      ['a beginning after the end', { reading_type: 'relative', period_start: T3 }],
    ])('%s: 422', async (_, more) => {
      const before = await counts(server.db);
      const answer = await house.record(house.main_id, T2, '1', more);
      expectProblem(answer, 'validation_failed', { errors: ['period_start'] });
      expect(await counts(server.db)).toEqual(before);
    });
    test('one that reaches back over a reading, or is reached over: 409 that names it', async () => {
      const relative = (period_start: string) => ({ reading_type: 'relative', period_start });
      const middle = await house.given(house.main_id, T2, '5');
      const before = await counts(server.db);
      const over = await house.record(house.main_id, T3, '1', relative(T1));
      expectProblem(over, 'interval_overlap', { reading_id: middle });
      const long = await house.given(kitchen, T3, '1', relative(T1));
      const inside = await house.record(kitchen, T2, '1');
      expectProblem(inside, 'interval_overlap', { reading_id: long });
      const one_more = (n: number | undefined) => n! + 1;
      expect(await counts(server.db)).toEqual({
        ...before,
        batches: one_more(before.batches),
        ledger_entries: one_more(before.ledger_entries),
        readings: one_more(before.readings),
      });
    });
  });

  test('more energy than can be counted exactly: 422, and nothing is written', async () => {
    // Nine thousand intervals of the largest amount; only the last step is the server's.
    await house.given(house.main_id, T1, '0');
    await house.given(house.main_id, T2, '999999999.999', { reading_type: 'relative' });
    await server.db.write((tx) =>
      tx
        .updateTable('readings')
        .set({ energy_wh: Number.MAX_SAFE_INTEGER - 5 })
        .where('meter_id', '=', house.main_id)
        .where('reading_timestamp', '=', Date.parse(T2))
        .execute(),
    );
    const before = await counts(server.db);
    const answer = await house.record(house.main_id, T3, '0.006', { reading_type: 'relative' });
    expectProblem(answer, 'validation_failed', { errors: ['value'] });
    expect(await counts(server.db)).toEqual(before);
    expect((await house.record(house.main_id, T3, '0.005', { reading_type: 'relative' })).status).toBe(201);
  });

  test('everything wrong at once: each field is named', async () => {
    const answer = await house.post('/api/readings', {
      meter_id: 'main',
      reading_timestamp: '2026-01-01',
      value: '-1',
      reading_type: 'guess',
      colour: 'red',
    });
    expect(answer.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'colour',
      'meter_id',
      'reading_timestamp',
      'reading_type',
      'value',
    ]);
  });
});
