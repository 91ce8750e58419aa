/** What a tenant sees: the meters named in the membership, and nothing from which the others could be told. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { answersTo, everyGet, join, type Questions } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('a tenant on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let anna: Person;
  let house: House;
  /** Anna's flat, the boiler below it, her neighbour's shop, the shop's cellar, and two meters that are computed. */
  let flat: number;
  let boiler: number;
  let shop: number;
  let cellar: number;
  let half: number;
  let both: number;
  /** Every reading there is. */
  let readings: number[];
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
    anna = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    await house.patch(`/api/meters/${house.main_id}`, { name: 'canary main', location: 'canary gate' });
    flat = await house.submeter('flat', { location: 'upstairs' });
    boiler = await house.submeter('canary boiler', {
      parent_meter_id: flat,
      location: 'canary bath',
      device: { serial_number: 'canary-1', digits: 6 },
    });
    shop = await house.submeter('canary shop', { location: 'canary street' });
    cellar = await house.submeter('canary cellar', { parent_meter_id: shop });
    const formula = (meter: string) => [
      { meter, factor: '0.5' },
      { meter: 'flat', factor: '1' },
    ];
    half = await house.submeter('half', { sub_meter_kind: 'virtual', formula: formula('canary shop') });
    both = await house.submeter('canary both', {
      sub_meter_kind: 'virtual',
      formula: formula('canary main'),
    });
    readings = [];
    for (const [meter, from, to] of [
      [house.main_id, '7000.001', '7900.002'],
      [flat, '100', '340'],
      [boiler, '71.003', '91.004'],
      [shop, '7100.005', '7550.006'],
      [cellar, '72.007', '92.008'],
    ] as const) {
      const more = meter === flat ? {} : { note: 'canary note' };
      readings.push(
        await house.given(meter, day(1), from, more),
        await house.given(meter, day(31), to, more),
      );
    }
    await join(house, anna, 'tenant', [flat, half]);
  });

  const questions = (): Questions => ({
    params: {
      property_id: [house.property_id],
      meter_id: [house.main_id, flat, boiler, shop, cellar, half, both],
      reading_id: readings,
    },
    query: {
      reading_timestamp: [day(1), day(31)],
      start_timestamp: [day(1)],
      end_timestamp: [day(16), day(31)],
      start_date: ['2025-12-01'],
      end_date: ['2026-03-01'],
      interval: ['month'],
      include_inactive: ['true'],
      include_superseded: ['true'],
    },
  });
  const get = (path: string) => server.call('GET', path, { token: anna.token });
  const consumption = async (search = '') =>
    (
      await get(
        `/api/readings/property/${house.property_id}/consumption?start_timestamp=${day(1)}&end_timestamp=${day(31)}${search}`,
      )
    ).body;
  const share = (share_totals_with_tenants: boolean) =>
    house.patch(`/api/properties/${house.property_id}`, { share_totals_with_tenants });
  /** Registers of the others, and what follows from them. */
  const OTHERS =
    /canary|7[12]?0?00\.001|7900\.002|71\.003|91\.004|7100\.005|7550\.006|72\.007|92\.008|450\.001|20\.001|900\.001|"210"|"690\.001"|219\.999/;

  test('no answer of any route holds a word or a figure of another meter', async () => {
    const gets = everyGet(questions());
    const answers = await answersTo(server, anna, gets);
    for (const [path, { text }] of answers) expect([path, text.match(OTHERS)]).toEqual([path, null]);
    const shown = [...answers.values()].filter(({ status }) => status === 200);
    expect(shown.length).toBeGreaterThan(15);
    // The net is no wider than the fish: the owner is shown every one of them.
    const all = [...(await answersTo(server, owner, gets)).values()].map(({ text }) => text).join();
    for (const word of [
      'canary shop',
      'canary bath',
      'canary-1',
      'canary note',
      '7550.006',
      '450.001',
      '"210"',
    ])
      expect(all).toContain(word);
  });

  test('whatever happens to the others changes nothing in what a tenant is answered', async () => {
    const gets = everyGet(questions()).filter(({ name }) => name !== 'proveReading');
    const { property_id, main_id } = house;
    await house.post(`/api/properties/${property_id}/users/${anna.id}`, {
      role: 'tenant',
      meter_ids: [flat],
    });
    const before = await answersTo(server, anna, gets);
    const attic = await house.submeter('attic', { parent_meter_id: flat });
    await house.given(attic, day(15), '5');
    await house.given(shop, day(20), '7400');
    await house.given(main_id, '2026-02-05T00:00:00Z', '7901');
    await house.given(boiler, '2026-02-05T00:00:00Z', '3');
    await house.given(cellar, '2026-02-05T00:00:00Z', '99999');
    await house.patch(`/api/readings/${readings[7]}`, { value: '9000', reason: 'misread' });
    await server.call('DELETE', `/api/readings/${readings[9]}`, { token: owner.token });
    const replaced = { replaced_at: day(10), final_value: '7200', initial_value: '0', digits: 4 };
    await house.post(`/api/meters/${shop}/replacements`, replaced);
    await house.patch(`/api/meters/${main_id}`, { name: 'grid', location: 'gate', plausibility_factor: 2 });
    await house.patch(`/api/meters/${both}`, { formula: [{ meter: 'attic', factor: '2' }] });
    await house.retire('meters', cellar);
    await join(house, await server.newPerson(), 'tenant', [shop]);
    const after = await answersTo(server, anna, gets);
    for (const [path, answer] of before) expect([path, after.get(path)]).toEqual([path, answer]);
  });

  test('is answered with their own meters, and null for the house', async () => {
    const body = await consumption();
    expect(body).toMatchObject({
      main_meter_consumption: null,
      total_submetered_consumption: null,
      unmetered_consumption: null,
      imbalance: null,
      unmetered_uncertainty: null,
      known_consumption: null,
      coverage: null,
      estimated: false,
      warnings: [],
    });
    const own = { parent_meter_id: null, unmetered_consumption: null, coverage: 1, estimated: false };
    expect(body.submeters).toEqual([
      expect.objectContaining({
        ...own,
        meter_id: flat,
        start_value: '100',
        end_value: '340',
        consumption: '240',
      }),
      expect.objectContaining({ ...own, meter_id: half, start_value: null, consumption: '465' }),
    ]);
    const summary = await get(
      `/api/readings/property/${house.property_id}/summary?reading_timestamp=${day(1)}`,
    );
    const value = {
      meter_id: flat,
      name: 'flat',
      location: 'upstairs',
      value: '100',
      reading_id: readings[2],
    };
    expect(summary.body).toEqual({
      property_id: house.property_id,
      reading_timestamp: day(1),
      main_meter: null,
      submeters: [value],
      unmetered: null,
    });
    const listed = await get(`/api/properties/${house.property_id}/meters`);
    expect(listed.body).toMatchObject({
      items: [
        { id: flat, parent_meter_id: null, formula: null },
        { id: half, parent_meter_id: null, formula: null },
      ],
      total: 2,
    });
    const property = await get(`/api/properties/${house.property_id}`);
    expect(property.body).toMatchObject({ role: 'tenant', main_meter_id: null });
    expect((await get('/api/properties')).body.items.at(-1)).toMatchObject({ main_meter_id: null });
  });

  test('with shared totals sees the main meter’s and the unmetered figures, never a neighbour’s', async () => {
    await share(true);
    const body = await consumption();
    expect(body).toMatchObject({
      main_meter_consumption: '900.001',
      unmetered_consumption: '210',
      known_consumption: '900.001',
      coverage: 1,
      total_submetered_consumption: null,
      imbalance: null,
      unmetered_uncertainty: null,
    });
    expect(body.submeters.map(({ meter_id }: { meter_id: number }) => meter_id)).toEqual([flat, half]);
    const search = 'start_date=2026-01-01&end_date=2026-01-31&interval=month';
    const series = await get(`/api/properties/${house.property_id}/consumption/series?${search}`);
    expect(series.body.buckets).toMatchObject([
      { main_meter_consumption: '900.001', unmetered_consumption: '210', submeters: [{}, {}] },
    ]);
    const summary = await get(
      `/api/readings/property/${house.property_id}/summary?reading_timestamp=${day(31)}`,
    );
    expect(summary.body).toMatchObject({
      main_meter: { value: '7900.002' },
      submeters: [{ meter_id: flat }],
      unmetered: '9.996',
    });
    const neighbours =
      /shop|street|boiler|bath|cellar|canary note|7100\.005|7550\.006|71\.003|91\.004|72\.007|92\.008|20\.001/;
    for (const [path, { text }] of await answersTo(server, anna, everyGet(questions())))
      expect([path, text.match(neighbours)]).toEqual([path, null]);
    expectProblem(await get(`/api/meters/${house.main_id}`), 'forbidden');
    // The rest is estimated where a neighbour's end is; without the rest nobody is told.
    for (const meter of [house.main_id, flat])
      await house.given(meter, day(20), meter === flat ? '200' : '7500');
    const until = async () =>
      (
        await get(
          `/api/readings/property/${house.property_id}/consumption?start_timestamp=${day(1)}&end_timestamp=${day(20)}`,
        )
      ).body;
    await house.post(`/api/properties/${house.property_id}/users/${anna.id}`, {
      role: 'tenant',
      meter_ids: [flat],
    });
    expect(await until()).toMatchObject({ main_meter_consumption: '499.999', estimated: true });
    await share(false);
    expect((await until()).estimated).toBe(false);
    expect(await consumption()).toMatchObject({ main_meter_consumption: null, unmetered_consumption: null });
  });

  test('is not warned of the house, even with shared totals', async () => {
    await share(true);
    await house.patch(`/api/readings/${readings[7]}`, { value: '9999', reason: 'misread' });
    await house.given(house.main_id, day(20), '1');
    expect((await consumption()).warnings).toEqual([]);
    expect((await consumption(`&boundary=exact`)).warnings).toEqual([]);
    const search = 'start_date=2026-01-01&end_date=2026-02-01&interval=week';
    const series = await get(`/api/properties/${house.property_id}/consumption/series?${search}`);
    expect(series.body.warnings).toEqual([]);
    const { body } = await house.get(`/api/properties/${house.property_id}/attention`);
    expect(body.items.map(({ code }: { code: string }) => code)).toContain('decreased');
    const theirs = await get(`/api/properties/${house.property_id}/attention`);
    expect(theirs.body.items.every(({ meter_id }: { meter_id: number }) => meter_id === flat)).toBe(true);
  });

  test('is told of their own meter what there is to tell', async () => {
    await house.given(flat, '2026-02-05T00:00:00Z', '1');
    const { body } = await get(`/api/properties/${house.property_id}/attention`);
    const operations = ['correctReading', 'voidReading'].map((operation) => ({ operation }));
    expect(body.items[0]).toMatchObject({ code: 'decreased', meter_id: flat, actions: operations });
    const late = `/api/readings/property/${house.property_id}/consumption?start_timestamp=${day(31)}&end_timestamp=2026-02-05T00:00:00Z`;
    expect((await get(late)).body.warnings).toMatchObject([{ code: 'decreased', meter_id: flat }]);
    const latest = await get(`/api/readings/property/${house.property_id}/latest`);
    expect(latest.body).toMatchObject({ reading_timestamp: '2026-02-05T00:00:00Z', main_meter: null });
    const proof = await get(`/api/readings/${readings[2]}/proof`);
    expect(proof.status).toBe(200);
  });

  test('who sees a meter and all below it sees its rest; who sees a part of them does not', async () => {
    const users = `/api/properties/${house.property_id}/users/${anna.id}`;
    const rest = async () =>
      (await consumption()).submeters.find((row: { meter_id: number }) => row.meter_id === flat)
        .unmetered_consumption;
    await house.post(users, { role: 'tenant', meter_ids: [flat, boiler] });
    expect(await rest()).toBe('219.999');
    const sauna = await house.submeter('sauna', { parent_meter_id: flat });
    expect(await rest()).toBe(null);
    // Not even where the part is looked up for something else.
    const formula = [
      { meter: 'canary boiler', factor: '0.5' },
      { meter: 'sauna', factor: '1' },
    ];
    const warm = await house.submeter('warm', { sub_meter_kind: 'virtual', formula });
    for (const at of [day(1), day(31)]) await house.given(sauna, at, '5');
    await house.post(users, { role: 'tenant', meter_ids: [flat, warm] });
    expect((await consumption()).submeters).toMatchObject([
      { meter_id: flat, consumption: '240', unmetered_consumption: null },
      { meter_id: warm, consumption: '10' },
    ]);
  });

  test('the main meter, where it is named, is theirs; its rest is not', async () => {
    const users = `/api/properties/${house.property_id}/users/${anna.id}`;
    await house.post(users, { role: 'tenant', meter_ids: [house.main_id, flat] });
    expect(await consumption()).toMatchObject({
      main_meter_consumption: '900.001',
      coverage: 1,
      unmetered_consumption: null,
      imbalance: null,
      submeters: [{ meter_id: flat, parent_meter_id: house.main_id }],
    });
    expect((await get(`/api/properties/${house.property_id}`)).body.main_meter_id).toBe(house.main_id);
    const summary = await get(`/api/readings/property/${house.property_id}/latest`);
    expect(summary.body).toMatchObject({ main_meter: { value: '7900.002' }, unmetered: null });
  });

  test('what a computed meter is made of, and what could be computed, is not shown as the house’s', async () => {
    const users = `/api/properties/${house.property_id}/users/${anna.id}`;
    const formula = ['canary main', 'flat', 'canary shop'].map((meter) => ({ meter, factor: '1' }));
    const all = await house.submeter('all', { sub_meter_kind: 'virtual', formula });
    // The submeters exceed the main meter: there is an imbalance to hide.
    await house.patch(`/api/readings/${readings[1]}`, { value: '7300', reason: 'misread' });
    // What needs attention is told of the 31 days before the main meter's last reading.
    const before = '2025-12-31T00:00:00Z';
    for (const [id, value] of [
      [house.main_id, '6999'],
      [flat, '99'],
      [shop, '7099'],
    ] as const)
      await house.given(id, before, value);
    const HOUSE = {
      total_submetered_consumption: null,
      unmetered_consumption: null,
      imbalance: null,
      unmetered_uncertainty: null,
    };
    const main = { main_meter_consumption: null, known_consumption: null, coverage: null };
    await house.post(users, { role: 'tenant', meter_ids: [all] });
    expect(await consumption()).toMatchObject({ ...HOUSE, ...main, estimated: false, warnings: [] });
    expect((await consumption()).submeters).toMatchObject([{ meter_id: all, consumption: '990' }]);
    await house.post(users, { role: 'tenant', meter_ids: [house.main_id, flat, shop] });
    expect(await consumption()).toMatchObject({ ...HOUSE, main_meter_consumption: '299.999', warnings: [] });
    expect((await house.get(`/api/properties/${house.property_id}/attention`)).body.items[0].code).toBe(
      'submeters_exceed_main',
    );
    const { body } = await get(`/api/properties/${house.property_id}/attention`);
    expect(body.items.map(({ code }: { code: string }) => code)).not.toContain('submeters_exceed_main');
  });

  test('an import names only their own meters, and takes only those', async () => {
    const send = (body: string) =>
      server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
        token: anna.token,
        headers: { 'content-type': 'text/csv' },
        body,
      });
    const before = await counts(server.db);
    const hidden = await send(`timestamp,canary shop\n${day(5)},8000\n`);
    const absent = await send(`timestamp,canary none\n${day(5)},8000\n`);
    expectProblem(hidden, 'validation_failed', { errors: ['line 1'] });
    expect(hidden.body.errors[0].message.replace('shop', 'none')).toBe(absent.body.errors[0].message);
    expect(hidden.body.errors[0].message).toMatch(/: flat, half$/);
    expect(await counts(server.db)).toEqual(before);
    expect((await send(`timestamp,flat\n${day(5)},110\n`)).status).toBe(201);
  });

  test('an import that was under way when the meter was withdrawn records nothing', async () => {
    const users = `/api/properties/${house.property_id}/users/${anna.id}`;
    const before = await counts(server.db);
    const bytes = (text: string) => new TextEncoder().encode(text);
    let pulls = 0;
    // The first line is on its way, and the server has looked at the membership, when the second one is asked for.
    const body = new ReadableStream({
      async pull(controller) {
        pulls += 1;
        if (pulls === 1) return controller.enqueue(bytes('timestamp,flat\n'));
        await get(`/api/properties/${house.property_id}`);
        await house.post(users, { role: 'tenant', meter_ids: [half] });
        controller.enqueue(bytes(`${day(5)},110\n`));
        controller.close();
      },
    });
    const url = `${server.origin}/api/readings/import?property_id=${house.property_id}`;
    const headers = { authorization: `Bearer ${anna.token}`, 'content-type': 'text/csv' };
    const { status } = await fetch(url, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
    // 422 if the server began to read only when the meter was no longer hers.
    expect([403, 422]).toContain(status);
    expect(await counts(server.db)).toEqual(before);
  });
});
