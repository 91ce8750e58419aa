/** Looks at a ledger from outside: its energy, its projection, and the triggers that keep it. */
import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Database } from '../../src/server/db/connect.ts';
import type { Tx } from '../../src/server/db/tables.ts';
import { recompute } from '../../src/server/projection/recompute.ts';
import type { Engine } from './engines.ts';
import type { House } from './house.ts';

/** The projection of every meter is, bit for bit, what all entries in force come to from scratch. */
export async function expectSoundProjection(db: Database): Promise<void> {
  const { difference } = await db.write((tx) => recompute(tx, 'check'));
  expect(difference).toBeNull();
}

/** Consumption of one meter of a house over a period; null where it is unknown. */
export async function used(house: House, meter_id: number, from: string, to: string): Promise<string | null> {
  const { status, body } = await house.get(
    `/api/readings/property/${house.property_id}/consumption?start_timestamp=${from}&end_timestamp=${to}`,
  );
  expect(status).toBe(200);
  if (meter_id === house.main_id) return body.main_meter_consumption;
  return body.submeters.find((row: { meter_id: number }) => row.meter_id === meter_id).consumption;
}

/** The flags of a meter's readings in force, oldest first. */
export async function flagsOf(house: House, meter_id: number): Promise<string[][]> {
  const { body } = await house.get(`/api/readings/meter/${meter_id}/history`);
  return body.items.map(({ flags }: { flags: string[] }) => flags).reverse();
}

class RolledBack<T> extends Error {
  readonly seen: T;
  constructor(seen: T) {
    super('rolled back');
    this.seen = seen;
  }
}

/**
 * Changes what nobody may change, past every trigger and constraint, and looks at it; then all is as it was.
 * @param statements what somebody with the database's password might run
 */
export async function tampered<T>(
  engine: Engine,
  db: Database,
  statements: readonly string[],
  look: (tx: Tx) => Promise<T>,
): Promise<T> {
  try {
    await db.write(async (tx) => {
      const run = (statement: string) => sql.raw(statement).execute(tx);
      if (engine === 'postgres') {
        await run('SET LOCAL session_replication_role = replica');
        const { rows } = await sql<{ relation: string; name: string }>`
          SELECT conrelid::regclass::text AS relation, conname AS name FROM pg_constraint
          WHERE contype = 'c' AND connamespace = 'public'::regnamespace`.execute(tx);
        for (const { relation, name } of rows) await run(`ALTER TABLE ${relation} DROP CONSTRAINT ${name}`);
      } else {
        const { rows } = await sql<{ name: string }>`
          SELECT name FROM sqlite_master WHERE type = 'trigger'`.execute(tx);
        for (const { name } of rows) await run(`DROP TRIGGER ${name}`);
        await run('PRAGMA defer_foreign_keys = ON');
        await run('PRAGMA ignore_check_constraints = ON');
      }
      try {
        for (const statement of statements) await run(statement);
        throw new RolledBack(await look(tx));
      } finally {
        if (engine === 'sqlite') await run('PRAGMA ignore_check_constraints = OFF');
      }
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.seen as T;
    throw error;
  }
  throw new Error('nothing was rolled back');
}

/** Changes what nobody may change, and leaves it so: the triggers that keep the ledger are lifted meanwhile. */
export async function tamper(engine: Engine, db: Database, statement: string): Promise<void> {
  await db.write(async (tx) => {
    const run = (each: string) => sql.raw(each).execute(tx);
    if (engine === 'postgres') {
      await run('SET LOCAL session_replication_role = replica');
      await run(statement);
      return;
    }
    const { rows: kept } = await sql<{ name: string; sql: string }>`
      SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`.execute(tx);
    for (const { name } of kept) await run(`DROP TRIGGER ${name}`);
    await run(statement);
    for (const trigger of kept) await run(trigger.sql);
  });
}
