/** All of a user's properties at a glance: right figures, and as many questions to the database for forty as for one. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counted } from '../support/statements.ts';

const NOW = '2026-06-15T12:00:00Z';
const DAY_MS = 86_400_000;

describe.each(ENGINES)('the dashboard on %s', (engine) => {
  let server: TestServer;
  let now_ms: number;
  let anna: Person;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms }, { ACCESS_TOKEN_EXPIRE_MINUTES: '1440' });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    now_ms = Date.parse(NOW);
    anna = await server.newPerson();
  });

  async function dashboard(who = anna) {
    const { status, body } = await server.call('GET', '/api/users/me/dashboard', { token: who.token });
    expect(status).toBe(200);
    return body;
  }
  const summaryOf = async ({ property_id }: House, who = anna) =>
    (await dashboard(who)).properties_summary.find(({ id }: { id: number }) => id === property_id);

  test('nobody without credentials', async () => {
    expectProblem(await server.call('GET', '/api/users/me/dashboard'), 'not_authenticated');
  });

  test('an empty account has the same shape', async () => {
    expect(await dashboard()).toEqual({
      properties_count: 0,
      meters_count: 0,
      readings_this_month: 0,
      latest_reading_date: null,
      attention_count: 0,
      properties_summary: [],
    });
  });

  test('a property nobody has read', async () => {
    const house = await newHouse(server, { owner: anna });
    await house.submeter('kitchen');
    expect(await dashboard()).toEqual({
      properties_count: 1,
      meters_count: 2,
      readings_this_month: 0,
      latest_reading_date: null,
      attention_count: 0,
      properties_summary: [
        {
          id: house.property_id,
          name: 'Villa Volt',
          meters_count: 2,
          latest_reading: null,
          consumption_this_month: null,
          consumption_previous_month: null,
          unmetered_this_month: null,
          attention_count: 0,
        },
      ],
    });
  });

  test('the month so far goes up to the last reading, the rest to where all of the house is known', async () => {
    const house = await newHouse(server, { owner: anna });
    const kitchen = await house.submeter('kitchen');
    const oven = await house.submeter('oven', { parent_meter_id: kitchen });
    await house.submeter('half', {
      sub_meter_kind: 'virtual',
      formula: [{ meter: 'kitchen', factor: '0.5' }],
    });
    const main = [
      ['2026-05-01', '100'],
      ['2026-06-01', '190'],
      ['2026-06-05', '200'],
      ['2026-06-11', '230'],
    ] as const;
    for (const [date, value] of main) await house.given(house.main_id, `${date}T00:00:00Z`, value);
    await house.given(kitchen, '2026-06-01T00:00:00Z', '10');
    expect(await summaryOf(house)).toMatchObject({ unmetered_this_month: null });
    await house.given(kitchen, '2026-06-05T00:00:00Z', '14');
    // Of the oven nothing is known: it hangs below the kitchen, and is no part of the rest of the house.
    await house.given(oven, '2026-06-02T00:00:00Z', '1');
    expect(await dashboard()).toEqual({
      properties_count: 1,
      meters_count: 4,
      readings_this_month: 6,
      latest_reading_date: '2026-06-11T00:00:00Z',
      attention_count: 0,
      properties_summary: [
        {
          id: house.property_id,
          name: 'Villa Volt',
          meters_count: 4,
          latest_reading: '2026-06-11T00:00:00Z',
          consumption_this_month: '40',
          consumption_previous_month: '90',
          unmetered_this_month: '6',
          attention_count: 0,
        },
      ],
    });
  });

  test('agrees with the consumption of the same month', async () => {
    const house = await newHouse(server, { owner: anna, timezone: 'Europe/Stockholm' });
    await house.given(house.main_id, '2026-04-20T00:00:00Z', '0');
    await house.given(house.main_id, '2026-05-12T00:00:00Z', '300');
    await house.given(house.main_id, '2026-06-10T00:00:00Z', '700');
    const known = async (start: string, end: string) =>
      (
        await house.get(
          `/api/readings/property/${house.property_id}/consumption?start_timestamp=${start}&end_timestamp=${end}`,
        )
      ).body.known_consumption;
    const summary = await summaryOf(house);
    expect(summary.consumption_this_month).toBe(await known('2026-05-31T22:00:00Z', NOW));
    expect(summary.consumption_previous_month).toBe(
      await known('2026-04-30T22:00:00Z', '2026-05-31T22:00:00Z'),
    );
    expect(Number(summary.consumption_this_month)).toBeGreaterThan(100);
  });

  test('a decrease takes its stretch out of what is known, and the rest is unknown over it', async () => {
    const house = await newHouse(server, { owner: anna });
    for (const [date, value] of [
      ['2026-06-01', '100'],
      ['2026-06-03', '120'],
      ['2026-06-05', '90'],
      ['2026-06-07', '95'],
    ] as const)
      await house.given(house.main_id, `${date}T00:00:00Z`, value);
    expect(await summaryOf(house)).toMatchObject({
      consumption_this_month: '25',
      unmetered_this_month: null,
      // The decrease, and that nobody has read it for a week.
      attention_count: 2,
    });
  });

  test('only what is known: a month without readings around it is null', async () => {
    const house = await newHouse(server, { owner: anna });
    await house.given(house.main_id, '2026-04-01T00:00:00Z', '0');
    await house.given(house.main_id, '2026-05-20T00:00:00Z', '49');
    expect(await summaryOf(house)).toMatchObject({
      consumption_this_month: null,
      consumption_previous_month: '19',
      unmetered_this_month: null,
    });
  });

  test("months are those of each property's time zone", async () => {
    now_ms = Date.parse('2026-06-30T23:00:00Z');
    anna = await server.newPerson();
    // In Auckland it is July already, in Los Angeles June, for eight hours more.
    const east = await newHouse(server, { owner: anna, timezone: 'Pacific/Auckland' });
    const west = await newHouse(server, { owner: anna, timezone: 'America/Los_Angeles' });
    for (const house of [east, west]) {
      await house.given(house.main_id, '2026-06-01T07:00:00Z', '0');
      await house.given(house.main_id, '2026-06-30T12:00:00Z', '100');
      await house.given(house.main_id, '2026-06-30T22:00:00Z', '101');
    }
    expect((await dashboard()).readings_this_month).toBe(2 + 3);
    expect(await summaryOf(east)).toMatchObject({ consumption_this_month: '1' });
    expect(await summaryOf(west)).toMatchObject({ consumption_this_month: '101' });
    // A clock that is a little ahead has read in the month to come.
    now_ms = Date.parse('2026-07-01T06:58:00Z');
    await west.given(west.main_id, '2026-07-01T07:00:00Z', '102');
    expect((await dashboard()).readings_this_month).toBe(2 + 3);
    now_ms = Date.parse('2026-07-01T07:00:00Z');
    expect(await summaryOf(west)).toMatchObject({
      consumption_this_month: null,
      consumption_previous_month: '102',
    });
    expect((await dashboard()).readings_this_month).toBe(2 + 1);
  });

  test('what is retired, voided or of somebody else does not count', async () => {
    const house = await newHouse(server, { owner: anna });
    const [kitchen, shed] = [await house.submeter('kitchen'), await house.submeter('shed')];
    const gone = await newHouse(server, { owner: anna });
    const theirs = await newHouse(server);
    await gone.given(gone.main_id, '2026-06-14T00:00:00Z', '1');
    await theirs.given(theirs.main_id, '2026-06-14T00:00:00Z', '1');
    await house.given(shed, '2026-06-13T00:00:00Z', '1');
    await house.given(kitchen, '2026-06-02T00:00:00Z', '1');
    const id = await house.given(kitchen, '2026-06-12T00:00:00Z', '2');
    const replaced = { replaced_at: '2026-06-12T12:00:00Z', final_value: '3', initial_value: '0' };
    expect((await house.post(`/api/meters/${kitchen}/replacements`, replaced)).status).toBe(201);
    await house.patch(`/api/readings/${id}`, { value: '2.5', reason: 'misread' });
    await house.given(house.main_id, '2026-05-31T23:59:59Z', '1');
    await house.retire('properties', gone.property_id);
    await house.retire('meters', shed);
    expect(await dashboard()).toMatchObject({
      properties_count: 1,
      meters_count: 2,
      readings_this_month: 2,
      latest_reading_date: '2026-06-12T00:00:00Z',
    });
  });

  test('a tenant is shown what a tenant may see', async () => {
    const house = await newHouse(server);
    const [flat, shop] = [await house.submeter('flat'), await house.submeter('shop')];
    for (const [meter, value] of [
      [house.main_id, 100],
      [flat, 10],
      [shop, 20],
    ] as const) {
      await house.given(meter, '2026-06-01T00:00:00Z', '0');
      await house.given(
        meter,
        meter === shop ? '2026-06-14T00:00:00Z' : '2026-06-10T00:00:00Z',
        String(value),
      );
    }
    // Something to look at in the shop, which is not the tenant's.
    await house.given(shop, '2026-06-14T06:00:00Z', '1');
    await join(house, anna, 'tenant', [flat]);
    const seen = {
      id: house.property_id,
      name: 'Villa Volt',
      meters_count: 1,
      latest_reading: '2026-06-10T00:00:00Z',
      consumption_this_month: null,
      consumption_previous_month: null,
      unmetered_this_month: null,
      attention_count: 0,
    };
    expect(await dashboard()).toEqual({
      properties_count: 1,
      meters_count: 1,
      readings_this_month: 2,
      latest_reading_date: '2026-06-10T00:00:00Z',
      attention_count: 0,
      properties_summary: [seen],
    });
    expect(await summaryOf(house, house.owner)).toMatchObject({
      meters_count: 3,
      consumption_this_month: '100',
      attention_count: 1,
    });
    // The main meter named is a meter like another: the figures of the house are not given with it.
    const { property_id, owner, main_id } = house;
    const become = (meter_ids: number[]) =>
      owner.client.setMember({ property_id, user_id: anna.id, body: { role: 'tenant', meter_ids } });
    await become([flat, main_id]);
    expect(await summaryOf(house)).toEqual({ ...seen, meters_count: 2 });
    await become([flat]);
    await house.patch(`/api/properties/${house.property_id}`, { share_totals_with_tenants: true });
    const shown = await summaryOf(house);
    expect(shown).toEqual({
      ...seen,
      consumption_this_month: '100',
      unmetered_this_month: expect.any(String),
    });
    expect(shown.unmetered_this_month).toBe((await summaryOf(house, house.owner)).unmetered_this_month);
  });

  test('counts what attention lists, after any history', async () => {
    const seed = 20_260_615;
    const random = new Random(seed);
    const houses: House[] = [];
    for (let i = 0; i < 6; i++) {
      const house = await newHouse(server, { owner: anna, timezone: i % 2 ? 'Asia/Tokyo' : 'UTC' });
      const meters = [house.main_id];
      for (let m = random.int(0, 3); m > 0; m--) {
        const parent = random.int(0, 1) ? { parent_meter_id: meters.at(-1) } : {};
        meters.push(await house.submeter(`m${m}`, meters.length > 1 ? parent : {}));
      }
      for (const meter of meters) {
        let value = random.int(0, 500);
        let at_ms = now_ms - random.int(20, 100) * DAY_MS;
        for (let n = random.int(0, 9); n > 0 && at_ms < now_ms; n--) {
          // Mostly upwards, sometimes far, sometimes down.
          value = Math.max(0, value + random.pick([5, 10, 20, 40, 5000, -30]));
          await house.record(meter, new Date(at_ms).toISOString(), String(value));
          at_ms += random.int(1, 9) * DAY_MS;
        }
      }
      houses.push(house);
    }
    const odd = await newHouse(server, { owner: anna });
    const shed = await odd.submeter('counts too much');
    for (const [date, main, sub] of [
      ['2026-05-14', '0', '0'],
      ['2026-06-14', '10', '12.5'],
    ] as const) {
      await odd.given(odd.main_id, `${date}T00:00:00Z`, main);
      await odd.given(shed, `${date}T00:00:00Z`, sub);
    }
    houses.unshift(odd);
    const tenant = await server.newPerson();
    for (const house of houses.slice(0, 4)) await join(house, tenant, 'tenant', [house.main_id]);
    const reader = await server.newPerson();
    for (const house of houses) await join(house, reader, 'reader');
    const seen = new Set<string>();
    for (const who of [anna, tenant, reader]) {
      const { properties_summary, attention_count } = await dashboard(who);
      let total = 0;
      for (const { id, attention_count: count, meters_count, latest_reading } of properties_summary) {
        const get = (path: string) => server.call('GET', path, { token: who.token });
        const { body } = await get(`/api/properties/${id}/attention`);
        expect([seed, id, count]).toEqual([seed, id, body.total]);
        total += body.total;
        for (const { code } of body.items) seen.add(code);
        expect(meters_count).toBe((await get(`/api/properties/${id}/meters`)).body.total);
        const { body: latest } = await get(`/api/readings/property/${id}/latest`);
        expect(latest_reading).toBe(latest.reading_timestamp);
      }
      expect(attention_count).toBe(total);
    }
    for (const code of ['decreased', 'implausible', 'overdue', 'submeters_exceed_main'])
      expect(seen).toContain(code);
  });

  test('asks the database the same for one property and for forty', async () => {
    const ask = async () => (await counted(engine, dashboard)).statements;
    const house = await newHouse(server, { owner: anna });
    await house.submeter('kitchen');
    await house.given(house.main_id, '2026-06-01T00:00:00Z', '1');
    const for_one = await ask();
    // The session, and seven of its own.
    expect(for_one.length).toBe(8);
    for (let i = 1; i < 40; i++) {
      const more = await newHouse(server, { owner: anna, timezone: i % 2 ? 'Asia/Tokyo' : 'UTC' });
      if (i % 3 === 0) await more.submeter('kitchen');
      for (let n = 1; n <= i % 5; n++)
        await more.given(more.main_id, `2026-06-${String(n).padStart(2, '0')}T00:00:00Z`, String(n % 3));
    }
    expect((await dashboard()).properties_count).toBe(40);
    expect(await ask()).toEqual(for_one);
  });
});
