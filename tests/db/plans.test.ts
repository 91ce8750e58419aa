/** The statements that must stay fast, however many readings there are: each finds its rows by the key. */
import { type CompiledQuery, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as attention from '../../src/server/attention/store.ts';
import * as consumption from '../../src/server/consumption/store.ts';
import type { Database } from '../../src/server/db/connect.ts';
import type { Db, Tx } from '../../src/server/db/tables.ts';
import * as devices from '../../src/server/devices/store.ts';
import * as ledger from '../../src/server/ledger/store.ts';
import * as projection from '../../src/server/projection/store.ts';
import * as readings from '../../src/server/readings/store.ts';
import * as users from '../../src/server/users/store.ts';
import { ENGINES, type Engine, freshDatabase } from '../support/engines.ts';
import { statementsOf } from '../support/queries.ts';

const METERS = 20;
const READINGS_PER_METER = 3000;
const BATCHES = 2000;
const HOUR_MS = 3_600_000;
const AT_MS = 1500 * HOUR_MS;

/** Two properties of ten meters each, read every hour; enough for a planner to tell a scan from a search. */
async function fill({ write }: Database, engine: Engine): Promise<void> {
  const series = (name: string, to: number) =>
    engine === 'sqlite'
      ? sql.raw(
          `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${to}) SELECT n FROM s) AS ${name}`,
        )
      : sql.raw(`generate_series(1, ${to}) AS ${name}(n)`);
  await write(async (tx) => {
    await sql`INSERT INTO users (id, username, username_folded, email, email_folded, password_hash, created_at)
      VALUES (1, 'a', 'a', 'a', 'a', 'x', 0)`.execute(tx);
    await sql`INSERT INTO properties (id, display_name, display_name_folded, timezone, currency, created_at)
      VALUES (1, 'a', 'a', 'UTC', 'EUR', 0), (2, 'b', 'b', 'UTC', 'EUR', 0)`.execute(tx);
    for (let id = 1; id <= METERS; id++) {
      const is_main = id <= 2;
      const property_id = 1 + (id % 2);
      await sql`INSERT INTO meters (id, property_id, parent_meter_id, name, name_folded, meter_type, sub_meter_kind, created_at)
        VALUES (${id}, ${property_id}, ${is_main ? null : 2 - (id % 2)}, ${`m${id}`}, ${`m${id}`},
          ${is_main ? 'main_meter' : 'sub_meter'}, ${is_main ? null : 'physical'}, 0)`.execute(tx);
    }
    await sql`INSERT INTO batches
        (id, property_id, sequence, recorded_by_user_id, source, created_at, entry_count, merkle_root, hash)
      SELECT n, 1 + n % 2, n, 1, 'import', 0, 1, 'x', 'x' FROM ${series('b', BATCHES)}`.execute(tx);
    const leaf_hash = sql.raw(engine === 'sqlite' ? `x'00'` : `'\\x00'`);
    await sql`INSERT INTO ledger_entries
        (id, property_id, batch_id, meter_id, kind, reading_timestamp, value_wh, confirmed, leaf_hash)
      SELECT (m.n - 1) * ${sql.lit(READINGS_PER_METER)} + r.n, 1 + m.n % 2, 1 + (m.n * 7919 + r.n) % ${sql.lit(BATCHES)}, m.n, 'absolute',
        CAST(r.n AS BIGINT) * ${sql.lit(HOUR_MS)}, r.n, 0, ${leaf_hash}
      FROM ${series('m', METERS)} CROSS JOIN ${series('r', READINGS_PER_METER)}`.execute(tx);
    await sql`INSERT INTO readings
        (property_id, meter_id, reading_timestamp, entry_id, reading_type, value_wh, confirmed, energy_wh, offset_wh,
          gap_ms, rate_w, stretches, is_highest, decreased, rolled_over, implausible)
      SELECT property_id, meter_id, reading_timestamp, id, 0, value_wh, 0, value_wh, 0, 0, 1, 4, CASE WHEN id % 600 = 0 THEN 1 ELSE 0 END,
        CASE WHEN id % 500 = 0 THEN 1 ELSE 0 END, 0, CASE WHEN id % 400 = 0 THEN 1 ELSE 0 END
      FROM ledger_entries`.execute(tx);
    await sql`INSERT INTO ledger_entries (id, property_id, batch_id, meter_id, kind, confirmed, supersedes_id, leaf_hash)
      SELECT id + 1000000, property_id, batch_id, meter_id, 'void', 0, id, leaf_hash
      FROM ledger_entries WHERE id % 20 = 0`.execute(tx);
    await sql`INSERT INTO ledger_entries
        (id, property_id, batch_id, meter_id, kind, reading_timestamp, multiplier, confirmed, leaf_hash)
      SELECT id + 2000000, property_id, batch_id, meter_id, 'device', reading_timestamp + 1, 1, 0, leaf_hash
      FROM ledger_entries WHERE kind = 'absolute' AND id % 300 = 7`.execute(tx);
    await sql`ANALYZE`.execute(tx);
  });
}

/** What the engine would do for a statement, a line for each step. */
async function planOf(db: Db, engine: Engine, query: CompiledQuery): Promise<string[]> {
  const explain = engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN';
  const { rows } = await db.executeQuery<Record<string, unknown>>({
    ...query,
    sql: `${explain} ${query.sql}`,
  });
  return rows.map((row) => String(row.detail ?? row['QUERY PLAN']));
}

/** A step that walks over all readings, all entries or all batches. */
const FULL_SCAN =
  /^SCAN (r|p|n|e|s|readings|ledger_entries|batches)\b|Seq Scan on (readings|ledger_entries|batches)\b/;
/** A step that finds rows by their key. */
const BY_KEY =
  /SEARCH \w+ USING (COVERING )?(INDEX|(INTEGER )?PRIMARY KEY)|(Index|Index Only|Bitmap Index) Scan (Backward )?(using|on) (readings|ledger_entries|batches)_\w+/;

const NEAR = [AT_MS, AT_MS + HOUR_MS, AT_MS + 2 * HOUR_MS];
const SPANS = [2, 4, 6].map((meter_id) => ({ meter_id, first_ms: AT_MS, last_ms: AT_MS + HOUR_MS }));
const METERS_OF_BOTH = [
  { property_id: 1, meter_id: 2 },
  { property_id: 1, meter_id: 4 },
  { property_id: 2, meter_id: 1 },
  { property_id: 2, meter_id: 3 },
];
const MONTH = { start_ms: AT_MS, end_ms: AT_MS + 720 * HOUR_MS };
const FIRST = { limit: 10, offset: 0 };
const RANGED = { property_id: 1, meter_ids: [2, 4], start_ms: AT_MS, end_ms: AT_MS + 500 * HOUR_MS };
const HOT: [string, (db: Db) => Promise<unknown>][] = [
  ['the reading before an instant', (db) => projection.readingBefore(db, 1, 2, AT_MS)],
  ['the readings from an instant on', (db) => projection.readingsFrom(db, 1, 2, AT_MS, 4)],
  ['the readings between two instants', (db) => projection.readingsBetween(db, 1, 2, AT_MS, AT_MS + HOUR_MS)],
  ['the readings around changes of meters', (db) => projection.readingsAround(db, 1, SPANS)],
  ['the last reading', (db) => projection.lastReading(db, 1, 2)],
  ['the reading at an instant', (db) => projection.readingAt(db, 1, 2, AT_MS)],
  ['later rates above one', (db) => projection.ratesAbove(db, 1, 2, AT_MS, 5, false, 4)],
  ['later rates above one that were judged', (db) => projection.ratesAbove(db, 1, 2, AT_MS, 5, true, 4)],
  ['the devices of a meter', (db) => ledger.devicesOf(db, 2)],
  ['the devices of meters', (db) => ledger.devicesOfMeters(db, [2, 4, 6])],
  ['an entry', (db) => ledger.findEntry(db, 4711)],
  ['some entries', (db) => ledger.findEntries(db, [17, 4711])],
  ['what supersedes an entry of a batch', (db) => ledger.successorOfBatch(db, 17)],
  ['a page of the entries of a batch', (db) => ledger.pagesOfBatch(db, 17).next()],
  ['the place of an entry in its batch', (db) => ledger.placeInBatch(db, { batch_id: 17, id: 4711 })],
  ['the trail of an entry', (db) => ledger.lineage(db, 4711)],
  ['the head of a chain', (db) => ledger.chainHead(db, 1)],
  ['a batch', (db) => ledger.findBatch(db, 17)],
  ['the next batches of a chain', (db) => ledger.batchesAfter(db, 1, 1000, 5)],
  ['the newest batches', (db) => ledger.listBatches(db, 1, null, { limit: 10, offset: 0 })],
  ['entries by their ids', (db) => readings.entriesById(db, [17, 4711])],
  ['the entries at an instant', (db) => readings.entriesAt(db, 1, AT_MS)],
  ['the latest instant of a property', (db) => readings.latestInstant(db, 1, [2, 4])],
  ['an older page of batches', (db) => ledger.listBatches(db, 1, 500, { limit: 10, offset: 0 })],
  ['what was superseded of a meter', (db) => readings.supersededEntries(db, 2)],
  ['a page of the history', (db) => readings.history(db, 1, 2, { limit: 10, offset: 0 })],
  ['an older page of it', (db) => readings.history(db, 1, 2, { ...FIRST, after: [AT_MS, 1] })],
  ['the highest register of a device', (db) => devices.highestRegister(db, 1, 2, AT_MS, AT_MS + HOUR_MS)],
  ['a range', (db) => readings.range(db, RANGED, FIRST)],
  ['a later page of it', (db) => readings.range(db, RANGED, { ...FIRST, after: [AT_MS + HOUR_MS, 2] })],
  ['how many there are in a range', (db) => readings.countRange(db, RANGED)],
  [
    'the readings around every boundary',
    (db) => consumption.neighboursAt(db, [{ property_id: 1, meter_ids: [2, 4, 6], instants_ms: NEAR }]),
  ],
  [
    'the readings around the boundaries of several properties',
    (db) =>
      consumption.neighboursAt(db, [
        { property_id: 1, meter_ids: [2, 4, 6], instants_ms: NEAR },
        { property_id: 2, meter_ids: [1, 3], instants_ms: [AT_MS] },
      ]),
  ],
  ['the last readings of several meters', (db) => attention.lastInstants(db, METERS_OF_BOTH, 13)],
  ['what nobody has settled', (db) => attention.flagged(db, [1, 2])],
  [
    'the readings of a month',
    (db) =>
      users.monthOf(
        db,
        METERS_OF_BOTH.map((meter) => ({ ...meter, ...MONTH })),
      ),
  ],
  ['the decreases of a period', (db) => consumption.decreasesIn(db, 1, [2, 4], AT_MS, AT_MS + HOUR_MS)],
];

describe.each(ENGINES)('plans on %s', (engine) => {
  let db: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ db, close } = await freshDatabase(engine));
    await fill(db, engine);
  });
  afterAll(() => close());

  test.each(HOT)('%s', async (_, use) => {
    const statements = await statementsOf(db.read, use);
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) {
      const plan = await planOf(db.read, engine, statement);
      expect(plan.join('\n')).toMatch(BY_KEY);
      expect(plan.filter((line) => FULL_SCAN.test(line.replace(/^[\s>-]+/, '')))).toEqual([]);
    }
  });

  const HIGHEST: [string, (db: Db) => Promise<unknown>][] = [
    ['before an instant', (db) => projection.readingBefore(db, 1, 2, AT_MS)],
    ['around changes of meters', (db) => projection.readingsAround(db, 1, SPANS)],
    [
      'at boundaries',
      (db) => consumption.neighboursAt(db, [{ property_id: 1, meter_ids: [2], instants_ms: NEAR }]),
    ],
    ['among later rates', (db) => projection.ratesAbove(db, 1, 2, AT_MS, 5, true, 4)],
  ];

  // By the primary key it would be as many steps as there are readings since.
  test.each(HIGHEST)('the highest rate is found in its own index: %s', async (_, use) => {
    const [statement] = await statementsOf(db.read, use);
    expect((await planOf(db.read, engine, statement!)).join('\n')).toContain('readings_rates');
  });

  test('the readings around a change are found between their bounds', async () => {
    const [statement] = await statementsOf(db.read, (recording) =>
      projection.readingsAround(recording, 1, SPANS),
    );
    const plan = (await planOf(db.read, engine, statement!)).join('\n');
    if (engine === 'sqlite')
      expect(plan).toMatch(/SEARCH r USING PRIMARY KEY \(.*reading_timestamp>\? AND reading_timestamp<\?\)/);
    else expect(plan).toMatch(/(Index|Bitmap Index) Scan (Backward )?(using|on) readings_pkey/);
  });

  test('moving what comes after a change', async () => {
    await db.write(async (tx) => {
      const shift = { energy_wh: 1, gap_ms: 0 };
      const [statement] = await statementsOf(tx, (recording) =>
        projection.shiftReadings(recording as Tx, 1, 2, 2995 * HOUR_MS, shift),
      );
      const plan = await planOf(tx, engine, statement!);
      expect(plan.join('\n')).toMatch(BY_KEY);
      expect(plan.filter((line) => FULL_SCAN.test(line.replace(/^[\s>-]+/, '')))).toEqual([]);
    });
  });

  test('a full scan would be noticed', async () => {
    const [statement] = await statementsOf(db.read, (recording) =>
      sql`SELECT SUM(value_wh) FROM readings WHERE value_wh > 5`.execute(recording),
    );
    const plan = await planOf(db.read, engine, statement!);
    expect(plan.some((line) => FULL_SCAN.test(line.replace(/^[\s>-]+/, '')))).toBe(true);
  });
});
