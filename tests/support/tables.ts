/** Looks at everything that a database holds. */
import type { Database } from '../../src/server/db/connect.ts';
import type { Tables } from '../../src/server/db/tables.ts';

/** Every table; the type makes a forgotten one an error. */
const EVERY: Record<keyof Tables, true> = {
  schema_migrations: true,
  users: true,
  jobs: true,
  password_resets: true,
  sessions: true,
  refresh_tokens: true,
  api_keys: true,
  failed_attempts: true,
  properties: true,
  memberships: true,
  invitations: true,
  meters: true,
  batches: true,
  ledger_entries: true,
  readings: true,
  mqtt_topics: true,
  leases: true,
  idempotency_keys: true,
  request_counts: true,
};
export const TABLES = Object.keys(EVERY) as (keyof Tables)[];

/** Every row of every table. */
export async function everything({ read }: Database): Promise<Record<string, object[]>> {
  const tables: Record<string, object[]> = {};
  for (const table of TABLES) tables[table] = await read.selectFrom(table).selectAll().execute();
  return tables;
}

/**
 * How many rows each table has: the same before and after a call that must write nothing. That a sign-in failed is
 * written down all the same.
 */
export async function counts({ read }: Database): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of TABLES.filter((name) => name !== 'failed_attempts')) {
    const { total } = await read
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow();
    found[table] = Number(total);
  }
  return found;
}
