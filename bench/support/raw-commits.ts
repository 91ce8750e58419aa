/** The limits of durable writes: how often the disk flushes, and how often the engine commits one row. */
import { closeSync, fdatasyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { barePostgres, bareSqlite, NO_HASH, noLeafHash } from './database.ts';
import type { Town } from './house.ts';

const COLUMNS = 'property_id, batch_id, meter_id, kind, reading_timestamp, value_wh, confirmed, leaf_hash';

/** Appends a page and flushes it, again and again. @returns flushes per second */
export function flushesPerSecond(folder: string, seconds: number): number {
  const path = join(folder, 'flush');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096, 7);
  const started_at = performance.now();
  let count = 0;
  for (; performance.now() - started_at < seconds * 1000; count += 1) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  const rate = (count / (performance.now() - started_at)) * 1000;
  closeSync(file);
  rmSync(path);
  return rate;
}

const BATCH = (town: Town) => `
  INSERT INTO batches (property_id, sequence, recorded_by_user_id, source, created_at, entry_count,
    merkle_root, hash)
  VALUES (${town.houses[0]!.property_id},
    (SELECT COALESCE(MAX(sequence), 0) + 1 FROM batches WHERE property_id = ${town.houses[0]!.property_id}),
    ${town.user_id}, 'manual', 0, 1, '${NO_HASH}', '${NO_HASH}') RETURNING id`;

/** One ledger entry a row. @param group rows that share a commit @returns rows per second */
export function sqliteRowsPerSecond(town: Town, group: number, seconds: number): number {
  const connection = bareSqlite(town.database.url);
  const { property_id, meters } = town.houses[0]!;
  const batch_id = Number(connection.prepare(BATCH(town)).get()?.id);
  const insert = connection.prepare(
    `INSERT INTO ledger_entries (${COLUMNS}) VALUES (?, ?, ?, 'absolute', ?, ?, 0, ${noLeafHash('sqlite')})`,
  );
  const [begin, commit] = ['BEGIN IMMEDIATE', 'COMMIT'].map((word) => connection.prepare(word));
  const started_at = performance.now();
  let count = 0;
  while (performance.now() - started_at < seconds * 1000) {
    begin!.run();
    for (let i = 0; i < group; i += 1) {
      count += 1;
      insert.run(property_id, batch_id, meters[count % meters.length]!.id, count, count);
    }
    commit!.run();
  }
  const rate = (count / (performance.now() - started_at)) * 1000;
  connection.close();
  return rate;
}

/** One ledger entry and one commit a row, on some connections at once. @returns rows per second */
export async function postgresRowsPerSecond(town: Town, clients: number, seconds: number): Promise<number> {
  const { property_id, meters } = town.houses[0]!;
  const connections: pg.Client[] = [];
  for (let i = 0; i < clients; i += 1) connections.push(await barePostgres(town.database.url));
  const { rows } = await connections[0]!.query(BATCH(town));
  const text = `INSERT INTO ledger_entries (${COLUMNS})
    VALUES ($1, $2, $3, 'absolute', $4, $5, 0, ${noLeafHash('postgres')})`;
  const started_at = performance.now();
  let count = 0;
  const client = async (connection: pg.Client) => {
    while (performance.now() - started_at < seconds * 1000) {
      count += 1;
      const meter_id = meters[count % meters.length]!.id;
      await connection.query({ name: 'i', text, values: [property_id, rows[0].id, meter_id, count, count] });
    }
  };
  await Promise.all(connections.map(client));
  const rate = (count / (performance.now() - started_at)) * 1000;
  await Promise.all(connections.map((connection) => connection.end()));
  return rate;
}

/**
 * Commits that an SQLite file in WAL mode has seen, modulo 2^32: the third word of the shared index counts them
 * (sqlite.org/walformat.html, iChange), so nobody has to ask the process that writes.
 */
export function sqliteCommits(url: string): number {
  const file = openSync(`${url.slice('sqlite:'.length)}-shm`, 'r');
  const word = Buffer.alloc(4);
  readSync(file, word, 0, 4, 8);
  closeSync(file);
  return word.readUInt32LE();
}
