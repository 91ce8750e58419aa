/** Empty databases for a bench, and bare connections to them: the engine's own speed is the limit. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

export type Engine = 'sqlite' | 'postgres';

/** Stands where a hash of the chain does, as long as one: an engine alone makes none. */
export const NO_HASH = '0'.repeat(64);

/** The same as bytes, as the engine writes them in a statement. */
export function noLeafHash(engine: Engine): string {
  return engine === 'sqlite' ? `x'${NO_HASH}'` : `'\\x${NO_HASH}'::bytea`;
}

/** What the benches work with. */
export interface Place {
  /** Temporary; removed at the end. */
  folder: string;
  /** Of the maintenance database; null: PostgreSQL is left out. */
  postgres_url: string | null;
  engines: Engine[];
  quick: boolean;
}

export interface EmptyDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Runs one bare statement on its own connection. */
export async function pgRun(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

export async function emptyDatabase(place: Place, engine: Engine): Promise<EmptyDatabase> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  if (engine === 'sqlite') {
    const folder = join(place.folder, name);
    mkdirSync(folder);
    return {
      url: `sqlite:${join(folder, 'electric.db')}`,
      drop: async () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  const maintenance = place.postgres_url!;
  await pgRun(maintenance, `CREATE DATABASE ${name}`);
  const url = new URL(maintenance);
  url.pathname = name;
  return {
    url: url.href,
    drop: async () => void (await pgRun(maintenance, `DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

/** A bare connection with the settings under which the server writes. */
export function bareSqlite(url: string): DatabaseSync {
  const connection = new DatabaseSync(url.slice('sqlite:'.length), { timeout: 5000 });
  connection.exec('PRAGMA journal_mode = wal; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1');
  connection.exec('PRAGMA cache_size = -16000');
  return connection;
}

export async function barePostgres(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
