import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { MeterType, SubMeterKind } from '../../contract/meters.ts';
import { fold } from '../../core/text.ts';
import { numbers, oneOf } from '../db/dialect.ts';
import { containing, type Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type MeterRow = Omit<Selectable<Tables['meters']>, 'meter_type' | 'sub_meter_kind'> & {
  meter_type: MeterType;
  sub_meter_kind: SubMeterKind | null;
};

export async function insertMeter(tx: Tx, meter: Insertable<Tables['meters']>): Promise<MeterRow> {
  return (await tx.insertInto('meters').values(meter).returningAll().executeTakeFirstOrThrow()) as MeterRow;
}

export async function updateMeter(
  tx: Tx,
  meter_id: number,
  changes: Updateable<Tables['meters']>,
): Promise<void> {
  await tx.updateTable('meters').set(changes).where('id', '=', meter_id).execute();
}

export async function findMeter(db: Db, meter_id: number): Promise<MeterRow | undefined> {
  const { rows } = await sql<MeterRow>`SELECT * FROM meters WHERE id = ${meter_id}`.execute(db);
  return rows[0];
}

/** Every meter of a property: the main meter first, then the submeters by name. */
export async function metersOf(db: Db, property_id: number): Promise<MeterRow[]> {
  const rows = await db
    .selectFrom('meters')
    .selectAll()
    .where('property_id', '=', property_id)
    .orderBy('meter_type')
    .orderBy('name_folded')
    .orderBy('id')
    .execute();
  return rows as MeterRow[];
}

/** Every meter of some properties, those of each in the order that metersOf has. */
export async function metersOfEach(
  db: Db,
  property_ids: readonly number[],
): Promise<Map<number, MeterRow[]>> {
  const { rows } = await sql<MeterRow>`
    SELECT * FROM meters WHERE property_id ${oneOf(db, property_ids)}
    ORDER BY meter_type, name_folded, id`.execute(db);
  return Map.groupBy(rows, ({ property_id }) => property_id);
}

export interface MeterFilter {
  meter_type?: MeterType;
  sub_meter_kind?: SubMeterKind;
  is_active?: boolean;
  include_inactive?: boolean;
  search?: string;
  sort?: 'name' | '-name' | 'created_at' | '-created_at';
}

/** @param visible the only meters there are for whoever asks; null: all */
export async function listMeters(
  db: Db,
  property_id: number,
  visible: ReadonlySet<number> | null,
  { meter_type, sub_meter_kind, is_active, include_inactive, search, sort }: MeterFilter,
  { limit, offset }: Page,
): Promise<{ rows: MeterRow[]; total: number }> {
  let matching = db.selectFrom('meters').where('property_id', '=', property_id);
  if (visible) {
    matching = matching.where(
      sql<boolean>`id IN (SELECT value FROM ${numbers(db, [...visible])} AS visible)`,
    );
  }
  if (meter_type) matching = matching.where('meter_type', '=', meter_type);
  if (sub_meter_kind) matching = matching.where('sub_meter_kind', '=', sub_meter_kind);
  if (is_active !== undefined) matching = matching.where('is_active', '=', Number(is_active));
  else if (!include_inactive) matching = matching.where('is_active', '=', 1);
  if (search)
    matching = matching.where(sql<boolean>`name_folded LIKE ${containing(fold(search))} ESCAPE '\\'`);
  const direction = sort?.startsWith('-') ? 'desc' : 'asc';
  const sorted =
    sort === undefined
      ? matching.orderBy('meter_type').orderBy('name_folded')
      : matching.orderBy(sort.endsWith('created_at') ? 'created_at' : 'name_folded', direction);
  const rows = await sorted.selectAll().orderBy('id', direction).limit(limit!).offset(offset!).execute();
  const { total } = await matching
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows as MeterRow[], total };
}
