/** Devices: what hangs at a meter, what is said of it, and its replacement; the meter's energy goes on. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf, used } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;
const noon = (n: number) => day(n).replace('T00', 'T12');

describe.each(ENGINES)('devices on %s', (engine) => {
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

  const days = (from: number, to: number, meter = main) => used(house, meter, day(from), day(to));
  const replace = (
    replaced_at: string,
    final_value: string,
    initial_value: string,
    more = {},
    meter = main,
  ) => house.post(`/api/meters/${meter}/replacements`, { replaced_at, final_value, initial_value, ...more });
  const undo = (id: number, query = '?reason=wrong+meter', meter = main) =>
    server.call('DELETE', `/api/meters/${meter}/replacements/${id}${query}`, { token: owner.token });
  const say = (body: object, meter = main) => house.say(meter, body);
  const devices = async (meter = main) => (await house.get(`/api/meters/${meter}/devices`)).body;
  const registers = async (...values: [number, string][]) => {
    for (const [at, value] of values) await house.given(main, day(at), value);
  };
  const device = (more: object = {}) => ({
    id: expect.any(Number),
    meter_id: main,
    serial_number: null,
    digits: null,
    multiplier: 1,
    installed_at: null,
    removed_at: null,
    initial_value: null,
    final_value: null,
    reason: null,
    warnings: [],
    ...more,
  });

  describe('what is said of a device', () => {
    test('nothing, as long as nobody said anything', async () => {
      expect(await devices()).toEqual({ items: [device({ id: null })], total: 1, limit: 100, offset: 0 });
    });

    test('at the creation of a submeter', async () => {
      const said = { serial_number: ' A-1 ', digits: 5, multiplier: 40 };
      const id = await house.submeter('workshop', { device: said });
      expect((await devices(id)).items).toEqual([device({ meter_id: id, ...said, serial_number: 'A-1' })]);
      await house.given(id, day(1), '10');
      await house.given(id, day(2), '12.5');
      expect(await days(1, 2, id)).toBe('100');
    });

    test('described, and each field corrected alone', async () => {
      const first = (await say({ serial_number: 'A-1', digits: 5 })).body;
      expect(first).toEqual(device({ serial_number: 'A-1', digits: 5 }));
      const second = (await say({ multiplier: 20, reason: ' read the plate ' })).body;
      expect(second).toEqual(
        device({ serial_number: 'A-1', digits: 5, multiplier: 20, reason: 'read the plate' }),
      );
      const third = (await say({ serial_number: null, digits: null })).body;
      expect(third).toEqual(device({ multiplier: 20, reason: 'seen' }));
      expect(new Set([first.id, second.id, third.id]).size).toBe(3);
      expect((await devices()).items).toEqual([third]);
    });

    test('the multiplier holds for everything the device has shown', async () => {
      await registers([1, '10'], [2, '12'], [4, '13']);
      await say({ multiplier: 30 });
      expect([await days(1, 2), await days(2, 4), await days(1, 4)]).toEqual(['60', '30', '90']);
      await say({ multiplier: 1 });
      expect([await days(1, 2), await days(2, 4)]).toEqual(['2', '1']);
    });

    test('the digits settle a rollover, wherever it was', async () => {
      await registers([1, '9990'], [2, '5'], [3, '15']);
      expect(await flagsOf(house, main)).toEqual([[], ['decreased'], []]);
      await say({ digits: 4 });
      expect(await flagsOf(house, main)).toEqual([[], ['rolled_over'], []]);
      expect(await days(1, 3)).toBe('25');
      await say({ digits: null });
      expect(await flagsOf(house, main)).toEqual([[], ['decreased'], []]);
    });

    test('after a replacement it is the new device that is described', async () => {
      await registers([1, '100'], [2, '110']);
      await replace(noon(2), '120', '0');
      await registers([3, '5'], [4, '10']);
      await say({ serial_number: 'B-2', multiplier: 2 });
      const { items } = await devices();
      expect(items).toEqual([
        device({ id: null, removed_at: noon(2), final_value: '120' }),
        device({
          serial_number: 'B-2',
          multiplier: 2,
          installed_at: noon(2),
          initial_value: '0',
          reason: 'seen',
        }),
      ]);
      expect([await days(1, 2), await days(2, 3), await days(3, 4)]).toEqual(['10', '20', '10']);
    });

    test.each([
      ['nothing', {}, 'body'],
      ['no digits', { digits: 0 }, 'digits'],
      ['ten digits', { digits: 10 }, 'digits'],
      ['a multiplier of 0', { multiplier: 0 }, 'multiplier'],
      ['a broken multiplier', { multiplier: 1.5 }, 'multiplier'],
      ['no multiplier', { multiplier: null }, 'multiplier'],
      ['an empty number', { serial_number: ' ' }, 'serial_number'],
      ['another field', { colour: 'grey' }, 'colour'],
    ])('%s: 422', async (_, body, path) => {
      expectProblem(await say(body), 'validation_failed', { errors: [path] });
    });
  });

  describe('a replacement', () => {
    test('recorded on the day: the answer, the devices, the energy', async () => {
      await registers([1, '100']);
      const { status, body } = await replace(noon(1), '104', '0.5', {
        serial_number: ' B-2 ',
        digits: 6,
        reason: ' old age ',
      });
      const old = device({ id: null, removed_at: noon(1), final_value: '104' });
      const fresh = device({
        serial_number: 'B-2',
        digits: 6,
        installed_at: noon(1),
        initial_value: '0.5',
        reason: 'old age',
      });
      expect({ status, body }).toEqual({ status: 201, body: fresh });
      await registers([2, '6.5'], [3, '16.5']);
      expect((await devices()).items).toEqual([old, fresh]);
      expect((await house.get(`/api/meters/${main}/devices?limit=1&offset=1`)).body).toEqual({
        items: [fresh],
        total: 2,
        limit: 1,
        offset: 1,
      });
      expect([await days(1, 2), await days(2, 3), await days(1, 3)]).toEqual(['10', '10', '20']);
      // It is no reading that somebody took.
      expect((await house.get(`/api/readings/meter/${main}/history`)).body.total).toBe(3);
      expectProblem(await house.get(`/api/readings/${body.id}`), 'not_found');
    });

    test('recorded after the readings of the new device came in: the decrease is settled', async () => {
      await registers([1, '100'], [2, '110'], [3, '2'], [4, '12'], [5, '22']);
      expect(await flagsOf(house, main)).toEqual([[], [], ['decreased'], [], []]);
      await replace(noon(2), '115', '0');
      expect(await flagsOf(house, main)).toEqual([[], [], [], [], []]);
      expect([await days(2, 3), await days(3, 5), await days(1, 5)]).toEqual(['7', '20', '37']);
    });

    test('backdated before many readings, and the first of all', async () => {
      await registers([3, '5'], [4, '10'], [5, '15'], [6, '20'], [7, '25'], [8, '30'], [9, '35']);
      await replace(day(2), '900', '1');
      expect([await days(2, 3), await days(2, 9), await days(8, 9)]).toEqual(['4', '34', '5']);
      await registers([1, '880']);
      expect([await days(1, 2), await days(1, 9)]).toEqual(['20', '54']);
    });

    test('undone: it never happened, and can be recorded again', async () => {
      await registers([1, '100'], [2, '110'], [3, '2'], [4, '12']);
      const { id } = (await replace(noon(2), '115', '0', { multiplier: 3 })).body;
      expect(await days(2, 4)).toBe('41');
      expect((await undo(id, '?reason=wrong+meter')).status).toBe(204);
      expect(await flagsOf(house, main)).toEqual([[], [], ['decreased'], []]);
      expect([await days(2, 3), await days(3, 4)]).toEqual([null, '10']);
      expect((await devices()).items).toEqual([device({ id: null })]);
      expectProblem(await undo(id), 'not_found');
      expect((await replace(noon(2), '116', '0')).status).toBe(201);
      expect(await days(2, 4)).toBe('18');
    });

    test('the transformers stay unless something else is said', async () => {
      await say({ multiplier: 40, digits: 5, serial_number: 'A-1' });
      await registers([1, '10']);
      const { body } = await replace(noon(1), '11', '0');
      expect(body).toMatchObject({ multiplier: 40, digits: null, serial_number: null });
      await registers([2, '1']);
      expect(await days(1, 2)).toBe('80');
      const { body: last } = await replace(noon(2), '2', '0', { multiplier: 1 });
      expect(last.multiplier).toBe(1);
      await registers([3, '1'], [4, '3']);
      expect([await days(2, 3), await days(3, 4)]).toEqual(['41', '2']);
    });

    test('another multiplier and other digits hold for the new device alone, though recorded late', async () => {
      await registers([1, '100'], [2, '110'], [3, '95'], [4, '3'], [5, '5']);
      await replace(noon(2), '112', '90', { multiplier: 10, digits: 2 });
      expect(await flagsOf(house, main)).toEqual([[], [], [], ['rolled_over'], []]);
      expect([await days(1, 2), await days(2, 3), await days(3, 4), await days(4, 5)]).toEqual([
        '10',
        '52',
        '80',
        '20',
      ]);
    });

    test('another multiplier reaches past a reading that says the same with either', async () => {
      await registers(
        [1, '100'],
        [2, '110'],
        [3, '120'],
        [4, '130'],
        [5, '140'],
        [6, '0'],
        [7, '1'],
        [8, '3'],
      );
      await replace(noon(5), '140', '0', { multiplier: 10 });
      expect([await days(5, 6), await days(6, 7), await days(7, 8)]).toEqual(['0', '10', '20']);
    });

    test('two, in any order of recording, also with nothing read between them', async () => {
      await registers([1, '100'], [5, '3']);
      await replace(day(4), '50', '0', { multiplier: 2 });
      await replace(day(2), '120', '10');
      // 20 until day 2, 10 → 50 until day 4, then twice 3.
      expect([await days(1, 2), await days(2, 4), await days(4, 5), await days(1, 5)]).toEqual([
        '20',
        '40',
        '6',
        '66',
      ]);
      expect((await devices()).items).toEqual([
        device({ id: null, removed_at: day(2), final_value: '120' }),
        device({ installed_at: day(2), initial_value: '10', removed_at: day(4), final_value: '50' }),
        device({ installed_at: day(4), initial_value: '0', multiplier: 2 }),
      ]);
      const [, middle] = (await devices()).items;
      await undo(middle.id);
      expect(await days(4, 5)).toBe('6');
      expect(await days(1, 4)).toBeNull();
    });

    test('a final value below the last reading: recorded, with a warning, and the new device is known', async () => {
      await registers([1, '100'], [2, '110']);
      const { status, body } = await replace(day(3), '105', '0');
      expect(status).toBe(201);
      expect(body.warnings).toEqual([
        {
          code: 'decreased',
          meter_id: main,
          reading_id: null,
          device_id: body.id,
          detail: expect.stringMatching(/Main meter.*2026-01-03T00:00:00Z/),
        },
      ]);
      await registers([4, '7']);
      expect([await days(2, 3), await days(3, 4)]).toEqual([null, '7']);
      expect((await devices()).items[1].warnings).toEqual(body.warnings);
      const [, { id: second }] = (await house.get(`/api/readings/meter/${main}/history`)).body.items;
      await house.patch(`/api/readings/${second}`, { value: '104', reason: 'typo' });
      expect((await devices()).items[1].warnings).toEqual([]);
      expect(await days(1, 4)).toBe('12');
    });

    test('a correction of the last reading before it is right on both sides', async () => {
      await registers([1, '100'], [2, '110']);
      await replace(noon(2), '115', '0');
      await registers([3, '5']);
      const { items } = (await house.get(`/api/readings/meter/${main}/history`)).body;
      await house.patch(`/api/readings/${items[1].id}`, { value: '112', reason: 'x' });
      expect([await days(1, 2), await days(2, 3), await days(1, 3)]).toEqual(['12', '8', '20']);
    });

    test('at the instant of a reading or of another replacement: 409', async () => {
      const reading_id = await house.given(main, day(1), '100');
      const before = await counts(server.db);
      expectProblem(await replace(day(1), '100', '0'), 'reading_conflict', { reading_id });
      expect(await counts(server.db)).toEqual(before);
      const { id } = (await replace(day(2), '110', '0')).body;
      expectProblem(await replace(day(2), '110', '0'), 'reading_conflict', { device_id: id });
    });

    test('a reading at the instant of a replacement: 409, also with the value of either device', async () => {
      const { id: device_id } = (await replace(day(2), '110', '0')).body;
      for (const value of ['110', '0', '50']) {
        const answer = await house.record(main, day(2), value);
        expectProblem(answer, 'reading_conflict', { device_id });
        expect(answer.body.detail).toMatch(/was replaced at 2026-01-02T00:00:00Z/);
      }
    });

    test('inside an interval that says where it began: 409', async () => {
      const more = { reading_type: 'relative', period_start: day(1) };
      const reading_id = await house.given(main, day(3), '10', more);
      expectProblem(await replace(day(2), '5', '0'), 'interval_overlap', { reading_id });
    });

    test('in the future, or without its values: 422 for every field', async () => {
      const answer = await house.post(`/api/meters/${main}/replacements`, {
        replaced_at: '2026-06-15T12:05:01Z',
        final_value: '-1',
      });
      expectProblem(answer, 'validation_failed', { errors: ['initial_value', 'replaced_at', 'final_value'] });
    });

    test('the first device replaced nothing: 422; a device of another meter: 404', async () => {
      const first = (await say({ digits: 5 })).body;
      expectProblem(await undo(first.id), 'validation_failed', { errors: ['device_id'] });
      const kitchen = await house.submeter('kitchen');
      const { id } = (await replace(day(2), '110', '0', {}, kitchen)).body;
      expectProblem(await undo(id), 'not_found');
      expect((await undo(id, undefined, kitchen)).status).toBe(204);
    });

    test('a virtual meter has no device: 422; an inactive meter takes none: 409', async () => {
      const sum = await house.submeter('sum', { sub_meter_kind: 'virtual' });
      expectProblem(await replace(day(1), '1', '0', {}, sum), 'validation_failed', { errors: ['meter_id'] });
      expectProblem(await say({ digits: 5 }, sum), 'validation_failed', { errors: ['meter_id'] });
      const { id } = (await replace(day(1), '1', '0')).body;
      await house.retire('meters', main);
      expectProblem(await replace(day(2), '1', '0'), 'meter_inactive');
      expectProblem(await say({ digits: 5 }), 'meter_inactive');
      expectProblem(await undo(id), 'meter_inactive');
    });
  });
});
