/** Fills a store with years of readings by SQL alone, as every house's meters would have sent them: in order of time. */
import { JUDGED_AFTER } from '../../src/core/reading.ts';
import { bareSqlite, type Engine, NO_HASH, noLeafHash, pgRun } from './database.ts';
import type { Town } from './house.ts';
import { FIRST_MS, STEP_MS } from './readings.ts';

const CHUNKS = 12;

const BATCHES = `
  INSERT INTO batches
    (property_id, sequence, recorded_by_user_id, source, created_at, entry_count, merkle_root, hash)
  SELECT id, 1, 1, 'device', 0, 0, '${NO_HASH}', '${NO_HASH}' FROM properties`;

/**
 * Registers that never went down: energy is what they show. The chain is of the right size, its hashes are none.
 * @param steps a table of k = 0, 1, 2 …
 */
function inserts(engine: Engine, steps: string, meters: number): string[] {
  const entry_id = `k * ${meters} + m.id`;
  const instant = `${FIRST_MS} + k * ${STEP_MS}`;
  // The main meter counts more than its ten submeters together.
  const step_wh = `(CASE m.meter_type WHEN 'main_meter' THEN 2900 ELSE 137 + m.id % 97 END)`;
  const value = `k * ${step_wh}`;
  const rate_w = `CASE k WHEN 0 THEN NULL ELSE ${3_600_000 / STEP_MS} * ${step_wh} END`;
  const is_highest = `CASE k WHEN 1 THEN 1 ELSE 0 END`;
  const stretches = `CASE WHEN k <= ${JUDGED_AFTER} THEN k ELSE ${JUDGED_AFTER + 1} END`;
  return [
    `INSERT INTO ledger_entries
      (id, property_id, batch_id, meter_id, kind, reading_timestamp, value_wh, confirmed, leaf_hash)
      SELECT ${entry_id}, m.property_id, b.id, m.id, 'absolute', ${instant}, ${value}, 0, ${noLeafHash(engine)}
      FROM ${steps} CROSS JOIN meters AS m JOIN batches AS b ON b.property_id = m.property_id`,
    `INSERT INTO readings (property_id, meter_id, reading_timestamp, entry_id, reading_type, value_wh,
      confirmed, energy_wh, offset_wh, gap_ms, rate_w, stretches, is_highest, decreased, rolled_over, implausible)
      SELECT m.property_id, m.id, ${instant}, ${entry_id}, 0, ${value}, 0, ${value}, 0, 0, ${rate_w}, ${stretches}, ${is_highest}, 0, 0, 0
      FROM ${steps} CROSS JOIN meters AS m`,
  ];
}

/** Stretches of steps, so that no transaction outgrows the log. */
function chunks(steps: number): [number, number][] {
  const size = Math.ceil(steps / CHUNKS);
  return Array.from({ length: CHUNKS }, (_, i) => [i * size, Math.min((i + 1) * size, steps) - 1] as const)
    .filter(([from, to]) => from <= to)
    .map(([from, to]) => [from, to]);
}

function fillSqlite(url: string, steps: number, meters: number): void {
  const connection = bareSqlite(url);
  connection.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = 0; PRAGMA cache_size = -262144');
  connection.exec(BATCHES);
  for (const [from, to] of chunks(steps)) {
    const table = `(WITH RECURSIVE s (k) AS (VALUES (${from}) UNION ALL SELECT k + 1 FROM s WHERE k < ${to})
      SELECT k FROM s) AS steps`;
    for (const statement of inserts('sqlite', table, meters)) connection.exec(statement);
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }
  connection.close();
}

async function fillPostgres(url: string, steps: number, meters: number): Promise<void> {
  await pgRun(url, BATCHES);
  for (const [from, to] of chunks(steps)) {
    const table = `(SELECT generate_series(${from}::bigint, ${to}) AS k) AS steps`;
    // Foreign keys hold by construction: looking each of them up would take most of the time.
    const settings = 'SET session_replication_role = replica; SET synchronous_commit = off;';
    await pgRun(url, `${settings} ${inserts('postgres', table, meters).join(';')}`);
  }
  await pgRun(url, 'VACUUM ANALYZE');
}

/** @param steps readings of each meter @returns how many readings the store holds then */
export async function fill(engine: Engine, { database, houses }: Town, steps: number): Promise<number> {
  const meters = houses.reduce((sum, house) => sum + house.meters.length, 0);
  if (engine === 'sqlite') fillSqlite(database.url, steps, meters);
  else await fillPostgres(database.url, steps, meters);
  return steps * meters;
}
