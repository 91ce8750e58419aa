/** Pages of large collections by cursor: nothing twice, nothing left out, whatever is recorded meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';

const at = (hour: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + hour * 3_600_000).toISOString();
const HOURS = 12;

describe.each(ENGINES)('cursors on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let flat: number;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
    flat = await house.submeter('flat');
    const lines = Array.from({ length: HOURS }, (_, i) => `${at(i)},${100 + i},${i % 3 ? 10 + i : ''}`);
    const { property_id } = house;
    await house.owner.client.importReadings({
      property_id,
      content_type: 'text/csv',
      upload: ['timestamp,Main meter,flat', ...lines].join('\n'),
    });
    await house.given(flat, at(100), '99');
  });
  afterAll(() => server.close());

  const lists = (): [string, string][] => [
    ['history', `/api/readings/meter/${house.main_id}/history?`],
    ['history with what was superseded', `/api/readings/meter/${flat}/history?include_superseded=true&`],
    ['range of a meter', `/api/readings/meter/${flat}/range?start_date=2026-01-01&end_date=2027-01-01&`],
    [
      'range of a property',
      `/api/readings/property/${house.property_id}/range?start_date=${at(1)}&end_date=2027-01-01&`,
    ],
    ['batches', `/api/properties/${house.property_id}/ledger?`],
  ];
  const ids = ({ items }: { items: { id: number }[] }) => items.map(({ id }) => id);

  /** Everything, a few at a time. */
  async function walk(path: string, limit: number): Promise<number[]> {
    const found: number[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await house.get(`${path}limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`);
      found.push(...ids(body));
      cursor = body.next_cursor;
    } while (cursor !== null);
    return found;
  }

  test.each([1, 2, 3, 7, 1000])('pages of %d are together the whole list, in its order', async (limit) => {
    // Of two entries at one instant, one superseded: pages may end between them.
    const { body } = await house.get(`/api/readings/meter/${flat}/history?limit=1`);
    const [newest] = body.items;
    const value = String(Number(newest.value) + 1);
    await house.patch(`/api/readings/${newest.id}`, { value, reason: 'misread' });
    for (const [name, path] of lists()) {
      const whole = (await house.get(`${path}limit=1000`)).body;
      expect(whole.total).toBe(whole.items.length);
      expect([name, await walk(path, limit)]).toEqual([name, ids(whole)]);
    }
  });

  test('what is recorded between two pages moves nothing, and total stays', async () => {
    const other = await newHouse(server);
    for (const hour of [1, 3, 5, 7]) await other.given(other.main_id, at(hour), String(hour));
    const period = 'start_date=2026-01-01&end_date=2027-01-01';
    const path = `/api/readings/property/${other.property_id}/range?${period}&limit=2`;
    const first = (await other.get(path)).body;
    for (const hour of [0, 4, 8]) await other.given(other.main_id, at(hour), String(hour));
    const second = (await other.get(`${path}&cursor=${first.next_cursor}`)).body;
    const values = (page: { items: { value: string }[] }) => page.items.map(({ value }) => value);
    expect([values(first), values(second)]).toEqual([
      ['1', '3'],
      ['4', '5'],
    ]);
    expect([first.total, second.total]).toEqual([4, 4]);
  });

  test('a cursor belongs to its list and its filters, and says alone where to begin', async () => {
    for (const [, path] of lists()) {
      const { next_cursor } = (await house.get(`${path}limit=1`)).body;
      for (const [, other] of lists()) {
        const answer = await house.get(`${other}limit=1&cursor=${next_cursor}`);
        if (other === path) expect(answer.status).toBe(200);
        else expectProblem(answer, 'validation_failed', { errors: ['cursor'] });
      }
      const both = await house.get(`${path}offset=1&cursor=${next_cursor}`);
      expectProblem(both, 'validation_failed', { errors: ['offset'] });
    }
    const [, path] = lists()[0]!;
    const forge = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [question] = JSON.parse(
      Buffer.from((await house.get(`${path}limit=1`)).body.next_cursor, 'base64url').toString(),
    );
    for (const cursor of [
      'x',
      '%00',
      forge(null),
      forge([]),
      forge([question, 1]),
      forge([question, 1, 'a', 2]),
    ]) {
      expectProblem(await house.get(`${path}cursor=${cursor}`), 'validation_failed', { errors: ['cursor'] });
    }
  });
});
