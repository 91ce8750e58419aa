/** Consumption between two instants: whole answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-15T12:00:00Z';
const T0 = '2025-12-31T00:00:00Z';
const T1 = '2026-01-01T00:00:00Z';
const NOON = '2026-01-01T12:00:00Z';
const T2 = '2026-01-02T00:00:00Z';
const T3 = '2026-01-03T00:00:00Z';
const T5 = '2026-01-05T00:00:00Z';

describe.each(ENGINES)('consumption on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let kitchen: number;
  let attic: number;
  let stove: number;
  let sum: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    kitchen = await house.submeter('kitchen', { location: 'ground floor' });
    attic = await house.submeter('attic');
    stove = await house.submeter('stove', { parent_meter_id: kitchen });
    sum = await house.submeter('sum', { sub_meter_kind: 'virtual' });
  });

  const ask = (start_timestamp: string, end_timestamp: string, more: Record<string, string> = {}) =>
    house.get(
      `/api/readings/property/${house.property_id}/consumption?${new URLSearchParams({ start_timestamp, end_timestamp, ...more })}`,
    );
  const UNKNOWN = { consumption: null, known_consumption: null, coverage: 0, estimated: false };
  const known = (consumption: string) => ({
    consumption,
    known_consumption: consumption,
    coverage: 1,
    estimated: false,
  });
  /** A submeter of the answer; without figures: nothing is known of it. */
  const sub = (name: string, figures: object = {}) => ({
    name,
    meter_id: { kitchen, attic, stove, sum }[name],
    location: name === 'kitchen' ? 'ground floor' : null,
    parent_meter_id: name === 'stove' ? kitchen : house.main_id,
    sub_meter_kind: name === 'sum' ? 'virtual' : 'physical',
    start_value: null,
    end_value: null,
    ...UNKNOWN,
    unmetered_consumption: null,
    ...figures,
  });
  const answer = (start_timestamp: string, end_timestamp: string, more: object = {}) => ({
    property_id: house.property_id,
    start_timestamp,
    end_timestamp,
    main_meter_consumption: null,
    total_submetered_consumption: null,
    unmetered_consumption: null,
    imbalance: null,
    unmetered_uncertainty: null,
    known_consumption: null,
    coverage: 0,
    estimated: false,
    submeters: [sub('attic'), sub('kitchen'), sub('stove'), sub('sum')],
    warnings: [],
    ...more,
  });
  async function given(rows: Record<string, [at: string, value: string][]>): Promise<void> {
    const ids: Record<string, number> = { main: house.main_id, kitchen, attic, stove };
    for (const [name, readings] of Object.entries(rows)) {
      for (const [at, value] of readings) await house.given(ids[name]!, at, value);
    }
  }

  test('empty is a shape', async () => {
    const { status, body } = await ask(T1, T2);
    expect({ status, body }).toEqual({ status: 200, body: answer(T1, T2) });
  });

  test('main, direct submeters and the unmetered rest; a sub-submeter is inside its parent', async () => {
    await given({
      main: [
        [T1, '1000'],
        [NOON, '1004'],
        [T2, '1010.5'],
      ],
      kitchen: [
        [T1, '50'],
        [T2, '54'],
      ],
      attic: [
        [T1, '7.25'],
        [T2, '7.25'],
      ],
      stove: [
        [T1, '1'],
        [T2, '3.001'],
      ],
    });
    const { body } = await ask(T1, T2);
    expect(body).toEqual(
      answer(T1, T2, {
        main_meter_consumption: '10.5',
        total_submetered_consumption: '4',
        unmetered_consumption: '6.5',
        unmetered_uncertainty: '0',
        known_consumption: '10.5',
        coverage: 1,
        submeters: [
          sub('attic', { start_value: '7.25', end_value: '7.25', ...known('0') }),
          sub('kitchen', {
            start_value: '50',
            end_value: '54',
            ...known('4'),
            unmetered_consumption: '1.999',
          }),
          sub('stove', { start_value: '1', end_value: '3.001', ...known('2.001') }),
          sub('sum'),
        ],
      }),
    );
  });

  test('between two readings energy lies on a straight line and is marked estimated', async () => {
    await given({
      main: [
        [T1, '100'],
        [T2, '101'],
        [T3, '104'],
      ],
    });
    const estimated = answer(NOON, '2026-01-02T08:00:00Z', {
      main_meter_consumption: '1.5',
      known_consumption: '1.5',
      coverage: 1,
      estimated: true,
    });
    expect((await ask(NOON, '2026-01-02T08:00:00Z')).body).toEqual(estimated);
    expect((await ask(NOON, '2026-01-02T08:00:00Z', { boundary: 'INTERPOLATE' })).body).toEqual(estimated);
    // The two halves of a period add up to the period.
    const halves = [(await ask(T1, NOON)).body, (await ask(NOON, T2)).body];
    expect(halves.map((half) => half.main_meter_consumption)).toEqual(['0.5', '0.5']);
  });

  test('boundary=exact: an instant without a reading is unknown', async () => {
    await given({
      main: [
        [T1, '100'],
        [T2, '101'],
        [T3, '104'],
      ],
    });
    expect((await ask(NOON, T3, { boundary: 'exact' })).body).toEqual(
      answer(NOON, T3, { known_consumption: '3', coverage: 2 / 3 }),
    );
    expect((await ask(T1, T3, { boundary: 'exact' })).body).toMatchObject({
      main_meter_consumption: '4',
      coverage: 1,
      estimated: false,
    });
    const wrong = await ask(T1, T3, { boundary: 'guess' });
    expectProblem(wrong, 'validation_failed', { errors: ['boundary'] });
  });

  test('before the first and after the last reading nothing is extrapolated', async () => {
    await given({
      main: [
        [T1, '100'],
        [T3, '104'],
      ],
    });
    // Two of five days are known.
    expect((await ask(T0, T5)).body).toEqual(answer(T0, T5, { known_consumption: '4', coverage: 2 / 5 }));
    expect((await ask(T0, T1)).body).toEqual(answer(T0, T1));
    expect((await ask(T3, T5)).body).toEqual(answer(T3, T5));
  });

  test('an unsettled decrease: unknown, never negative, with a warning that names the reading', async () => {
    await given({
      main: [
        [T1, '100'],
        [T2, '110'],
        [T5, '30'],
      ],
    });
    const fall = await house.given(house.main_id, T3, '20');
    const warning = {
      code: 'decreased',
      meter_id: house.main_id,
      reading_id: fall,
      device_id: null,
      detail: expect.stringContaining(T3),
    };
    expect((await ask(T1, T5)).body).toEqual(
      answer(T1, T5, { known_consumption: '20', coverage: 3 / 4, warnings: [warning] }),
    );
    // Only the stretch of the fall is unknown: before and after it nothing is amiss.
    expect((await ask(T2, T3)).body).toEqual(answer(T2, T3, { warnings: [warning] }));
    const fine = { known_consumption: '10', coverage: 1, main_meter_consumption: '10' };
    expect((await ask(T1, T2)).body).toEqual(answer(T1, T2, fine));
    expect((await ask(T3, T5)).body).toEqual(answer(T3, T5, fine));
  });

  test('a gap between two intervals: unknown there, known on both sides', async () => {
    const hours = (from: string, to: string, value: string) =>
      house.given(house.main_id, to, value, { reading_type: 'relative', period_start: from });
    await hours(T1, T2, '5');
    await hours(T3, T5, '8');
    expect((await ask(T1, T5)).body).toEqual(answer(T1, T5, { known_consumption: '13', coverage: 3 / 4 }));
    expect((await ask(T2, T3)).body).toEqual(answer(T2, T3));
    expect((await ask(T1, T2)).body).toMatchObject({ main_meter_consumption: '5', coverage: 1 });
  });

  test('start and end values are registers that were read, never amounts or estimates', async () => {
    await given({ attic: [[T1, '10']] });
    await house.given(attic, T2, '2', { reading_type: 'relative' });
    const { body } = await ask(T1, T2);
    expect(body.submeters[0]).toEqual(sub('attic', { start_value: '10', ...known('2') }));
  });

  test('submeters above the main meter: unmetered 0, the raw difference, and a warning by how much', async () => {
    await house.retire('meters', attic);
    await given({
      main: [
        [T1, '0'],
        [T2, '10'],
      ],
      kitchen: [
        [T1, '0'],
        [T2, '12.5'],
      ],
    });
    expect((await ask(T1, T2)).body).toEqual(
      answer(T1, T2, {
        main_meter_consumption: '10',
        total_submetered_consumption: '12.5',
        unmetered_consumption: '0',
        unmetered_uncertainty: '0',
        imbalance: '-2.5',
        known_consumption: '10',
        coverage: 1,
        submeters: [
          sub('kitchen', { start_value: '0', end_value: '12.5', ...known('12.5') }),
          sub('stove'),
          sub('sum'),
        ],
        warnings: [
          {
            code: 'submeters_exceed_main',
            meter_id: house.main_id,
            reading_id: null,
            device_id: null,
            detail: expect.stringContaining('2.5 kWh'),
          },
        ],
      }),
    );
  });

  test('unmetered is unknown where one active direct submeter is', async () => {
    await given({
      main: [
        [T1, '0'],
        [T2, '10'],
      ],
      kitchen: [
        [T1, '0'],
        [T2, '4'],
      ],
    });
    const with_attic = await ask(T1, T2);
    expect(with_attic.body).toMatchObject({
      main_meter_consumption: '10',
      total_submetered_consumption: null,
      unmetered_consumption: null,
    });
    await house.retire('meters', attic);
    expect((await ask(T1, T2)).body).toMatchObject({
      total_submetered_consumption: '4',
      unmetered_consumption: '6',
    });
  });

  test.each([
    ['start = end', T1, T1, ['end_timestamp']],
    ['start > end', T2, T1, ['end_timestamp']],
    ['the same instant in two zones', T1, '2026-01-01T01:00:00+01:00', ['end_timestamp']],
    ['bare dates', '2026-01-01', '2026-01-02', ['start_timestamp', 'end_timestamp']],
    ['no end', T1, '', ['end_timestamp']],
  ])('%s: 422', async (_, start, end, errors) => {
    expectProblem(await ask(start, end), 'validation_failed', { errors });
  });

  test('a long history costs nothing: the period reaches over all of it, in the past and in the future', async () => {
    await given({
      main: [
        ['1900-01-01T00:00:00Z', '0'],
        [T1, '5'],
      ],
    });
    const { body } = await ask('1900-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z');
    expect(body).toMatchObject({ main_meter_consumption: null, known_consumption: '5' });
    expect(body.coverage).toBeGreaterThan(0.01);
    expect(body.coverage).toBeLessThan(0.02);
  });
});
