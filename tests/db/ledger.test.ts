/** The database itself keeps the ledger from being changed. */
import { CompiledQuery } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const COLUMNS =
  'id, property_id, batch_id, meter_id, kind, reading_timestamp, value_wh, confirmed, note, leaf_hash';

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
    'UPDATE ledger_entries SET leaf_hash = leaf_hash',
    'DELETE FROM ledger_entries',
    'DELETE FROM ledger_entries WHERE id = (SELECT MIN(id) FROM ledger_entries)',
    `INSERT INTO ledger_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ledger_entries WHERE 1 = 1
      ON CONFLICT (id) DO UPDATE SET value_wh = 0`,
    engine === 'sqlite'
      ? `INSERT OR REPLACE INTO ledger_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ledger_entries`
      : 'TRUNCATE ledger_entries',
    engine === 'sqlite'
      ? `REPLACE INTO ledger_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ledger_entries`
      : 'TRUNCATE meters CASCADE',
    "UPDATE batches SET hash = 'x'",
    'UPDATE batches SET recorded_by_user_id = recorded_by_user_id',
    'DELETE FROM batches',
    engine === 'sqlite' ? 'REPLACE INTO batches SELECT * FROM batches' : 'TRUNCATE batches CASCADE',
  ])('refuses %s', async (statement) => {
    const before = await everything(server.db);
    expect(before.ledger_entries!.length).toBe(2);
    await expect(run(statement)).rejects.toThrow(/(ledger_entries|batches): rows are only ever added/);
    expect(await everything(server.db)).toEqual(before);
  });

  test('what it hangs on cannot be taken away', async () => {
    const before = await everything(server.db);
    for (const table of ['properties', 'meters', 'users']) {
      await expect(run(`DELETE FROM ${table}`)).rejects.toThrow(/foreign key/i);
    }
    expect(await everything(server.db)).toEqual(before);
  });

  test.each([
    ['a value below zero', { value_wh: -1 }],
    ['a value that no register shows', { value_wh: 1_000_000_000_000 }],
    ['a kind that is none', { kind: 'replacement' }],
    ['a reading without a value', { value_wh: null }],
    ['a reading without an instant', { reading_timestamp: null }],
    ['a reading with a multiplier', { multiplier: 1 }],
    ['a device without a multiplier', { kind: 'device' }],
    ['a device that began below zero', { kind: 'device', multiplier: 1, initial_value_wh: -1 }],
    ['a void of nothing', { kind: 'void', reading_timestamp: null, value_wh: null }],
    ['a correction of what is not there', { supersedes_id: 999 }],
    ['a confirmation that is neither yes nor no', { confirmed: 2 }],
    ['a beginning for a register', { period_start: 1 }],
    ['a beginning after the end', { kind: 'relative', period_start: 1_900_000_000_000 }],
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
