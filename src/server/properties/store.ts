import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Role } from '../../contract/properties.ts';
import { DEFAULT_PLAUSIBILITY_FACTOR } from '../../core/reading.ts';
import { fold } from '../../core/text.ts';
import { lockRows } from '../db/dialect.ts';
import { containing, type Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type PropertyRow = Selectable<Tables['properties']> & { main_meter_id: number | null };
export type MemberProperty = PropertyRow & { role: Role };

export const MAIN_METER_NAME = 'Main meter';

export async function insertProperty(tx: Tx, property: Insertable<Tables['properties']>): Promise<number> {
  const { id } = await tx.insertInto('properties').values(property).returning('id').executeTakeFirstOrThrow();
  return id;
}

export async function insertMembership(tx: Tx, membership: Insertable<Tables['memberships']>): Promise<void> {
  await tx.insertInto('memberships').values(membership).execute();
}

/** The main meter belongs to its property as a wheel to a car: it is made here, for the meters slice too. */
export async function insertMainMeter(tx: Tx, property_id: number, created_at: number): Promise<number> {
  const { id } = await tx
    .insertInto('meters')
    .values({
      property_id,
      name: MAIN_METER_NAME,
      name_folded: fold(MAIN_METER_NAME),
      meter_type: 'main_meter',
      plausibility_factor: DEFAULT_PLAUSIBILITY_FACTOR,
      created_at,
      is_active: 1,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

function selectProperties(db: Db, user_id: number) {
  return db
    .selectFrom('properties as p')
    .leftJoin('memberships as s', (join) =>
      join.onRef('s.property_id', '=', 'p.id').on('s.user_id', '=', user_id),
    )
    .leftJoin('meters as m', (join) =>
      join
        .onRef('m.property_id', '=', 'p.id')
        .on('m.meter_type', '=', 'main_meter')
        .on('m.is_active', '=', 1),
    )
    .selectAll('p')
    .select(['m.id as main_meter_id', 's.role as role']);
}

/** @returns the property, with the user's role in it or null for a stranger; undefined if there is none */
export async function findProperty(
  db: Db,
  user_id: number,
  property_id: number,
): Promise<(PropertyRow & { role: Role | null }) | undefined> {
  // On the way of every request: spelled out, and with the words of the partial index in it, which a bound
  // 'main_meter' would not use.
  const { rows } = await sql<PropertyRow & { role: Role | null }>`
    SELECT p.id, p.display_name, p.display_name_folded, p.address, p.timezone, p.currency, p.is_active,
      p.created_at, m.id AS main_meter_id, s.role
    FROM properties AS p
    LEFT JOIN memberships AS s ON s.property_id = p.id AND s.user_id = ${user_id}
    LEFT JOIN meters AS m ON m.property_id = p.id AND m.meter_type = 'main_meter' AND m.is_active = 1
    WHERE p.id = ${property_id}`.execute(db);
  return rows[0];
}

export interface PropertyFilter {
  search?: string;
  is_active?: boolean;
  include_inactive?: boolean;
}

export async function listProperties(
  db: Db,
  user_id: number,
  { search, is_active, include_inactive }: PropertyFilter,
  { limit, offset }: Page,
): Promise<{ rows: MemberProperty[]; total: number }> {
  let mine = selectProperties(db, user_id).where('s.user_id', '=', user_id);
  if (is_active !== undefined) mine = mine.where('p.is_active', '=', Number(is_active));
  else if (!include_inactive) mine = mine.where('p.is_active', '=', 1);
  if (search)
    mine = mine.where(sql<boolean>`p.display_name_folded LIKE ${containing(fold(search))} ESCAPE '\\'`);
  const rows = await mine
    .orderBy('p.display_name_folded')
    .orderBy('p.id')
    .limit(limit!)
    .offset(offset!)
    .execute();
  const { total } = await mine
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows as MemberProperty[], total };
}

export async function updateProperty(
  tx: Tx,
  property_id: number,
  changes: Updateable<Tables['properties']>,
): Promise<void> {
  await tx.updateTable('properties').set(changes).where('id', '=', property_id).execute();
}

/** Makes the writers of one property queue: what this transaction decides on stays as it is until it ends. */
export async function lockProperty(tx: Tx, property_id: number): Promise<void> {
  await lockRows(tx, sql`SELECT id FROM properties WHERE id = ${property_id}`);
}

/** The same, where only one of its meters is known. */
export async function lockPropertyOfMeter(tx: Tx, meter_id: number): Promise<void> {
  await lockRows(
    tx,
    sql`SELECT id FROM properties WHERE id = (SELECT property_id FROM meters WHERE id = ${meter_id})`,
  );
}
