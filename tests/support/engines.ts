/** A fresh, migrated database per test file, on either engine. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { connect, type Database } from '../../src/server/db/connect.ts';
import { migrate } from '../../src/server/db/migrate.ts';

export const ENGINES = ['sqlite', 'postgres'] as const;
export type Engine = (typeof ENGINES)[number];

export interface FreshUrl {
  url: string;
  drop(): Promise<void>;
}

/** The address of an empty database that nobody else uses. @param template a PostgreSQL database to copy */
export async function freshUrl(engine: Engine, template?: string): Promise<FreshUrl> {
  if (engine === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'electric-'));
    return {
      url: `sqlite:${join(folder, 'electric.db')}`,
      drop: async () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  const maintenance = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: maintenance });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await run(`CREATE DATABASE ${name}${template ? ` TEMPLATE ${template}` : ''}`);
  const url = new URL(maintenance);
  url.pathname = name;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}

let migrated: Promise<string> | undefined;

/** Migrated once: to copy it takes a fraction of the time. @returns the name of a PostgreSQL database */
async function template(): Promise<string> {
  const { url } = await freshUrl('postgres');
  const db = await connect(url);
  await migrate(db, Date.now());
  await db.close();
  return new URL(url).pathname.slice(1);
}

/** A migrated database; `close` leaves nothing behind. */
export async function freshDatabase(engine: Engine): Promise<{ db: Database; close(): Promise<void> }> {
  if (engine === 'postgres') migrated ??= template();
  const { url, drop } = await freshUrl(engine, engine === 'postgres' ? await migrated : undefined);
  const db = await connect(url);
  if (engine === 'sqlite') await migrate(db, Date.now());
  return {
    db,
    async close() {
      await db.close();
      await drop();
    },
  };
}
