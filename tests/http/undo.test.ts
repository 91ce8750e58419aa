/** Undo of a batch: what it did is gone, what was there before is back, in one step and visibly. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { project } from '../../src/server/projection/project.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf, used } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('undo on %s', (engine) => {
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
  afterEach(async () => {
    await expectSoundProjection(server.db);
    const { body } = await house.get(`/api/properties/${house.property_id}/ledger/verify`);
    expect(body).toMatchObject({ verified: true, fault: null });
  });

  const undo = (batch_id: number, body: object = { reason: 'x' }, of = house) =>
    house.post(`/api/properties/${of.property_id}/ledger/${batch_id}/undo`, body);
  const lastBatch = async (): Promise<number> =>
    (await house.get(`/api/properties/${house.property_id}/ledger?limit=1`)).body.items[0].id;
  /** Undoes what was done last. @returns the new batch */
  const undoLast = async () => {
    const { status, body } = await undo(await lastBatch());
    expect([status, body.detail]).toEqual([201, undefined]);
    return body;
  };
  const days = (from: number, to: number) => used(house, main, day(from), day(to));
  const drop = (path: string) => server.call('DELETE', `${path}?reason=wrong+meter`, { token: owner.token });
  /** The readings in force of the main meter, oldest first. */
  const inForce = async (): Promise<[string, string][]> => {
    const { body } = await house.get(`/api/readings/meter/${main}/history`);
    return body.items.map((r: Record<string, string>) => [r.reading_timestamp, r.value]).reverse();
  };
  const devices = async () => (await house.get(`/api/meters/${main}/devices`)).body.items;
  const replace = (at: string, final_value: string, initial_value: string, more = {}) =>
    house.post(`/api/meters/${main}/replacements`, { replaced_at: at, final_value, initial_value, ...more });
  const registers = async (...values: string[]) => {
    const ids: number[] = [];
    for (const [i, value] of values.entries()) ids.push(await house.given(main, day(i + 1), value));
    return ids;
  };

  test('of a new reading: it is voided; the answer is the batch that did it', async () => {
    const [, second] = await registers('100', '110', '130');
    const { batch_id } = (await house.get(`/api/readings/${second}`)).body;
    const { status, body } = await undo(batch_id, { reason: ' wrong meter ' });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.any(Number),
        property_id: house.property_id,
        sequence: 4,
        recorded_by_user_id: owner.id,
        recorded_by_api_key_id: null,
        source: 'manual',
        created_at: NOW,
        entry_count: 1,
        merkle_root: expect.stringMatching(/^[0-9a-f]{64}$/),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(await inForce()).toEqual([
      [day(1), '100'],
      [day(3), '130'],
    ]);
    expect(await days(1, 3)).toBe('30');
    const { items } = (await house.get(`/api/readings/${second}/revisions`)).body;
    expect(items.at(-1)).toMatchObject({ kind: 'void', reason: 'wrong meter', batch_id: body.id });
  });

  test('of an undo: it is back, with everything that was said of it', async () => {
    const more = { reading_type: 'relative', period_start: day(1), note: 'by phone' };
    const id = await house.given(main, day(2), '10', more);
    const before = (await house.get(`/api/readings/${id}`)).body;
    await undoLast();
    expect(await inForce()).toEqual([]);
    await undoLast();
    const [back] = (await house.get(`/api/readings/meter/${main}/history`)).body.items;
    expect(back).toMatchObject({ ...more, value: '10', reading_timestamp: day(2) });
    expect(back.id).not.toBe(before.id);
    expect(await days(1, 2)).toBe('10');
    await undoLast();
    expect(await inForce()).toEqual([]);
    await undoLast();
    expect(await inForce()).toEqual([[day(2), '10']]);
  });

  test('of a correction: value, time and note are as they were', async () => {
    const [, second] = await registers('100', '110', '130');
    const body = { value: '125', reading_timestamp: day(4), note: 'x', reason: 'y' };
    await house.patch(`/api/readings/${second}`, body);
    expect(await flagsOf(house, main)).toEqual([[], [], ['decreased']]);
    await undoLast();
    expect(await flagsOf(house, main)).toEqual([[], [], []]);
    expect([await days(1, 2), await days(2, 3)]).toEqual(['10', '20']);
    const [, back] = (await house.get(`/api/readings/meter/${main}/history`)).body.items;
    expect(back).toMatchObject({ value: '110', note: null, reason: 'x', reading_timestamp: day(2) });
  });

  test('of a void: the reading is in force again', async () => {
    const [first] = await registers('100', '110');
    await drop(`/api/readings/${first}`);
    expect(await days(1, 2)).toBeNull();
    await undoLast();
    expect(await days(1, 2)).toBe('10');
  });

  test('of a settled rollover and of a confirmation: the flag is back', async () => {
    const [, down] = await registers('99990', '15');
    await house.post(`/api/readings/${down}/rollover`, { digits: 5 });
    expect(await flagsOf(house, main)).toEqual([[], ['rolled_over']]);
    await undoLast();
    expect(await flagsOf(house, main)).toEqual([[], ['decreased']]);
    await undoLast();
    const kitchen = await house.submeter('kitchen');
    let last = 0;
    for (const [i, value] of ['0', '24', '48', '72', '9072'].entries())
      last = await house.given(kitchen, day(i + 1), value);
    await house.post(`/api/readings/${last}/confirm`, {});
    expect((await flagsOf(house, kitchen)).at(-1)).toEqual([]);
    await undoLast();
    expect((await flagsOf(house, kitchen)).at(-1)).toEqual(['implausible']);
  });

  test('of a replacement, and of its undo', async () => {
    await registers('100', '110', '3', '13');
    const wanted = { serial_number: 'B-2', digits: 2, multiplier: 5 };
    const { body: device } = await replace('2026-01-02T12:00:00Z', '115', '0', wanted);
    expect([await days(2, 3), await days(3, 4)]).toEqual(['20', '50']);
    await undoLast();
    expect(await flagsOf(house, main)).toEqual([[], [], ['decreased'], []]);
    expect([await days(2, 3), await days(3, 4), (await devices()).length]).toEqual([null, '10', 1]);
    await undoLast();
    expect([await days(2, 3), await days(3, 4)]).toEqual(['20', '50']);
    const [, back] = await devices();
    expect(back).toEqual({ ...device, id: back.id, reason: 'x' });
    // The call of the device and the undo of the batch undo each other too.
    await drop(`/api/meters/${main}/replacements/${back.id}`);
    expect((await devices()).length).toBe(1);
    await undoLast();
    expect([await days(3, 4), (await devices()).length]).toEqual(['50', 2]);
  });

  test('of what was said of a device: of the first, and of a later one', async () => {
    await registers('9990', '5');
    await house.say(main, { digits: 4 });
    await house.say(main, { multiplier: 7 });
    expect(await days(1, 2)).toBe('105');
    await undoLast();
    expect(await days(1, 2)).toBe('15');
    const [, , described] = (await house.get(`/api/properties/${house.property_id}/ledger`)).body.items;
    expectProblem(await undo(described.id), 'batch_superseded');
    await undoLast();
    expect(await days(1, 2)).toBe('105');

    await replace(day(3), '10', '0');
    await house.given(main, day(4), '2');
    await house.say(main, { multiplier: 1 });
    expect(await days(3, 4)).toBe('2');
    await undoLast();
    expect(await days(3, 4)).toBe('14');
  });

  test('of all that was ever said of a first device, then said anew: the old one stays away', async () => {
    await house.say(main, { multiplier: 7 });
    const { id: gone } = await undoLast();
    expect((await devices())[0]).toMatchObject({ id: null, multiplier: 1 });
    await house.say(main, { multiplier: 3 });
    const before = await counts(server.db);
    expectProblem(await undo(gone), 'device_described');
    expect(await counts(server.db)).toEqual(before);
    expect(await devices()).toMatchObject([{ multiplier: 3 }]);
    await undoLast();
    expect((await undo(gone)).status).toBe(201);
    expect(await devices()).toMatchObject([{ multiplier: 7 }]);
  });

  test('of an import over several meters, and of that undo', async () => {
    const kitchen = await house.submeter('kitchen');
    await registers('100');
    const lines = Array.from({ length: 28 }, (_, i) => `${day(i + 2)},${110 + i},${i}\n`);
    const csv = `timestamp,Main meter,kitchen\n${lines.join('')}`;
    const report = await server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
      token: owner.token,
      body: csv,
      headers: { 'content-type': 'text/csv' },
    });
    expect(report.status).toBe(201);
    const before = await inForce();
    expect(before.length).toBe(29);
    const { entry_count, source } = await undoLast();
    expect([entry_count, source]).toEqual([56, 'manual']);
    expect(await inForce()).toEqual([[day(1), '100']]);
    expect((await house.get(`/api/readings/meter/${kitchen}/history`)).body.total).toBe(0);
    await undoLast();
    expect(await inForce()).toEqual(before);
    expect(await used(house, kitchen, day(2), day(29))).toBe('27');
  });

  test('of a round of which one reading was corrected since: 409 that names it, and all of it stays', async () => {
    await house.submeter('kitchen');
    const round = await house.post('/api/readings/bulk', {
      property_id: house.property_id,
      reading_timestamp: day(1),
      main_meter_value: '100',
      submeter_readings: { kitchen: '10' },
    });
    const [{ batch_id }, kitchen] = round.body.items;
    const corrected = await house.patch(`/api/readings/${kitchen.id}`, { value: '11', reason: 'x' });
    const before = await counts(server.db);
    const answer = await undo(batch_id);
    expectProblem(answer, 'batch_superseded');
    expect(answer.body.detail).toContain(`entry ${corrected.body.id} (batch ${corrected.body.batch_id})`);
    expect(await counts(server.db)).toEqual(before);
    await undoLast();
    expectProblem(await undo(batch_id), 'batch_superseded');
  });

  test('twice: 409', async () => {
    await registers('100');
    const batch_id = await lastBatch();
    expect((await undo(batch_id)).status).toBe(201);
    expectProblem(await undo(batch_id), 'batch_superseded');
  });

  test('where something else was recorded at that instant since: 409 that names it', async () => {
    const [first] = await registers('100', '110');
    await drop(`/api/readings/${first}`);
    const voided = await lastBatch();
    const reading_id = await house.given(main, day(1), '105');
    const before = await counts(server.db);
    expectProblem(await undo(voided), 'reading_conflict', { reading_id });
    expect(await counts(server.db)).toEqual(before);

    const { body } = await house.patch(`/api/readings/${reading_id}`, {
      reading_timestamp: day(3),
      reason: 'x',
    });
    expect((await undo(voided)).status).toBe(201);
    const [back] = (
      await house.get(`/api/readings/meter/${main}/range?start_date=2025-01-01&end_date=2027-01-01`)
    ).body.items;
    expectProblem(await undo(body.batch_id), 'reading_conflict', { reading_id: back.id });
  });

  test('where an interval was recorded over it since: 409', async () => {
    const [first] = await registers('100');
    await drop(`/api/readings/${first}`);
    const more = { reading_type: 'relative', period_start: '2025-12-31T00:00:00Z' };
    const reading_id = await house.given(main, day(2), '9', more);
    expectProblem(
      await undo((await house.get(`/api/properties/${house.property_id}/ledger`)).body.items[1].id),
      'interval_overlap',
      { reading_id },
    );
  });

  test('another property’s batch, and none at all: 404; another’s property: 403', async () => {
    await registers('100');
    const mine = await lastBatch();
    const second = await newHouse(server, { owner });
    expectProblem(await undo(mine, undefined, second), 'not_found');
    expectProblem(await undo(999_999), 'not_found');
    const stranger = await newHouse(server);
    expectProblem(await undo(mine, undefined, stranger), 'forbidden');
    expect(await inForce()).toEqual([[day(1), '100']]);
  });

  test('in an inactive property, and of an inactive meter: 409', async () => {
    await registers('100');
    await house.retire('meters', main);
    expectProblem(await undo(await lastBatch()), 'meter_inactive');
    await house.retire('properties', house.property_id);
    expectProblem(await undo(await lastBatch()), 'property_inactive');
  });

  test('of more readings than a call takes arguments', async () => {
    await registers('100', '110');
    const meter = { id: main, property_id: house.property_id, name: 'Main meter', plausibility_factor: 10 };
    const from = Date.parse('2020-01-01T00:00:00Z');
    const removed = Array.from({ length: 700_000 }, (_, i) => from + i);
    await server.db.write((tx) => project(tx, { meter, added: [], removed }));
    expect(await days(1, 2)).toBe('10');
  });
});
