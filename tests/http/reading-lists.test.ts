/** Reading the ledger: summary, latest, history and range. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-15T12:00:00Z';
const T1 = '2026-01-01T00:00:00Z';
const T2 = '2026-01-02T00:00:00Z';

describe.each(ENGINES)('the ledger read back on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner, timezone: 'Europe/Stockholm' });
  });

  const summary = (at: string) =>
    house.get(
      `/api/readings/property/${house.property_id}/summary?reading_timestamp=${encodeURIComponent(at)}`,
    );
  const latest = () => house.get(`/api/readings/property/${house.property_id}/latest`);
  const value = (meter_id: number, name: string, value: string, location: string | null = null) => ({
    meter_id,
    name,
    location,
    value,
    reading_id: expect.any(Number),
  });

  describe('summary and latest', () => {
    let kitchen: number;
    let attic: number;
    let stove: number;
    beforeEach(async () => {
      kitchen = await house.submeter('kitchen', { location: 'ground floor' });
      attic = await house.submeter('attic');
      stove = await house.submeter('stove', { parent_meter_id: kitchen });
      await house.submeter('sum', { sub_meter_kind: 'virtual' });
    });

    test('empty is the same shape with nothing in it', async () => {
      const { property_id } = house;
      const empty = { property_id, main_meter: null, submeters: [], unmetered: null };
      const none = await latest();
      expect({ status: none.status, body: none.body }).toEqual({
        status: 200,
        body: { ...empty, reading_timestamp: null },
      });
      const at = await summary(T1);
      expect({ status: at.status, body: at.body }).toEqual({
        status: 200,
        body: { ...empty, reading_timestamp: T1 },
      });
    });

    test('every meter read at that instant; unmetered is the main meter minus its direct submeters', async () => {
      const main = await house.given(house.main_id, T1, '100');
      await house.given(kitchen, T1, '30.5');
      await house.given(attic, T1, '20');
      await house.given(stove, T1, '10');
      const { body } = await summary('2026-01-01T01:00:00+01:00');
      expect(body).toEqual({
        property_id: house.property_id,
        reading_timestamp: T1,
        main_meter: { ...value(house.main_id, 'Main meter', '100'), reading_id: main },
        submeters: [
          value(attic, 'attic', '20'),
          value(kitchen, 'kitchen', '30.5', 'ground floor'),
          value(stove, 'stove', '10'),
        ],
        unmetered: '49.5',
      });
      expect((await latest()).body).toEqual(body);
    });

    test('unmetered is null where a direct submeter was not read, or they exceed the main meter', async () => {
      await house.given(house.main_id, T1, '100');
      await house.given(kitchen, T1, '60');
      expect((await summary(T1)).body).toMatchObject({ submeters: [{ name: 'kitchen' }], unmetered: null });
      await house.given(attic, T1, '60');
      expect((await summary(T1)).body).toMatchObject({ unmetered: null });
      // A submeter that is not there any more is not missed.
      await house.retire('meters', attic);
      expect((await summary(T1)).body).toMatchObject({ submeters: [{ name: 'kitchen' }], unmetered: '40' });
    });

    test('latest is the last instant of any active meter, whatever the others show', async () => {
      await house.given(house.main_id, T1, '100');
      await house.given(attic, T2, '20');
      expect((await latest()).body).toEqual({
        property_id: house.property_id,
        reading_timestamp: T2,
        main_meter: null,
        submeters: [value(attic, 'attic', '20')],
        unmetered: null,
      });
      await house.retire('meters', attic);
      expect((await latest()).body).toMatchObject({ reading_timestamp: T1, main_meter: { value: '100' } });
    });

    test('exactly that instant: a millisecond beside it is empty', async () => {
      await house.given(house.main_id, T1, '100');
      expect((await summary('2026-01-01T00:00:00.001Z')).body.main_meter).toBeNull();
      expect((await summary('2025-12-31T23:59:59.999Z')).body.main_meter).toBeNull();
    });

    test('an offset whose + nobody escaped is understood', async () => {
      await house.given(house.main_id, T1, '100');
      const path = `/api/readings/property/${house.property_id}/summary`;
      const { body } = await house.get(`${path}?reading_timestamp=2026-01-01T01:00:00+01:00`);
      expect(body).toMatchObject({ reading_timestamp: T1, main_meter: { value: '100' } });
    });

    test.each(['', '?reading_timestamp=2026-01-01', '?reading_timestamp=2026-01-01T00:00:00'])(
      'summary%s: 422',
      async (query) => {
        const answer = await house.get(`/api/readings/property/${house.property_id}/summary${query}`);
        expectProblem(answer, 'validation_failed', { errors: ['reading_timestamp'] });
      },
    );
  });

  test('history: whole readings, newest first, page by page', async () => {
    const history = (query = '') => house.get(`/api/readings/meter/${house.main_id}/history${query}`);
    expect((await history()).body).toEqual({ items: [], total: 0, limit: 100, offset: 0, next_cursor: null });
    const recorded: number[] = [];
    // Recorded out of order; one of them went down.
    for (const [day, value] of [
      ['03', '30'],
      ['01', '10'],
      ['04', '25'],
      ['02', '20'],
    ] as const) {
      recorded.push(await house.given(house.main_id, `2026-01-${day}T00:00:00Z`, value));
    }
    await house.given(await house.submeter('kitchen'), T1, '1');
    const newest_first = [2, 0, 3, 1].map((i) => recorded[i]!);
    const items = [];
    for (const id of newest_first) items.push((await house.get(`/api/readings/${id}`)).body);
    expect(items[0].flags).toEqual(['decreased']);
    expect((await history()).body).toEqual({ items, total: 4, limit: 100, offset: 0, next_cursor: null });
    expect((await history('?limit=2&offset=1')).body).toEqual({
      items: items.slice(1, 3),
      total: 4,
      limit: 2,
      offset: 1,
      next_cursor: expect.any(String),
    });
    expect((await history('?offset=4')).body).toEqual({
      items: [],
      total: 4,
      limit: 100,
      offset: 4,
      next_cursor: null,
    });
    expectProblem(await history('?limit=1001'), 'validation_failed', { errors: ['limit'] });
  });

  describe('range', () => {
    const range = (query: string, of = `meter/${house.main_id}`) =>
      house.get(`/api/readings/${of}/range?${query}`);
    const instants = ({ body }: { body: { items: { reading_timestamp: string }[] } }) =>
      body.items.map(({ reading_timestamp }) => reading_timestamp);

    test('start inclusive, end exclusive, oldest first', async () => {
      for (const day of [3, 1, 2]) await house.given(house.main_id, `2026-01-0${day}T00:00:00Z`, `${day}`);
      const answer = await range('start_date=2026-01-01T00:00:00Z&end_date=2026-01-03T00:00:00Z');
      expect(instants(answer)).toEqual([T1, T2]);
      const items = [];
      for (const { id } of answer.body.items) items.push((await house.get(`/api/readings/${id}`)).body);
      expect(answer.body).toEqual({ items, total: 2, limit: 100, offset: 0, next_cursor: null });
    });

    test("a bare date is that day in the property's zone, daylight saving included", async () => {
      // 29 March 2026 has 23 hours in Stockholm, 25 October 2025 is the day before one of 25.
      const edges = [
        '2026-03-28T22:59:59Z',
        '2026-03-28T23:00:00Z',
        '2026-03-29T21:59:59Z',
        '2026-03-29T22:00:00Z',
        '2025-10-25T21:59:59Z',
        '2025-10-25T22:00:00Z',
        '2025-10-26T22:59:59Z',
        '2025-10-26T23:00:00Z',
      ];
      for (const at of edges) await house.given(house.main_id, at, '5');
      expect(instants(await range('start_date=2026-03-29&end_date=2026-03-30'))).toEqual(edges.slice(1, 3));
      expect(instants(await range('start_date=2025-10-26&end_date=2025-10-27'))).toEqual(edges.slice(5, 7));
      // A date and a timestamp may meet.
      expect(instants(await range('start_date=2026-03-29&end_date=2026-03-29T21:59:59Z'))).toEqual([
        edges[1],
      ]);
    });

    test('of a property: every active meter, by instant, then by meter', async () => {
      const kitchen = await house.submeter('kitchen');
      const gone = await house.submeter('gone');
      await newHouse(server, { owner: house.owner }).then((other) => other.given(other.main_id, T1, '7'));
      for (const meter_id of [kitchen, house.main_id, gone]) {
        await house.given(meter_id, T2, '2');
        await house.given(meter_id, T1, '1');
      }
      await house.retire('meters', gone);
      const of = `property/${house.property_id}`;
      const { body } = await range('start_date=2026-01-01&end_date=2026-01-31', of);
      expect(body.items.map((r: { meter_id: number; value: string }) => [r.meter_id, r.value])).toEqual([
        [house.main_id, '1'],
        [kitchen, '1'],
        [house.main_id, '2'],
        [kitchen, '2'],
      ]);
      expect(body).toMatchObject({ total: 4, limit: 100, offset: 0 });
      const page = await range('start_date=2026-01-01&end_date=2026-01-31&limit=1&offset=3', of);
      expect(page.body).toEqual({ items: [body.items[3]], total: 4, limit: 1, offset: 3, next_cursor: null });
      const single = await house.get(`/api/readings/${body.items[3].id}`);
      expect(single.body).toEqual(body.items[3]);
    });

    test.each([
      ['no end', 'start_date=2026-01-01', ['end_date']],
      ['start = end', 'start_date=2026-01-01&end_date=2026-01-01', ['end_date']],
      ['start > end', 'start_date=2026-01-02&end_date=2026-01-01', ['end_date']],
      [
        'the same instant, written twice',
        'start_date=2026-01-01&end_date=2025-12-31T23:00:00Z',
        ['end_date'],
      ],
      ['no offset', 'start_date=2026-01-01T00:00:00&end_date=2026-01-02', ['start_date']],
      ['no such day', 'start_date=2026-02-30&end_date=2026-03-02', ['start_date']],
      ['words', 'start_date=yesterday&end_date=today', ['start_date', 'end_date']],
      ['a limit of 0', 'start_date=2026-01-01&end_date=2026-01-02&limit=0', ['limit']],
    ])('%s: 422', async (_, query, errors) => {
      for (const of of [`meter/${house.main_id}`, `property/${house.property_id}`]) {
        expectProblem(await range(query, of), 'validation_failed', { errors });
      }
    });
  });
});
