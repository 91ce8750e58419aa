import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Role } from '../../contract/schema.ts';
import { DEFAULT_PLAUSIBILITY_FACTOR } from '../../core/reading.ts';
import { fold } from '../../core/text.ts';
import type { Caller } from '../auth/caller.ts';
import { lockRows } from '../db/dialect.ts';
import { containing, type Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type PropertyRow = Selectable<Tables['properties']> & { main_meter_id: number | null };

/** What a member may see of a property. */
export interface View {
  /** The only meters there are for a tenant; null: all of them. */
  meter_ids: ReadonlySet<number> | null;
  /** Whether the figures of the whole house are theirs to see. */
  totals: boolean;
}
export type MemberProperty = PropertyRow & { role: Role; view: View };

/** A property with the membership of the user who asks, as it stands in the database. */
type MembershipRow = PropertyRow & { role: Role; meter_ids: string | null };

function toMember({ meter_ids, ...row }: MembershipRow): MemberProperty {
  const is_tenant = row.role === 'tenant';
  const view = {
    meter_ids: is_tenant ? new Set(JSON.parse(meter_ids ?? '[]') as number[]) : null,
    totals: !is_tenant || row.share_totals_with_tenants === 1,
  };
  return { ...row, view };
}

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
    .select(['m.id as main_meter_id', 's.role as role', 's.meter_ids as meter_ids']);
}

/** @returns the property as the user may see it, 'stranger' for one who is no member, undefined if there is none */
export async function findProperty(
  db: Db,
  user_id: number,
  property_id: number,
): Promise<MemberProperty | 'stranger' | undefined> {
  // On the way of every request: spelled out, and with the words of the partial index in it, which a bound
  // 'main_meter' would not use.
  const { rows } = await sql<MembershipRow & { role: Role | null }>`
    SELECT p.id, p.display_name, p.display_name_folded, p.address, p.timezone, p.currency, p.is_active,
      p.created_at, p.share_totals_with_tenants, m.id AS main_meter_id, s.role, s.meter_ids
    FROM properties AS p
    LEFT JOIN memberships AS s ON s.property_id = p.id AND s.user_id = ${user_id}
    LEFT JOIN meters AS m ON m.property_id = p.id AND m.meter_type = 'main_meter' AND m.is_active = 1
    WHERE p.id = ${property_id}`.execute(db);
  const [row] = rows;
  return row && (row.role === null ? 'stranger' : toMember(row));
}

/** The properties that a user is a member of; with a key that is for one of them, that one. */
function propertiesOf(db: Db, { user_id, api_key }: Caller) {
  const mine = selectProperties(db, user_id).where('s.user_id', '=', user_id);
  return api_key === null || api_key.property_id === null
    ? mine
    : mine.where('p.id', '=', api_key.property_id);
}

/** All active ones, by name. */
export async function activeProperties(db: Db, caller: Caller): Promise<MemberProperty[]> {
  const rows = await propertiesOf(db, caller)
    .where('p.is_active', '=', 1)
    .orderBy('p.display_name_folded')
    .orderBy('p.id')
    .execute();
  return rows.map((row) => toMember(row as MembershipRow));
}

export interface PropertyFilter {
  search?: string;
  is_active?: boolean;
  include_inactive?: boolean;
  sort?: 'display_name' | '-display_name' | 'created_at' | '-created_at';
}

export async function listProperties(
  db: Db,
  caller: Caller,
  { search, is_active, include_inactive, sort = 'display_name' }: PropertyFilter,
  { limit, offset }: Page,
): Promise<{ rows: MemberProperty[]; total: number }> {
  let mine = propertiesOf(db, caller);
  if (is_active !== undefined) mine = mine.where('p.is_active', '=', Number(is_active));
  else if (!include_inactive) mine = mine.where('p.is_active', '=', 1);
  if (search)
    mine = mine.where(sql<boolean>`p.display_name_folded LIKE ${containing(fold(search))} ESCAPE '\\'`);
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const rows = await mine
    .orderBy(sort.endsWith('created_at') ? 'p.created_at' : 'p.display_name_folded', direction)
    .orderBy('p.id', direction)
    .limit(limit!)
    .offset(offset!)
    .execute();
  const { total } = await mine
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows.map((row) => toMember(row as MembershipRow)), total };
}

export async function updateProperty(
  tx: Tx,
  property_id: number,
  changes: Updateable<Tables['properties']>,
): Promise<void> {
  await tx.updateTable('properties').set(changes).where('id', '=', property_id).execute();
}

/** By name. */
export async function activeSubmeters(db: Db, property_id: number): Promise<{ id: number; name: string }[]> {
  return db
    .selectFrom('meters')
    .select(['id', 'name'])
    .where('property_id', '=', property_id)
    .where('meter_type', '=', 'sub_meter')
    .where('is_active', '=', 1)
    .orderBy('name_folded')
    .execute();
}

/** Deletes a property's active submeters with it. */
export async function deleteSubmeters(tx: Tx, property_id: number): Promise<void> {
  await tx
    .updateTable('meters')
    .set({ is_active: 0, deleted_with_property: 1 })
    .where('property_id', '=', property_id)
    .where('meter_type', '=', 'sub_meter')
    .where('is_active', '=', 1)
    .execute();
}

/** Names that several meters would have if the property were restored; they were renamed meanwhile. */
export async function repeatedNames(db: Db, property_id: number): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT MIN(name) AS name FROM meters
    WHERE property_id = ${property_id} AND (is_active = 1 OR deleted_with_property = 1)
    GROUP BY name_folded HAVING COUNT(*) > 1 ORDER BY name_folded`.execute(db);
  return rows.map(({ name }) => name);
}

/** Brings back what deleteSubmeters took. */
export async function restoreSubmeters(tx: Tx, property_id: number): Promise<void> {
  await tx
    .updateTable('meters')
    .set({ is_active: 1, deleted_with_property: 0 })
    .where('property_id', '=', property_id)
    .where('deleted_with_property', '=', 1)
    .execute();
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
