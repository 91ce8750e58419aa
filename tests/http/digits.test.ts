/** A device cannot show more digits than it has: such a value, or such digits, are refused. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('digits on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let main: number;
  beforeAll(async () => {
    server = await startServer(engine);
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    main = house.main_id;
  });
  afterEach(() => expectSoundProjection(server.db));

  /** 422 for exactly these fields, with a message like this, and nothing is written. */
  async function refused(call: () => Promise<CallResult>, errors: string[], message: RegExp): Promise<void> {
    const before = await counts(server.db);
    const answer = await call();
    expectProblem(answer, 'validation_failed', { errors });
    for (const error of answer.body.errors) expect(error.message).toMatch(message);
    expect(await counts(server.db)).toEqual(before);
  }
  const TOO_MANY = /has 4 digits before the decimal point, the device of .* has 3: .*correct the digits/;
  const replace = (at: number, final_value: string, initial_value: string, more = {}) =>
    house.post(`/api/meters/${main}/replacements`, {
      ...{ replaced_at: day(at), final_value, initial_value },
      ...more,
    });
  const correct = (id: number, body: object) => house.patch(`/api/readings/${id}`, { reason: 'x', ...body });
  const correctDevice = (id: number, body: object) =>
    house.patch(`/api/meters/${main}/devices/${id}`, { reason: 'x', ...body });
  const upload = (type: string, body: string) =>
    server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
      ...{ token: owner.token, body, headers: { 'content-type': type } },
    });

  describe('a value', () => {
    beforeEach(() => house.say(main, { digits: 3 }));

    test('recorded: the last that fits, and the first that does not', async () => {
      await house.given(main, day(1), '999.999');
      await refused(() => house.record(main, day(2), '1000'), ['value'], TOO_MANY);
    });

    test('that was there before is the same reading; an amount is no register', async () => {
      await house.given(main, day(2), '5000', { reading_type: 'relative', period_start: day(1) });
      const kitchen = await house.submeter('kitchen');
      await house.given(kitchen, day(1), '5000');
      expect((await house.record(kitchen, day(1), '5000')).status).toBe(200);
    });

    test('of a round: every field', async () => {
      await house.submeter('kitchen', { device: { digits: 3 } });
      await house.submeter('attic');
      const round = {
        property_id: house.property_id,
        reading_timestamp: day(1),
        main_meter_value: '1234',
        submeter_readings: { kitchen: '5678', attic: '9999' },
      };
      const fields = ['main_meter_value', 'submeter_readings.kitchen'];
      await refused(() => house.post('/api/readings/bulk', round), fields, TOO_MANY);
    });

    test('of an import: every line', async () => {
      await house.submeter('kitchen', { device: { digits: 3 } });
      const csv = `timestamp,kitchen,Main meter\n${day(1)},1000,1\n${day(2)},1,2000\n${day(3)},2,3000\n`;
      const cells = ['line 2: kitchen', 'line 3: Main meter', 'line 4: Main meter'];
      await refused(() => upload('text/csv', csv), cells, TOO_MANY);
      const row = (at: number, value: string) =>
        JSON.stringify({ meter: 'main meter', reading_timestamp: day(at), value });
      const lines = [row(1, '1'), row(2, '2000'), row(3, '2')].join('\n');
      await refused(() => upload('application/x-ndjson', lines), ['line 2: value'], TOO_MANY);
    });

    test('of an import: a hundred of them are reported', async () => {
      const rows = Array.from(
        { length: 300 },
        (_, i) => `${new Date(Date.UTC(2026, 0, 1, i)).toISOString()},1000`,
      );
      const { body } = await upload('text/csv', `timestamp,Main meter\n${rows.join('\n')}`);
      expect([body.code, body.errors.length]).toEqual(['validation_failed', 100]);
    });

    test('corrected, or moved to the time of another device', async () => {
      const id = await house.given(main, day(1), '900');
      await refused(() => correct(id, { value: '1000' }), ['value'], TOO_MANY);
      await replace(3, '950', '0', { digits: 5 });
      const late = await house.given(main, day(4), '1200');
      await refused(() => correct(late, { reading_timestamp: day(2) }), ['reading_timestamp'], TOO_MANY);
      expect((await correct(late, { note: 'x' })).status).toBe(200);
    });

    test('the last of a device and the first of the next', async () => {
      await refused(() => replace(3, '1000', '0'), ['final_value'], TOO_MANY);
      await refused(() => replace(3, '1', '1000', { digits: 3 }), ['initial_value'], TOO_MANY);
      await refused(
        () => replace(3, '1000', '1000', { digits: 3 }),
        ['final_value', 'initial_value'],
        TOO_MANY,
      );
      const { id } = (await replace(3, '999', '999', { digits: 3 })).body;
      await refused(() => correctDevice(id, { final_value: '1000' }), ['final_value'], TOO_MANY);
      await refused(() => correctDevice(id, { initial_value: '1000' }), ['initial_value'], TOO_MANY);
    });

    test('a rollover to fewer digits than the register shows', async () => {
      const kitchen = await house.submeter('kitchen');
      await house.given(kitchen, day(1), '500');
      const down = await house.given(kitchen, day(2), '400');
      await refused(
        () => house.post(`/api/readings/${down}/rollover`, { digits: 2 }),
        ['digits'],
        /shows 400 kWh, and would begin again at 100 kWh/,
      );
    });
  });

  describe('digits', () => {
    const LEAVES = /leaves 1200 kWh at 2026-01-0\dT00:00:00Z to a device with 3 digits/;

    test('fewer than a reading in force shows, of the first device', async () => {
      const id = await house.given(main, day(1), '1200');
      const say = () => house.post(`/api/meters/${main}/devices`, { digits: 3 });
      await refused(say, ['digits'], LEAVES);
      await correct(id, { value: '120' });
      const { body } = await say();
      await correctDevice(body.id, { digits: 5 });
      await house.given(main, day(2), '1200');
      const [{ id: now }] = (await house.get(`/api/meters/${main}/devices`)).body.items;
      await refused(() => correctDevice(now, { digits: 3 }), ['digits'], LEAVES);
      expect((await correctDevice(now, { digits: 4 })).status).toBe(200);
    });

    test('fewer than the first or the last register of the device itself', async () => {
      const { id } = (await replace(2, '5', '1200')).body;
      await refused(() => correctDevice(id, { digits: 3 }), ['digits'], TOO_MANY);
      const kitchen = await house.submeter('kitchen');
      await house.post(`/api/meters/${kitchen}/replacements`, {
        ...{ replaced_at: day(3), final_value: '1200', initial_value: '0' },
      });
      await refused(() => house.post(`/api/meters/${kitchen}/devices`, { digits: 3 }), ['digits'], LEAVES);
    });

    test('of a device recorded behind readings of it', async () => {
      await house.given(main, day(3), '1200');
      await refused(() => replace(2, '5', '0', { digits: 3 }), ['digits'], LEAVES);
      // Before the reading it is another device that shows it.
      expect((await replace(4, '1300', '0', { digits: 3 })).status).toBe(201);
    });

    test('of a device whose time is corrected', async () => {
      await house.say(main, { digits: 3 });
      const { id } = (await replace(4, '900', '0', { digits: 5 })).body;
      await house.given(main, day(6), '1200');
      await refused(() => correctDevice(id, { installed_at: day(7) }), ['installed_at'], LEAVES);
      await house.say(main, { digits: 4 });
      const second = await house.submeter('second');
      await house.given(second, day(3), '1200');
      const url = `/api/meters/${second}`;
      const body = { replaced_at: day(4), final_value: '1300', initial_value: '0', digits: 3 };
      const device = (await house.post(`${url}/replacements`, body)).body;
      const earlier = { installed_at: day(2), reason: 'x' };
      await refused(() => house.patch(`${url}/devices/${device.id}`, earlier), ['installed_at'], LEAVES);
    });

    test('too few by an undo hold nobody up: what else is said of the device is taken', async () => {
      await house.say(main, { digits: 3 });
      const { id } = (await replace(2, '900', '0', { digits: 5 })).body;
      const beyond = await house.given(main, day(3), '1200');
      const path = `/api/meters/${main}/replacements/${id}?reason=x`;
      expect((await server.call('DELETE', path, { token: owner.token })).status).toBe(204);
      expect((await house.say(main, { serial_number: 'A-1' })).status).toBe(200);
      expect((await correct(beyond, { note: 'by phone' })).status).toBe(200);
      expect(await flagsOf(house, main)).toEqual([[]]);
    });
  });
});
