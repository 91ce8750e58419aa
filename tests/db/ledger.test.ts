/** The database itself keeps the ledger from being changed. */
import { CompiledQuery } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const COLUMNS =
  'id, property_id, batch_id, meter_id, reading_timestamp, is_relative, value_wh, period_start, note';

describe.each(ENGINES)('ledger_entries on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(engine);
    const house = await newHouse(server);
    await house.given(house.main_id, '2026-01-01T00:00:00Z', '1');
    await house.given(house.main_id, '2026-01-02T00:00:00Z', '2');
  });
  afterAll(() => server.close());
  const run = (statement: string) => server.db.write((tx) => tx.executeQuery(CompiledQuery.raw(statement)));

  test.each([
    'UPDATE ledger_entries SET value_wh = 0',
    "UPDATE ledger_entries SET note = 'x' WHERE id = (SELECT MIN(id) FROM ledger_entries)",
    'UPDATE ledger_entries SET value_wh = value_wh',
    'DELETE FROM ledger_entries',
    'DELETE FROM ledger_entries WHERE id = (SELECT MIN(id) FROM ledger_entries)',
    `INSERT INTO ledger_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ledger_entries WHERE 1 = 1
      ON CONFLICT (id) DO UPDATE SET value_wh = 0`,
    engine === 'sqlite'
      ? `INSERT OR REPLACE INTO ledger_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ledger_entries`
      : 'TRUNCATE ledger_entries',
    engine === 'sqlite'
      ? `REPLACE INTO ledger_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ledger_entries`
      : 'TRUNCATE batches CASCADE',
  ])('refuses %s', async (statement) => {
    const before = await everything(server.db);
    expect(before.ledger_entries!.length).toBe(2);
    await expect(run(statement)).rejects.toThrow('ledger_entries: rows are only ever added');
    expect(await everything(server.db)).toEqual(before);
  });

  test('what it hangs on cannot be taken away', async () => {
    const before = await everything(server.db);
    for (const table of ['batches', 'meters']) {
      await expect(run(`DELETE FROM ${table}`)).rejects.toThrow(/foreign key/i);
    }
    expect(await everything(server.db)).toEqual(before);
  });

  test.each([
    ['a value below zero', { value_wh: -1 }],
    ['a value that no register shows', { value_wh: 1_000_000_000_000 }],
    ['a type that is none', { is_relative: 2 }],
    ['a beginning for a register', { period_start: 1 }],
    ['a beginning after the end', { is_relative: 1, period_start: 1_900_000_000_000 }],
    ['a meter that is not there', { meter_id: 999 }],
    ['a batch that is not there', { batch_id: 999 }],
  ])('refuses %s', async (_, change) => {
    const { id: __, ...entry } = await server.db.read
      .selectFrom('ledger_entries')
      .selectAll()
      .orderBy('id')
      .limit(1)
      .executeTakeFirstOrThrow();
    const insert = (more: object) =>
      server.db.write((tx) =>
        tx
          .insertInto('ledger_entries')
          .values({ ...entry, ...more })
          .execute(),
      );
    const before = await everything(server.db);
    await expect(insert(change)).rejects.toThrow(/constraint/i);
    expect(await everything(server.db)).toEqual(before);
  });
});
