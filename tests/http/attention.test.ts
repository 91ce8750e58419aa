/** What a person should look at, and what settles it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-01T00:00:00Z';
const NO_FIGURES = {
  value: null,
  previous_value: null,
  consumption: null,
  imbalance: null,
  days: null,
  usual_days: null,
};

describe.each(ENGINES)('attention on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let now_ms = Date.parse(NOW);
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => now_ms });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    now_ms = Date.parse(NOW);
    house = await newHouse(server);
  });

  const attention = async () => (await house.get(`/api/properties/${house.property_id}/attention`)).body;
  const codes = async () => (await attention()).items.map((item: { code: string }) => item.code);
  const day = (n: number) => new Date(Date.UTC(2026, 3, n)).toISOString();

  test('nothing: the empty list', async () => {
    expect(await attention()).toEqual({ items: [], total: 0, limit: 100, offset: 0 });
  });

  test('a decrease, with the calls that settle it; each of them does', async () => {
    const device = { digits: 4 };
    for (const name of ['corrected', 'voided', 'rolled over', 'replaced']) {
      const id = await house.submeter(name, { device });
      await house.given(id, day(1), '5000');
      await house.given(id, day(20), '100');
    }
    const { items, total } = await attention();
    expect(total).toBe(4);
    const [{ meter_id, reading_id }] = items.slice(-1);
    expect(items.slice(-1)).toEqual([
      {
        code: 'decreased',
        meter_id,
        meter_name: 'replaced',
        reading_id,
        device_id: null,
        start_timestamp: '2026-04-01T00:00:00Z',
        end_timestamp: '2026-04-20T00:00:00Z',
        figures: { ...NO_FIGURES, value: '100', previous_value: '5000' },
        detail: expect.stringContaining('The register of replaced went down'),
        actions: [
          { operation: 'correctReading', method: 'PATCH', url: `/api/readings/${reading_id}` },
          { operation: 'voidReading', method: 'DELETE', url: `/api/readings/${reading_id}` },
          { operation: 'replaceDevice', method: 'POST', url: `/api/meters/${meter_id}/replacements` },
          { operation: 'settleRollover', method: 'POST', url: `/api/readings/${reading_id}/rollover` },
        ],
      },
    ]);
    const bodies = {
      correctReading: { value: '5100', reason: 'misread' },
      settleRollover: {},
      replaceDevice: { replaced_at: day(19), final_value: '5090', initial_value: '0' },
      voidReading: undefined,
    };
    const ways = {
      corrected: 'correctReading',
      voided: 'voidReading',
      'rolled over': 'settleRollover',
      replaced: 'replaceDevice',
    };
    for (const item of items) {
      const way = ways[item.meter_name as keyof typeof ways] as keyof typeof bodies;
      const { method, url } = item.actions.find(({ operation }: { operation: string }) => operation === way);
      const { token } = house.owner;
      const answer = await server.call(method, method === 'DELETE' ? `${url}?reason=wrong+meter` : url, {
        token,
        body: bodies[way],
      });
      expect([200, 201, 204]).toContain(answer.status);
    }
    expect(await codes()).toEqual([]);
  });

  test('an implausible rate, and its confirmation', async () => {
    now_ms = Date.parse('2026-04-05T12:00:00Z');
    for (const [i, value] of ['0', '10', '20', '30', '9030'].entries()) {
      await house.given(house.main_id, day(1 + i), value);
    }
    const { items } = await attention();
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      code: 'implausible',
      meter_id: house.main_id,
      start_timestamp: '2026-04-04T00:00:00Z',
      end_timestamp: '2026-04-05T00:00:00Z',
      figures: { ...NO_FIGURES, value: '9030', previous_value: '30', consumption: '9000' },
    });
    const confirm = items[0].actions.find(
      ({ operation }: { operation: string }) => operation === 'confirmReading',
    );
    expect((await house.post(confirm.url, {})).status).toBe(201);
    expect(await codes()).not.toContain('implausible');
  });

  test('submeters above the main meter, over the time before its last reading', async () => {
    const kitchen = await house.submeter('kitchen');
    for (const [id, value] of [
      [house.main_id, '10'],
      [kitchen, '12.5'],
    ] as const) {
      await house.given(id, '2026-04-01T00:00:00Z', '0');
      await house.given(id, '2026-05-02T00:00:00Z', value);
    }
    const { items } = await attention();
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      code: 'submeters_exceed_main',
      meter_id: house.main_id,
      start_timestamp: '2026-04-01T00:00:00Z',
      end_timestamp: '2026-05-02T00:00:00Z',
      figures: { ...NO_FIGURES, imbalance: '-2.5' },
    });
  });

  test('overdue after twice the usual interval, not before', async () => {
    now_ms = Date.parse('2026-04-01T00:00:00Z');
    const weekly = ['2026-03-04', '2026-03-11', '2026-03-18', '2026-03-25'];
    for (const [i, date] of weekly.entries())
      await house.given(house.main_id, `${date}T00:00:00Z`, String(i));
    now_ms = Date.parse('2026-04-08T00:00:00Z');
    expect(await codes()).toEqual([]);
    now_ms = Date.parse('2026-04-08T12:00:00Z');
    const { items } = await attention();
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      code: 'overdue',
      meter_id: house.main_id,
      start_timestamp: '2026-03-25T00:00:00Z',
      end_timestamp: null,
      figures: { ...NO_FIGURES, days: 14.5, usual_days: 7 },
    });
  });

  test('usual is what the last twelve intervals say, and those before them do not', async () => {
    const DAY_MS = 86_400_000;
    now_ms = Date.parse('2026-04-01T00:00:00Z');
    /** Reads a meter so many days apart, the last time at `now_ms`. */
    async function read(name: string, days: number[]): Promise<void> {
      const id = await house.submeter(name);
      let at_ms = now_ms - days.reduce((sum, n) => sum + n, 0) * DAY_MS;
      for (const [i, n] of [...days, 0].entries()) {
        await house.given(id, new Date(at_ms).toISOString(), String(i));
        at_ms += n * DAY_MS;
      }
    }
    await read('weekly, lately daily', [...Array(9).fill(7), 1, 1, 1]);
    await read('monthly, lately weekly', [...Array(14).fill(30), ...Array(12).fill(7)]);
    const due = async () => (await attention()).items.map((item: { meter_name: string }) => item.meter_name);
    now_ms += 14 * DAY_MS;
    expect(await due()).toEqual([]);
    now_ms += 1;
    expect(await due()).toEqual(['monthly, lately weekly', 'weekly, lately daily']);
  });

  test('the most important first, and in pages', async () => {
    const late = await house.submeter('late');
    for (const n of [1, 2, 3, 4]) await house.given(late, day(n), String(n));
    for (const [n, value] of [
      [1, '9'],
      [2, '8'],
    ] as const)
      await house.given(house.main_id, day(n), value);
    expect(await codes()).toEqual(['decreased', 'overdue']);
    const page = await house.get(`/api/properties/${house.property_id}/attention?limit=1&offset=1`);
    expect(page.body).toMatchObject({ items: [{ code: 'overdue' }], total: 2, limit: 1, offset: 1 });
  });
});
