/** What was said of a device is corrected in place, and a replacement is settled as a reading is. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf, used } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('corrections of devices on %s', (engine) => {
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
  const replace = async (at: number, final_value: string, initial_value: string, more = {}) => {
    const body = { replaced_at: day(at), final_value, initial_value, ...more };
    return (await house.post(`/api/meters/${main}/replacements`, body)).body;
  };
  const url = (id: number) => `/api/meters/${main}/devices/${id}`;
  const correct = (id: number, body: object) => house.patch(url(id), { reason: 'misread', ...body });
  const confirm = (id: number, body: object = {}) => house.post(`${url(id)}/confirm`, body);
  const devices = async () => (await house.get(`/api/meters/${main}/devices`)).body.items;
  const attention = async () =>
    (await house.get(`/api/properties/${house.property_id}/attention`)).body.items;
  const warnings = async () => {
    const period = `start_timestamp=${day(1)}&end_timestamp=${day(9)}`;
    const path = `/api/readings/property/${house.property_id}/consumption?${period}`;
    return (await house.get(path)).body.warnings;
  };
  const registers = async (...values: [number, string][]) => {
    for (const [at, value] of values) await house.given(main, day(at), value);
  };

  test('the first device: described once, then corrected; also after it was replaced', async () => {
    await registers([1, '10'], [2, '12']);
    await replace(3, '13', '0');
    const first = await house.post(`/api/meters/${main}/devices`, { multiplier: 10, reason: 'seen' });
    expect([first.status, first.body]).toEqual([
      201,
      {
        id: expect.any(Number),
        meter_id: main,
        serial_number: null,
        digits: null,
        multiplier: 10,
        installed_at: null,
        removed_at: day(3),
        initial_value: null,
        final_value: '13',
        reason: 'seen',
        warnings: [],
      },
    ]);
    expect([await days(1, 2), await days(1, 3)]).toEqual(['20', '30']);
    const before = await counts(server.db);
    const again = await house.post(`/api/meters/${main}/devices`, { multiplier: 20 });
    expectProblem(again, 'device_described', { device_id: first.body.id });
    expect(await counts(server.db)).toEqual(before);
    const { status, body } = await correct(first.body.id, { multiplier: 20, serial_number: ' A-1 ' });
    expect([status, body]).toEqual([
      200,
      { ...first.body, id: body.id, multiplier: 20, serial_number: 'A-1', reason: 'misread' },
    ]);
    expect(await days(1, 2)).toBe('40');
    expectProblem(await correct(first.body.id, { multiplier: 30 }), 'not_found');
  });

  test('an earlier one of three: each field, and what follows from it', async () => {
    await registers([1, '100']);
    const second = await replace(2, '110', '0');
    await registers([3, '5']);
    await replace(4, '10', '50');
    await registers([5, '60']);
    expect([await days(1, 2), await days(2, 3), await days(1, 5)]).toEqual(['10', '5', '30']);
    let id = second.id;
    const corrected = async (body: object) => {
      const answer = await correct(id, body);
      expect([answer.status, answer.body.detail]).toEqual([200, undefined]);
      ({ id } = answer.body);
      return answer.body;
    };
    await corrected({ final_value: '112.5' });
    expect([await days(1, 2), await days(2, 3), await days(1, 5)]).toEqual(['12.5', '5', '32.5']);
    await corrected({ initial_value: '1' });
    expect([await days(2, 3), await days(4, 5), await days(1, 5)]).toEqual(['4', '10', '31.5']);
    await corrected({ multiplier: 3 });
    expect([await days(2, 3), await days(3, 4), await days(4, 5)]).toEqual(['12', '15', '10']);
    const whole = await corrected({ installed_at: '2026-01-01T12:00:00Z', digits: 2 });
    expect(whole).toMatchObject({ installed_at: '2026-01-01T12:00:00Z', digits: 2, multiplier: 3 });
    expect(await used(house, main, day(1), '2026-01-01T12:00:00Z')).toBe('12.5');
    expect((await devices()).map((each: { removed_at: string }) => each.removed_at)).toEqual([
      '2026-01-01T12:00:00Z',
      day(4),
      null,
    ]);
    await corrected({ serial_number: 'B-2' });
    expect([await days(1, 5), (await devices())[1].serial_number]).toEqual(['49.5', 'B-2']);
  });

  test('another time moves readings to the other device, both ways', async () => {
    await registers([1, '100'], [2, '110'], [3, '120'], [4, '130'], [5, '140']);
    const { id } = await replace(6, '150', '0', { multiplier: 10 });
    await registers([7, '1']);
    const moved = (
      await correct(id, { installed_at: '2026-01-02T12:00:00Z', final_value: '115', initial_value: '116' })
    ).body;
    expect([await days(1, 2), await days(2, 3), await days(3, 4)]).toEqual(['10', '45', '100']);
    await correct(moved.id, { installed_at: day(6), final_value: '150', initial_value: '0' });
    expect([await days(2, 3), await days(3, 4), await days(5, 7)]).toEqual(['10', '10', '20']);
  });

  test('undone with its batch: everything is as it was', async () => {
    await registers([1, '100']);
    const device = await replace(3, '110', '0');
    await registers([4, '7']);
    await correct(device.id, { installed_at: day(2), final_value: '120', initial_value: '3', multiplier: 2 });
    expect(await days(1, 4)).toBe('28');
    const [{ id: batch_id }] = (await house.get(`/api/properties/${house.property_id}/ledger`)).body.items;
    await house.post(`/api/properties/${house.property_id}/ledger/${batch_id}/undo`, { reason: 'x' });
    const [, back] = await devices();
    expect(back).toEqual({ ...device, id: back.id, reason: 'x' });
    expect(await days(1, 4)).toBe('17');
  });

  test.each([
    ['nothing', {}, ['body']],
    ['the future', { installed_at: '2026-06-15T12:05:01Z' }, ['installed_at']],
    ['a negative value', { final_value: '-1', initial_value: null }, ['final_value', 'initial_value']],
    ['no digits', { digits: 0 }, ['digits']],
    ['another field', { colour: 'grey' }, ['colour']],
  ])('%s: 422', async (_, body, errors) => {
    const { id } = await replace(2, '110', '0');
    const before = await counts(server.db);
    expectProblem(await correct(id, body), 'validation_failed', { errors });
    expect(await counts(server.db)).toEqual(before);
  });

  test('what only a replacement has, of the first device: 422 for each field', async () => {
    const { id } = (await house.say(main, { digits: 5 })).body;
    const body = { installed_at: day(1), final_value: '1', initial_value: '0', digits: 6 };
    expectProblem(await correct(id, body), 'validation_failed', {
      errors: ['installed_at', 'final_value', 'initial_value'],
    });
  });

  test('past another replacement: 422; onto one or onto a reading: refused; onto itself is no move', async () => {
    const second = await replace(2, '110', '0');
    const third = await replace(5, '20', '0');
    const reading_id = await house.given(main, day(3), '10');
    const before = await counts(server.db);
    for (const [id, at] of [
      [second.id, 5],
      [second.id, 6],
      [third.id, 2],
      [third.id, 1],
    ] as const) {
      expectProblem(await correct(id, { installed_at: day(at) }), 'validation_failed', {
        errors: ['installed_at'],
      });
    }
    expectProblem(await correct(second.id, { installed_at: day(3) }), 'reading_conflict', { reading_id });
    expect(await counts(server.db)).toEqual(before);
    expect((await correct(second.id, { installed_at: day(2), digits: 5 })).status).toBe(200);
  });

  test('into an interval that says where it began: 409', async () => {
    const { id } = await replace(1, '110', '0');
    const more = { reading_type: 'relative', period_start: day(2) };
    const reading_id = await house.given(main, day(4), '10', more);
    expectProblem(await correct(id, { installed_at: day(3) }), 'interval_overlap', { reading_id });
    // And an interval over a replacement names the device.
    const over = await house.record(main, '2026-01-01T12:00:00Z', '1', {
      ...{ reading_type: 'relative', period_start: '2025-12-31T00:00:00Z' },
    });
    expectProblem(over, 'interval_overlap', { device_id: id });
  });

  test('a device of another meter, or an inactive meter', async () => {
    const { id } = await replace(1, '110', '0');
    const kitchen = await house.submeter('kitchen');
    const body = { digits: 5, reason: 'x' };
    expectProblem(await house.patch(`/api/meters/${kitchen}/devices/${id}`, body), 'not_found');
    expectProblem(await house.post(`/api/meters/${kitchen}/devices/${id}/confirm`, {}), 'not_found');
    await house.retire('meters', main);
    expectProblem(await correct(id, body), 'meter_inactive');
    expectProblem(await confirm(id), 'meter_inactive');
  });

  describe('a decrease up to a replacement', () => {
    test('the warnings and the attention item name the device, and the calls that settle it do', async () => {
      await registers([1, '100'], [2, '110']);
      const { id: device_id } = await replace(3, '105', '0');
      const warning = {
        ...{ code: 'decreased', meter_id: main, reading_id: null, device_id },
        detail: expect.stringMatching(/replaced at 2026-01-03T00:00:00Z.*final_value/),
      };
      expect(await warnings()).toEqual([warning]);
      expect((await devices())[1].warnings).toEqual([warning]);
      const series = `start_date=${day(1)}&end_date=${day(9)}&interval=day`;
      const { body } = await house.get(`/api/properties/${house.property_id}/consumption/series?${series}`);
      expect(body.warnings).toEqual([warning]);
      const [item] = await attention();
      const undo_url = `/api/meters/${main}/replacements/${device_id}`;
      expect(item).toMatchObject({
        ...{ code: 'decreased', reading_id: null, device_id },
        actions: [
          { operation: 'correctDevice', method: 'PATCH', url: url(device_id) },
          { operation: 'undoReplacement', method: 'DELETE', url: undo_url },
        ],
      });
      const settled = await house.patch(item.actions[0].url, { final_value: '115', reason: 'misread' });
      expect([settled.status, settled.body.warnings]).toEqual([200, []]);
      expect(await warnings()).toEqual([]);
      expect(await days(1, 3)).toBe('15');
    });

    test('of a reading the warning names the reading, and it can be asked for', async () => {
      await registers([1, '100'], [2, '90']);
      const [{ reading_id, device_id }] = await warnings();
      expect(device_id).toBeNull();
      expect((await house.get(`/api/readings/${reading_id}`)).body.value).toBe('90');
    });
  });

  describe('an implausible rate up to a replacement', () => {
    let device_id: number;
    beforeEach(async () => {
      await registers([1, '0'], [2, '24'], [3, '48'], [4, '72']);
      ({ id: device_id } = await replace(5, '2472', '0'));
      await registers([6, '2400']);
      expect(await flagsOf(house, main)).toEqual([[], [], [], [], ['implausible']]);
    });

    test('confirmed: the flag goes, and later ones are judged by it', async () => {
      const [, { warnings: of_device }] = await devices();
      expect(of_device).toEqual([
        {
          ...{ code: 'implausible', meter_id: main, reading_id: null, device_id },
          detail: expect.stringMatching(/2026-01-05T00:00:00Z.*confirm it/),
        },
      ]);
      const item = (await attention()).find(
        (each: { device_id: number | null }) => each.device_id === device_id,
      );
      expect(item).toMatchObject({ code: 'implausible', reading_id: null });
      const call = item.actions.find(({ operation }: { operation: string }) => operation === 'confirmDevice');
      expect(call).toEqual({ operation: 'confirmDevice', method: 'POST', url: `${url(device_id)}/confirm` });
      const { status, body } = await house.post(call.url, { reason: ' the sauna ' });
      expect([status, body]).toEqual([
        201,
        expect.objectContaining({
          final_value: null,
          installed_at: day(5),
          reason: 'the sauna',
          warnings: [],
        }),
      ]);
      expect(await flagsOf(house, main)).toEqual([[], [], [], [], []]);
      expect((await attention()).filter(({ code }: { code: string }) => code === 'implausible')).toEqual([]);
      const before = await counts(server.db);
      const again = await confirm(body.id);
      expect([again.status, again.body]).toEqual([200, body]);
      expect(await counts(server.db)).toEqual(before);
    });

    test('stays confirmed when its number is corrected, not when its last register or its time is', async () => {
      const flagged = async () => (await devices())[1].warnings.length;
      let { id } = (await confirm(device_id)).body;
      ({ id } = (await correct(id, { serial_number: 'B-2', digits: 6, initial_value: '1' })).body);
      expect(await flagged()).toBe(0);
      ({ id } = (await correct(id, { final_value: '2473' })).body);
      expect(await flagged()).toBe(1);
      ({ id } = (await confirm(id)).body);
      await correct(id, { installed_at: '2026-01-05T01:00:00Z' });
      expect(await flagged()).toBe(1);
    });

    test('one that is not flagged, and the first device: 422, and nothing is written', async () => {
      const { id } = await replace(7, '2500', '0');
      const first = (await house.post(`/api/meters/${main}/devices`, { digits: 6 })).body;
      const before = await counts(server.db);
      for (const each of [id, first.id])
        expectProblem(await confirm(each), 'validation_failed', { errors: ['device_id'] });
      expect(await counts(server.db)).toEqual(before);
    });
  });
});
