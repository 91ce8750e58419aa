/** The limit of bulk inserts: the engine's own insert of the same rows into the same two tables, in one transaction. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareSqlite, type Engine, NO_HASH, pgRun } from './database.ts';
import type { House, Town } from './house.ts';
import type { MeterReading } from './readings.ts';

const ENTRY = 'id, property_id, batch_id, meter_id, kind, reading_timestamp, value_wh, confirmed, leaf_hash';
const READING =
  'property_id, meter_id, reading_timestamp, entry_id, reading_type, value_wh, confirmed, energy_wh, ' +
  'offset_wh, gap_ms, rate_w, stretches, is_highest, decreased, rolled_over, implausible';
const BATCH =
  'property_id, sequence, recorded_by_user_id, source, created_at, entry_count, merkle_root, hash';

/** What follows `energy_wh`: the rate is a kW. */
const REST = [0, 0, 1000, 4, 0, 0, 0, 0];

interface Insert {
  town: Town;
  house: House;
  readings: readonly MeterReading[];
}

const marks = (columns: string) => columns.replace(/\w+/g, '?');

function batchValues({ town, house, readings }: Insert): string {
  return `(${house.property_id}, 1, ${town.user_id}, 'import', ${Date.now()}, ${readings.length}, '${NO_HASH}', '${NO_HASH}')`;
}

/** Prepared statements, once for each row. @returns milliseconds, COMMIT included */
function insertSqlite(insert: Insert): number {
  const { town, house, readings } = insert;
  const connection = bareSqlite(town.database.url);
  const entry = connection.prepare(`INSERT INTO ledger_entries (${ENTRY}) VALUES (${marks(ENTRY)})`);
  const reading = connection.prepare(`INSERT INTO readings (${READING}) VALUES (${marks(READING)})`);
  const { property_id } = house;
  const leaf_hash = Buffer.from(NO_HASH, 'hex');
  let entry_id = Number(
    connection.prepare('SELECT COALESCE(MAX(id), 0) AS id FROM ledger_entries').get()?.id,
  );
  const started_at = performance.now();
  connection.exec('BEGIN IMMEDIATE');
  connection.exec(`INSERT INTO batches (${BATCH}) VALUES ${batchValues(insert)}`);
  const batch_id = Number(connection.prepare('SELECT last_insert_rowid() AS id').get()?.id);
  for (const { meter_id, reading_timestamp, value_wh } of readings) {
    entry_id += 1;
    entry.run(
      ...[entry_id, property_id, batch_id, meter_id, 'absolute', reading_timestamp, value_wh, 0, leaf_hash],
    );
    reading.run(property_id, meter_id, reading_timestamp, entry_id, 0, value_wh, 0, value_wh, ...REST);
  }
  connection.exec('COMMIT');
  const took_ms = performance.now() - started_at;
  connection.close();
  return took_ms;
}

/** COPY from files on the server's own disk: no driver, no network. @returns milliseconds, COMMIT included */
async function insertPostgres(insert: Insert): Promise<number> {
  const { town, house, readings } = insert;
  const { property_id } = house;
  const { url } = town.database;
  const { rows } = await pgRun(
    url,
    `INSERT INTO batches (${BATCH}) VALUES ${batchValues(insert)} RETURNING id,
      (SELECT COALESCE(MAX(id), 0) FROM ledger_entries) AS entry_id`,
  );
  const batch_id = rows[0].id;
  const first_id = Number(rows[0].entry_id) + 1;
  // The server runs as a user of its own and reads the files itself.
  const folder = mkdtempSync(join(tmpdir(), 'electric-copy-'));
  chmodSync(folder, 0o755);
  const entries = readings.map((r, i) =>
    [
      ...[first_id + i, property_id, batch_id, r.meter_id, 'absolute', r.reading_timestamp, r.value_wh, 0],
      `\\\\x${NO_HASH}`,
    ].join('\t'),
  );
  const projected = readings.map((r, i) =>
    [
      ...[property_id, r.meter_id, r.reading_timestamp, first_id + i, 0, r.value_wh, 0, r.value_wh],
      ...REST,
    ].join('\t'),
  );
  writeFileSync(join(folder, 'entries'), `${entries.join('\n')}\n`, { mode: 0o644 });
  writeFileSync(join(folder, 'readings'), `${projected.join('\n')}\n`, { mode: 0o644 });
  const started_at = performance.now();
  await pgRun(
    url,
    `BEGIN; COPY ledger_entries (${ENTRY}) FROM '${folder}/entries';
      COPY readings (${READING}) FROM '${folder}/readings'; COMMIT`,
  );
  const took_ms = performance.now() - started_at;
  rmSync(folder, { recursive: true });
  return took_ms;
}

export async function rawInsert(engine: Engine, insert: Insert): Promise<number> {
  return engine === 'sqlite' ? insertSqlite(insert) : insertPostgres(insert);
}
