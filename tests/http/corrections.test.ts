/** Corrections: a new entry supersedes the one in force, everything later is right at once, nothing is lost. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf, used } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts, everything } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;
const reason = 'misread';

describe.each(ENGINES)('corrections on %s', (engine) => {
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

  const correct = (id: number, body: object) => house.patch(`/api/readings/${id}`, { reason, ...body });
  const drop = (id: number, query = '?reason=wrong+meter') =>
    server.call('DELETE', `/api/readings/${id}${query}`, { token: owner.token });
  const days = (from: number, to: number, meter = main) => used(house, meter, day(from), day(to));

  /** Days 1 … n with 10 kWh each, from 100 on. @returns the ids */
  async function tens(n: number): Promise<number[]> {
    const ids: number[] = [];
    for (let i = 1; i <= n; i++) ids.push(await house.given(main, day(i), String(90 + i * 10)));
    return ids;
  }

  test('of the value: the whole answer, and what the old entry says from now on', async () => {
    const id = await house.given(main, day(1), '100', { note: 'cellar' });
    const before = (await house.get(`/api/readings/${id}`)).body;
    const { status, body } = await correct(id, { value: '101.5', reason: ' a 1 for a 0 ' });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        id: expect.any(Number),
        property_id: house.property_id,
        meter_id: main,
        meter_name: 'Main meter',
        reading_timestamp: day(1),
        value: '101.5',
        reading_type: 'absolute',
        period_start: null,
        note: 'cellar',
        photo_sha256: null,
        source: 'manual',
        flags: [],
        recorded_by_user_id: owner.id,
        recorded_by_api_key_id: null,
        created_at: NOW,
        batch_id: before.batch_id + 1,
        supersedes_id: id,
        superseded_by_id: null,
        reason: 'a 1 for a 0',
        warnings: [],
      },
    });
    expect(body.id).toBeGreaterThan(id);
    expect((await house.get(`/api/readings/${id}`)).body).toEqual({ ...before, superseded_by_id: body.id });
    expect((await house.get(`/api/readings/${body.id}`)).body).toEqual(body);
  });

  test('of the first, a middle and the last value: every period is right at once', async () => {
    const [first, , third, , last] = await tens(5);
    await correct(third!, { value: '125' });
    expect([await days(1, 5), await days(2, 3), await days(3, 4), await days(4, 5)]).toEqual([
      '40',
      '15',
      '5',
      '10',
    ]);
    await correct(first!, { value: '99.999' });
    expect([await days(1, 5), await days(1, 2), await days(2, 5)]).toEqual(['40.001', '10.001', '30']);
    await correct(last!, { value: '150' });
    expect([await days(1, 5), await days(4, 5)]).toEqual(['50.001', '20']);
  });

  test('of the time: moved over others, everything between is right', async () => {
    const ids = [];
    for (const [at, value] of [
      [1, '100'],
      [2, '130'],
      [3, '110'],
      [5, '150'],
    ] as const)
      ids.push(await house.given(main, day(at), value));
    expect(await flagsOf(house, main)).toEqual([[], [], ['decreased'], []]);
    const { status, body } = await correct(ids[1]!, { reading_timestamp: day(4) });
    expect([status, body.reading_timestamp, body.value]).toEqual([200, day(4), '130']);
    expect(await flagsOf(house, main)).toEqual([[], [], [], []]);
    expect([await days(1, 3), await days(3, 4), await days(4, 5)]).toEqual(['10', '20', '20']);
  });

  test('of the note alone, also to none: value and energy stay', async () => {
    const [id] = await tens(2);
    const noted = (await correct(id!, { note: ' left of the door ' })).body;
    expect(noted).toMatchObject({ note: 'left of the door', value: '100', supersedes_id: id });
    const bare = (await correct(noted.id, { note: null })).body;
    expect(bare).toMatchObject({ note: null, value: '100', supersedes_id: noted.id });
    expect(await days(1, 2)).toBe('10');
  });

  test('several fields at once', async () => {
    const [id] = await tens(1);
    const { body } = await correct(id!, { value: 7.25, reading_timestamp: day(9), note: 'x' });
    expect(body).toMatchObject({ value: '7.25', reading_timestamp: day(9), note: 'x' });
    const { body: history } = await house.get(`/api/readings/meter/${main}/history`);
    expect(history.items).toEqual([body]);
  });

  test.each([
    ['no reason', { value: '1', reason: undefined }, 'reason'],
    ['an empty reason', { value: '1', reason: '  ' }, 'reason'],
    ['nothing to correct', {}, 'body'],
    ['the future', { reading_timestamp: '2026-06-15T12:05:01Z' }, 'reading_timestamp'],
    ['a time without offset', { reading_timestamp: '2026-01-01T00:00:00' }, 'reading_timestamp'],
    ['a negative value', { value: '-1' }, 'value'],
    ['four decimals', { value: '1.0001' }, 'value'],
    ['no value', { value: null }, 'value'],
    ['no time', { reading_timestamp: null }, 'reading_timestamp'],
    ['a beginning without offset', { period_start: '2026-01-01T00:00:00' }, 'period_start'],
    ['a beginning of a register', { period_start: '2025-12-31T00:00:00Z' }, 'period_start'],
    ['no beginning of a register', { period_start: null }, 'period_start'],
    ['another type', { reading_type: 'relative' }, 'reading_type'],
  ])('%s: 422, and nothing is written', async (_, body, path) => {
    const [id] = await tens(1);
    const before = await counts(server.db);
    expectProblem(await correct(id!, body), 'validation_failed', { errors: [path] });
    expect(await counts(server.db)).toEqual(before);
  });

  test('onto another reading: 409 that names it; onto itself is no move', async () => {
    const [first, second] = await tens(2);
    const before = await counts(server.db);
    expectProblem(await correct(first!, { reading_timestamp: day(2) }), 'reading_conflict', {
      reading_id: second!,
    });
    expect(await counts(server.db)).toEqual(before);
    expect((await correct(first!, { reading_timestamp: day(1), value: '95' })).status).toBe(200);
    expect(await days(1, 2)).toBe('15');
  });

  test('onto a replacement: 409', async () => {
    const [first] = await tens(1);
    await house.post(`/api/meters/${main}/replacements`, {
      replaced_at: day(3),
      final_value: '120',
      initial_value: '0',
    });
    const { status, body } = await correct(first!, { reading_timestamp: day(3) });
    expect([status, body.code]).toEqual([409, 'reading_conflict']);
  });

  test('a superseded one: 409 that names the one in force, however many lie between', async () => {
    const [id] = await tens(1);
    const second = (await correct(id!, { value: '101' })).body.id;
    const third = (await correct(second, { value: '102' })).body.id;
    for (const old of [id!, second]) {
      const calls = [
        await correct(old, { value: '103' }),
        await drop(old),
        await house.post(`/api/readings/${old}/confirm`, {}),
        await house.post(`/api/readings/${old}/rollover`, { digits: 5 }),
      ];
      for (const answer of calls) expectProblem(answer, 'reading_superseded', { reading_id: third });
    }
    await drop(third);
    const gone = await correct(id!, { value: '103' });
    expectProblem(gone, 'reading_superseded');
    expect(gone.body.detail).toMatch(/was voided/);
  });

  test('one that was voided and came back is corrected through its new entry', async () => {
    const [id] = await tens(1);
    await drop(id!);
    const [{ id: batch_id }] = (await house.get(`/api/properties/${house.property_id}/ledger`)).body.items;
    await house.post(`/api/properties/${house.property_id}/ledger/${batch_id}/undo`, { reason });
    const [back] = (await house.get(`/api/readings/meter/${main}/history`)).body.items;
    expect(back).toMatchObject({ value: '100', reading_timestamp: day(1) });
    expectProblem(await correct(id!, { value: '1' }), 'reading_superseded', { reading_id: back.id });
    expect((await correct(back.id, { value: '1' })).status).toBe(200);
  });

  test('a voided reading is gone from every period, and its instant is free again', async () => {
    const ids = await tens(4);
    expect((await drop(ids[1]!, '?reason=wrong+meter')).status).toBe(204);
    expect([await days(1, 3), await days(1, 4)]).toEqual(['20', '30']);
    expect((await house.get(`/api/readings/meter/${main}/history`)).body.total).toBe(3);
    const again = await house.record(main, day(2), '105');
    expect([again.status, again.body.supersedes_id]).toEqual([201, null]);
    expect([await days(1, 2), await days(2, 3)]).toEqual(['5', '15']);
    const gone = await house.get(`/api/readings/${ids[1]}`);
    expect([gone.status, gone.body.value]).toEqual([200, '110']);
    expectProblem(await house.get(`/api/readings/${gone.body.superseded_by_id}`), 'not_found');
    expectProblem(await drop(gone.body.superseded_by_id), 'not_found');
  });

  test('voiding the first, the last, the only one', async () => {
    const ids = await tens(3);
    await drop(ids[0]!);
    expect([await days(1, 3), await days(2, 3)]).toEqual([null, '10']);
    await drop(ids[2]!);
    expect(await days(2, 3)).toBeNull();
    await drop(ids[1]!);
    expect((await house.get(`/api/readings/meter/${main}/history`)).body.total).toBe(0);
    const { body } = await house.get(`/api/readings/property/${house.property_id}/latest`);
    expect(body.reading_timestamp).toBeNull();
  });

  test('the trail: as recorded, corrected, voided; the same from every entry of it', async () => {
    const [id] = await tens(1);
    const second = (await correct(id!, { value: '101', reason: 'a 1' })).body;
    await drop(second.id, '?reason=wrong+meter');
    const { body } = await house.get(`/api/readings/${id}/revisions`);
    const common = {
      period_start: null,
      note: null,
      photo_sha256: null,
      source: 'manual',
      recorded_by_user_id: owner.id,
      recorded_by: owner.username,
      recorded_by_api_key_id: null,
      created_at: NOW,
      reading_timestamp: day(1),
      kind: 'absolute',
      batch_id: expect.any(Number),
    };
    const void_id = body.items[2].id;
    expect(body).toEqual({
      items: [
        { ...common, id, value: '100', reason: null, supersedes_id: null, superseded_by_id: second.id },
        {
          ...common,
          id: second.id,
          value: '101',
          reason: 'a 1',
          supersedes_id: id,
          superseded_by_id: void_id,
        },
        {
          ...common,
          id: void_id,
          kind: 'void',
          reading_timestamp: null,
          value: null,
          reason: 'wrong meter',
          supersedes_id: second.id,
          superseded_by_id: null,
        },
      ],
      total: 3,
      limit: 100,
      offset: 0,
    });
    for (const each of [second.id, void_id])
      expect((await house.get(`/api/readings/${each}/revisions`)).body).toEqual(body);
    const page = (await house.get(`/api/readings/${id}/revisions?limit=1&offset=1`)).body;
    expect(page).toEqual({ items: [body.items[1]], total: 3, limit: 1, offset: 1 });
  });

  test('history: only what is in force, or with include_superseded all of it, page by page', async () => {
    const [first, second] = await tens(3);
    const better = (await correct(second!, { value: '115' })).body.id;
    await drop(first!);
    const list = async (query: string) => {
      const { body } = await house.get(`/api/readings/meter/${main}/history?${query}`);
      return { ids: body.items.map(({ id }: { id: number }) => id), total: body.total };
    };
    const third = (await list('limit=1')).ids[0];
    expect(await list('')).toEqual({ ids: [third, better], total: 2 });
    const all = [third, better, second, first];
    expect(await list('include_superseded=true')).toEqual({ ids: all, total: 4 });
    for (let i = 0; i < 4; i++)
      expect(await list(`include_superseded=true&limit=1&offset=${i}`)).toEqual({ ids: [all[i]], total: 4 });
    expect(await list('include_superseded=true&limit=2&offset=9007199254740991')).toEqual({
      ids: [],
      total: 4,
    });
  });

  test('flags appear and disappear at the reading itself and at its neighbours', async () => {
    const [, second, third] = await tens(4);
    const over = (await correct(second!, { value: '125' })).body;
    expect(over.flags).toEqual([]);
    expect(await flagsOf(house, main)).toEqual([[], [], ['decreased'], []]);
    expect([await days(1, 2), await days(2, 3), await days(1, 4), await days(3, 4)]).toEqual([
      '25',
      null,
      null,
      '10',
    ]);
    const under = (await correct(third!, { value: '124' })).body;
    expect(under).toMatchObject({
      flags: ['decreased'],
      warnings: [{ code: 'decreased', reading_id: under.id }],
    });
    await correct(over.id, { value: '110' });
    expect(await flagsOf(house, main)).toEqual([[], [], [], []]);
    expect([await days(1, 4), await days(2, 3), await days(3, 4)]).toEqual(['30', '14', '6']);
  });

  test('an implausible value corrected: the flag goes, and later ones are judged anew', async () => {
    for (let i = 1; i <= 5; i++) await house.given(main, day(i), String(i));
    const id = await house.given(main, day(6), '5000');
    await house.given(main, day(7), '5001');
    expect(await flagsOf(house, main)).toEqual([[], [], [], [], [], ['implausible'], []]);
    await correct(id, { value: '6' });
    expect(await flagsOf(house, main)).toEqual([[], [], [], [], [], [], ['implausible']]);
    expect(await days(6, 7)).toBe('4995');
  });

  test('only neighbours are written, also where the highest rate comes or goes', async () => {
    const ids = await tens(6);
    const later = Array.from({ length: 200 }, (_, i) => [
      new Date(Date.parse(day(7)) + i * 3_600_000).toISOString(),
      String(160 + i / 10),
    ]);
    const csv = ['timestamp,Main meter', ...later.map((row) => row.join())].join('\n');
    const imported = await server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
      token: owner.token,
      headers: { 'content-type': 'text/csv' },
      body: csv,
    });
    expect(imported.body.recorded).toBe(200);
    const rows = async () => (await everything(server.db)).readings!.map((row) => JSON.stringify(row));
    const written = async (id: number, value: string) => {
      const before = new Set(await rows());
      const { body } = await correct(id, { value });
      return { id: body.id, rows: (await rows()).filter((row) => !before.has(row)).length };
    };
    // The usual correction; one that makes the highest rate of all; one that takes it away again.
    const usual = await written(ids[3]!, '131');
    const highest = await written(usual.id, '139');
    const usual_again = await written(highest.id, '130');
    expect([usual.rows, highest.rows, usual_again.rows]).toEqual([2, 2, 2]);
  });

  describe('relative readings', () => {
    const amount = (from: number, to: number, value: string) =>
      house.given(main, day(to), value, { reading_type: 'relative', period_start: day(from) });

    test('a corrected amount moves all later energy', async () => {
      const id = await amount(1, 2, '10');
      await amount(2, 3, '20');
      await amount(3, 4, '30');
      const { body } = await correct(id, { value: '1.5' });
      expect(body).toMatchObject({ reading_type: 'relative', period_start: day(1), value: '1.5' });
      expect([await days(1, 2), await days(1, 4), await days(2, 4)]).toEqual(['1.5', '51.5', '50']);
    });

    test('out of its own interval: 422; over a neighbour: 409; into free time: a gap', async () => {
      const id = await amount(2, 3, '10');
      const next = await amount(3, 4, '20');
      for (const to of [1, 2]) {
        expectProblem(await correct(id, { reading_timestamp: day(to) }), 'validation_failed', {
          errors: ['reading_timestamp'],
        });
      }
      expectProblem(await correct(id, { reading_timestamp: '2026-01-03T00:00:01Z' }), 'interval_overlap', {
        reading_id: next,
      });
      expect((await correct(id, { reading_timestamp: '2026-01-02T12:00:00Z' })).status).toBe(200);
      expect([await days(2, 4), await days(3, 4)]).toEqual([null, '20']);
      expect(await used(house, main, day(2), '2026-01-02T12:00:00Z')).toBe('10');
    });

    test('another beginning: earlier, later, and where the reading before is', async () => {
      await amount(1, 2, '10');
      const id = await amount(3, 4, '20');
      await amount(4, 5, '5');
      expect([await days(1, 4), await days(3, 4), await days(2, 3)]).toEqual([null, '20', null]);
      const early = await correct(id, { period_start: day(2) });
      expect([early.status, early.body.period_start, early.body.value]).toEqual([200, day(2), '20']);
      expect([await days(1, 4), await days(2, 5), await days(4, 5)]).toEqual(['30', '25', '5']);
      const open = (await correct(early.body.id, { period_start: null })).body;
      expect([open.period_start, await days(2, 4)]).toEqual([null, '20']);
      const late = (await correct(open.id, { period_start: '2026-01-03T12:00:00Z', value: '7' })).body;
      expect([await days(2, 4), await used(house, main, '2026-01-03T12:00:00Z', day(5))]).toEqual([
        null,
        '12',
      ]);
      const { items } = (await house.get(`/api/readings/${late.id}/revisions`)).body;
      expect(items.map((each: { period_start: string }) => each.period_start)).toEqual([
        day(3),
        day(2),
        null,
        '2026-01-03T12:00:00Z',
      ]);
    });

    test('a beginning at or after its end: 422; over the reading before: 409; both ends moved at once', async () => {
      const before = await amount(1, 2, '10');
      const id = await amount(2, 3, '20');
      const rows = await counts(server.db);
      for (const period_start of [day(3), day(4)])
        expectProblem(await correct(id, { period_start }), 'validation_failed', { errors: ['period_start'] });
      expectProblem(await correct(id, { period_start: '2026-01-01T12:00:00Z' }), 'interval_overlap', {
        reading_id: before,
      });
      expect(await counts(server.db)).toEqual(rows);
      const moved = await correct(id, { period_start: day(4), reading_timestamp: day(5) });
      expect([moved.status, await days(4, 5), await days(2, 4)]).toEqual([200, '20', null]);
    });

    test('one voided leaves a gap, and what follows stays known', async () => {
      await amount(1, 2, '10');
      const id = await amount(2, 3, '20');
      await amount(3, 4, '30');
      await drop(id);
      expect([await days(1, 4), await days(1, 2), await days(3, 4)]).toEqual([null, '10', '30']);
    });

    test('a meter that mixes both: registers and intervals in one segment', async () => {
      const first = await house.given(main, day(1), '100');
      const interval = await amount(1, 2, '10');
      const register = await house.given(main, day(3), '125');
      await house.given(main, day(4), '3', { reading_type: 'relative' });
      expect([await days(1, 2), await days(2, 3), await days(1, 4)]).toEqual(['10', '15', '28']);
      await correct(interval, { value: '30' });
      expect(await flagsOf(house, main)).toEqual([[], [], ['decreased'], []]);
      expect([await days(1, 2), await days(2, 3), await days(3, 4)]).toEqual(['30', null, '3']);
      await correct(register, { value: '140' });
      expect([await days(1, 2), await days(2, 3), await days(1, 4)]).toEqual(['30', '10', '43']);
      await drop(first);
      // Without the first register nobody knows what it showed at the end of the interval.
      expect([await days(1, 2), await days(2, 3), await days(3, 4)]).toEqual(['30', null, '3']);
    });
  });

  test('an inactive meter takes no corrections: 409', async () => {
    const [id] = await tens(1);
    await house.retire('meters', main);
    expectProblem(await correct(id!, { value: '1' }), 'meter_inactive');
    expectProblem(await drop(id!), 'meter_inactive');
  });
});
