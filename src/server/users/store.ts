import { sql, type Updateable } from 'kysely';
import { FORMER_USER } from '../../contract/users.ts';
import { numberRows } from '../db/dialect.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export async function updateUser(tx: Tx, id: number, changes: Updateable<Tables['users']>): Promise<void> {
  await tx.updateTable('users').set(changes).where('id', '=', id).execute();
}

/** The properties that a user is a member of. */
export async function membershipsOf(db: Db, user_id: number): Promise<number[]> {
  const rows = await db
    .selectFrom('memberships')
    .select('property_id')
    .where('user_id', '=', user_id)
    .orderBy('property_id')
    .execute();
  return rows.map(({ property_id }) => property_id);
}

/** A user's property, and who would be left in it. */
export interface Left {
  property_id: number;
  display_name: string;
  others: number;
  other_owners: number;
}

/** What each of a user's properties would be left with. */
export async function leftBehind(db: Db, user_id: number): Promise<Left[]> {
  const { rows } = await sql<Left>`
    SELECT p.id AS property_id, p.display_name, COUNT(o.user_id) AS others,
      COUNT(CASE WHEN o.role = 'owner' THEN 1 END) AS other_owners
    FROM memberships AS s JOIN properties AS p ON p.id = s.property_id
    LEFT JOIN memberships AS o ON o.property_id = s.property_id AND o.user_id <> s.user_id
    WHERE s.user_id = ${user_id}
    GROUP BY p.id, p.display_name ORDER BY p.id`.execute(db);
  return rows;
}

/**
 * Leaves of a user what the ledger needs: a row with an id. The stand-ins for the unique names are in upper case, so
 * that no folded name is ever one of them.
 */
export async function forgetUser(tx: Tx, id: number, now_ms: number): Promise<void> {
  const nobody = `FORMER USER ${id}`;
  await updateUser(tx, id, {
    username: FORMER_USER,
    username_folded: nobody,
    email: '',
    email_folded: nobody,
    password_hash: '',
    display_name: null,
    phone_number: null,
    timezone: null,
    locale: null,
    default_property_id: null,
    default_meter_id: null,
    deleted_at: now_ms,
  });
  await tx.deleteFrom('idempotency_keys').where('user_id', '=', id).execute();
  await tx.deleteFrom('memberships').where('user_id', '=', id).execute();
  await tx.updateTable('invitations').set({ email: null }).where('accepted_by_user_id', '=', id).execute();
}

/** What a meter has of a month. */
export interface MeterMonth {
  readings: number;
  /** Its last reading ever. */
  latest_ms: number | null;
}

const COLUMNS = ['property_id', 'meter_id', 'start_ms', 'end_ms'] as const;

/** Counts the readings of meters in their months; replacements are none. @returns by meter id */
export async function monthOf(
  db: Db,
  meters: readonly Record<(typeof COLUMNS)[number], number>[],
): Promise<Map<number, MeterMonth>> {
  const own = sql`FROM readings AS r
    WHERE r.property_id = m.property_id AND r.meter_id = m.meter_id AND r.reading_type <> 2`;
  const { rows } = await sql<MeterMonth & { meter_id: number }>`
    SELECT m.meter_id,
      (SELECT COUNT(*) ${own} AND r.reading_timestamp >= m.start_ms AND r.reading_timestamp < m.end_ms) AS readings,
      (SELECT r.reading_timestamp ${own} ORDER BY r.reading_timestamp DESC LIMIT 1) AS latest_ms
    FROM ${numberRows(db, COLUMNS, meters)}`.execute(db);
  return new Map(rows.map(({ meter_id, ...month }) => [meter_id, month]));
}
