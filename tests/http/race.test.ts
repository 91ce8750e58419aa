/** Many clients at once: the ledger ends as if they had come one by one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { type CallResult, PASSWORD, type Person, startServer, type TestServer } from '../support/server.ts';

const AT = '2026-01-01T00:00:00Z';
const CLIENTS = 24;

describe.each(ENGINES)('races on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  beforeAll(async () => {
    server = await startServer(engine);
    owner = await server.newPerson();
  });
  afterAll(() => server.close());

  const each = <T>(send: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: CLIENTS }, (_, i) => send(i)));
  function statuses(answers: CallResult[]): Record<number, number> {
    const found: Record<number, number> = {};
    for (const { status } of answers) found[status] = (found[status] ?? 0) + 1;
    return found;
  }
  const rowsOf = async (table: 'readings' | 'ledger_entries', { property_id }: House) =>
    server.db.read.selectFrom(table).selectAll().where('property_id', '=', property_id).execute();

  test('one meter, one instant, different values: exactly one is recorded', async () => {
    for (let round = 0; round < 4; round++) {
      const house = await newHouse(server, { owner });
      const answers = await each((i) => house.record(house.main_id, AT, `${i}`));
      expect(statuses(answers)).toEqual({ 201: 1, 409: CLIENTS - 1 });
      const winner = answers.find(({ status }) => status === 201)!.body;
      for (const { status, body } of answers) {
        if (status === 409) expect(body).toMatchObject({ code: 'reading_conflict', reading_id: winner.id });
      }
      expect((await rowsOf('ledger_entries', house)).map(({ id }) => id)).toEqual([winner.id]);
      expect((await rowsOf('readings', house)).map((row) => row.value_wh)).toEqual([
        Number(winner.value) * 1000,
      ]);
    }
  });

  test('one meter, one instant, one value: one is recorded, all get the same reading', async () => {
    const house = await newHouse(server, { owner });
    const answers = await each(() => house.record(house.main_id, AT, '5'));
    expect(statuses(answers)).toEqual({ 200: CLIENTS - 1, 201: 1 });
    for (const { body } of answers) expect(body).toEqual(answers[0]!.body);
    expect((await rowsOf('ledger_entries', house)).length).toBe(1);
    expect((await rowsOf('readings', house)).length).toBe(1);
  });

  test('rounds and single readings that cross: each is whole or not there', async () => {
    const house = await newHouse(server, { owner });
    const kitchen = await house.submeter('kitchen');
    const answers = await each((i) =>
      i % 2 === 0
        ? house.record(kitchen, AT, `${i}`)
        : house.post('/api/readings/bulk', {
            property_id: house.property_id,
            reading_timestamp: AT,
            main_meter_value: `${i}`,
            submeter_readings: { kitchen: `${i}` },
          }),
    );
    expect(statuses(answers)).toEqual({ 201: 1, 409: CLIENTS - 1 });
    const { body } = answers.find(({ status }) => status === 201)!;
    const recorded = (body.items ?? [body]).map(({ id }: { id: number }) => id);
    expect((await rowsOf('ledger_entries', house)).map(({ id }) => id).sort()).toEqual(recorded.sort());
    expect((await rowsOf('readings', house)).length).toBe(recorded.length);
  });

  test('out of order and all at once: the same projection as one by one, in order', async () => {
    // Registers that fall now and then, and hours of amounts between them: every kind of step, twice over.
    const readings = Array.from({ length: 60 }, (_, i) => {
      const at = (hour: number) => new Date(Date.parse(AT) + hour * 3_600_000).toISOString();
      return i % 5 === 3
        ? { at: at(i), value: '1.5', more: { reading_type: 'relative', period_start: at(i - 1) } }
        : { at: at(i), value: `${(i * 7) % 45}`, more: {} };
    });
    const orderly = await newHouse(server, { owner });
    for (const { at, value, more } of readings) await orderly.given(orderly.main_id, at, value, more);
    const crowded = await newHouse(server, { owner });
    const shuffled = readings.map((_, i) => readings[(i * 37) % readings.length]!);
    const answers = await Promise.all(
      shuffled.map(({ at, value, more }) => crowded.record(crowded.main_id, at, value, more)),
    );
    expect(statuses(answers)).toEqual({ 201: readings.length });

    const projection = async (house: House) =>
      (await rowsOf('readings', house))
        .map(({ property_id: _, meter_id: __, entry_id: ___, ...row }) => row)
        .sort((a, b) => a.reading_timestamp! - b.reading_timestamp!);
    const expected = await projection(orderly);
    expect(expected.length).toBe(readings.length);
    expect(expected.some(({ decreased }) => decreased === 1)).toBe(true);
    expect(await projection(crowded)).toEqual(expected);
    // The property's batches are numbered without a gap or a repeat: they are a chain.
    const batches = await server.db.read
      .selectFrom('batches')
      .select('sequence')
      .where('property_id', '=', crowded.property_id)
      .orderBy('sequence')
      .execute();
    expect(batches.map(({ sequence }) => sequence)).toEqual(readings.map((_, i) => i + 1));
  });

  test('writers of different properties do not disturb each other', async () => {
    const houses = [];
    for (let i = 0; i < 6; i++) houses.push(await newHouse(server, { owner }));
    const answers = await Promise.all(
      houses.flatMap((house) =>
        Array.from({ length: 10 }, (_, i) =>
          house.record(house.main_id, new Date(Date.parse(AT) + i * 60_000).toISOString(), `${i}`),
        ),
      ),
    );
    expect(statuses(answers)).toEqual({ 201: 60 });
    for (const house of houses) {
      const rows = await rowsOf('readings', house);
      expect(rows.map(({ energy_wh }) => energy_wh).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 10 }, (_, i) => i * 1000),
      );
    }
  });

  test('two imports of one file at once: one records it, the other finds it there', async () => {
    const house = await newHouse(server, { owner });
    const lines = Array.from({ length: 200 }, (_, i) => `2026-01-01T${clock(i)}Z,${i}`);
    const answers = await Promise.all(
      [1, 2, 3].map(() =>
        server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
          token: owner.token,
          headers: { 'content-type': 'text/csv' },
          body: `timestamp,Main meter\n${lines.join('\n')}\n`,
        }),
      ),
    );
    expect(statuses(answers)).toEqual({ 200: 2, 201: 1 });
    expect((await rowsOf('ledger_entries', house)).length).toBe(200);
  });
  const clock = (minutes: number) => new Date(minutes * 60_000).toISOString().slice(11, 19);

  test('one username, or one email address, registered by many: one gets it', async () => {
    const register = (username: string, email: string) =>
      server.call('POST', '/api/auth/register', { body: { username, email, password: PASSWORD } });
    const case_of = (i: number, word: string) => (i % 2 ? word : word.toUpperCase());
    const names = await each((i) => register(case_of(i, 'racer'), `racer${i}@example.com`));
    expect(statuses(names)).toEqual({ 201: 1, 409: CLIENTS - 1 });
    const emails = await each((i) => register(`racer-${i}`, case_of(i, 'one@example.com')));
    expect(statuses(emails)).toEqual({ 201: 1, 409: CLIENTS - 1 });
  });

  test('one submeter name taken by many: one gets it; one main meter', async () => {
    const house = await newHouse(server, { owner });
    const { property_id } = house;
    const named = await each((i) =>
      house.post('/api/meters/submeter', { property_id, name: i % 2 ? 'sauna' : 'SAUNA' }),
    );
    expect(statuses(named)).toEqual({ 201: 1, 409: CLIENTS - 1 });
    await house.retire('meters', house.main_id);
    const mains = await each(() => house.post('/api/meters/main', { property_id }));
    expect(statuses(mains)).toEqual({ 201: 1, 409: CLIENTS - 1 });
    const { body } = await house.get(`/api/properties/${property_id}/meters`);
    expect(body.total).toBe(2);
  });
});
