/** Workbooks that are broken, something else, or mean harm: refused in a sentence that names the remedy, never a 500. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { good, REFUSED, rows, sheet } from '../support/hostile-workbooks.ts';
import { type House, newHouse } from '../support/house.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';
import { row, workbookBytes } from '../support/workbook.ts';

const NOW = '2026-06-15T12:00:00Z';
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

describe.each(ENGINES)('hostile workbooks on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
  });
  const upload = (body: unknown, query = '') =>
    server.call('POST', `/api/readings/import?property_id=${house.property_id}${query}`, {
      token: owner.token,
      headers: { 'content-type': XLSX },
      body,
    });

  test.each(REFUSED)('%s is refused, and nothing is changed', async (name, body, code, said) => {
    const before = await counts(server.db);
    const answer = await upload(await body(), name.startsWith('a wish') ? '&encoding=utf-8' : '');
    const [first] = answer.body.errors ?? [];
    expect([answer.body.code, first ? `${first.path}: ${first.message}` : answer.body.detail]).toEqual([
      code,
      expect.stringMatching(said),
    ]);
    expect(await counts(server.db)).toEqual(before);
  });

  test('the same workbook unharmed is read; what is wrong in the second sheet is told with its row', async () => {
    const { status, body } = await upload(await sheet(good));
    expect([status, body.recorded, body.plan.format]).toEqual([201, 2, 'xlsx']);
    const wrong = rows(row(2, '2026-02-01', 3), row(3, '2026-02-02', [`#REF!`, 'e']));
    const before = await counts(server.db);
    const answer = await upload(await workbookBytes({ sheets: { S: good, T: wrong } }));
    expect([answer.status, answer.body.errors]).toEqual([
      422,
      [
        {
          path: 'line 20000003: Main meter (kWh)',
          message: '(row 3 of sheet "T") must be a number with . before its decimals, not "#REF!"',
        },
      ],
    ]);
    expect(await counts(server.db)).toEqual(before);
  });
});
