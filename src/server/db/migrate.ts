/** Brings a database to this version's schema: numbered, forward only, each in one transaction. */
import { CompiledQuery, sql } from 'kysely';
import { type Database, DatabaseUnusable } from './connect.ts';
import { lockMigrations, schemaWords } from './dialect.ts';
import { ledger } from './migrations/001-ledger.ts';
import { accounts } from './migrations/002-accounts.ts';
import { requests } from './migrations/003-requests.ts';
import { people } from './migrations/004-people.ts';
import { profile } from './migrations/005-profile.ts';
import { jobs } from './migrations/006-jobs.ts';
import { deletion } from './migrations/007-deletion.ts';
import { deviceInput } from './migrations/008-device-input.ts';
import { batchPages } from './migrations/009-batch-pages.ts';
import { photos } from './migrations/010-photos.ts';
import type { Migration } from './migrations/migration.ts';
import type { Tx } from './tables.ts';

/** In the order in which they are applied. */
export const MIGRATIONS: readonly Migration[] = [
  ledger,
  accounts,
  requests,
  people,
  profile,
  jobs,
  deletion,
  deviceInput,
  batchPages,
  photos,
];

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.number;

async function appliedVersion(tx: Tx): Promise<number> {
  const { integer, table } = schemaWords(tx);
  await tx.executeQuery(
    CompiledQuery.raw(
      `CREATE TABLE IF NOT EXISTS schema_migrations
        (number ${integer} PRIMARY KEY, name TEXT NOT NULL, applied_at ${integer} NOT NULL) ${table}`,
    ),
  );
  const last = await tx
    .selectFrom('schema_migrations')
    .select((eb) => eb.fn.max('number').as('number'))
    .executeTakeFirst();
  return last?.number ?? 0;
}

/**
 * Applies what is missing; two processes may start at once. One transaction holds all of it, so a failing migration
 * leaves the schema as it was.
 * @returns the names of the migrations applied
 * @throws DatabaseUnusable if a newer version of Electric has been here
 */
export async function migrate(
  database: Database,
  now_ms: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  return database.write(async (tx) => {
    await lockMigrations(tx);
    const applied = await appliedVersion(tx);
    const known = migrations.at(-1)?.number ?? 0;
    if (applied > known) {
      throw new DatabaseUnusable(
        `The database has schema version ${applied}, this Electric knows ${known}: start the newer version.`,
      );
    }
    const missing = migrations.filter((migration) => migration.number > applied);
    for (const { number, name, statements } of missing) {
      for (const statement of statements(schemaWords(tx)))
        await tx.executeQuery(CompiledQuery.raw(statement));
      await tx.insertInto('schema_migrations').values({ number, name, applied_at: now_ms }).execute();
    }
    return missing.map((migration) => migration.name);
  });
}

/** The schema version of a database that has been migrated. */
export async function schemaVersion({ read }: Database): Promise<number> {
  const { rows } = await sql<{ number: number }>`SELECT max(number) AS number FROM schema_migrations`.execute(
    read,
  );
  return rows[0]?.number ?? 0;
}
