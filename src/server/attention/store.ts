import { sql } from 'kysely';
import { byIndex, joinLastReadings, joinReading, numberRows, numbers } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';

/** A meter and the property it belongs to. */
export interface OfProperty {
  property_id: number;
  meter_id: number;
}

const COLUMNS = ['property_id', 'meter_id'] as const;

export interface FlaggedRow {
  property_id: number;
  meter_id: number;
  entry_id: number;
  reading_timestamp: number;
  reading_type: number;
  value_wh: number;
  energy_wh: number;
  decreased: number;
  previous_timestamp: number | null;
  previous_value_wh: number | null;
  previous_energy_wh: number | null;
}

const FLAGGED = sql.raw(
  'r.property_id, r.meter_id, r.entry_id, r.reading_timestamp, r.reading_type, r.value_wh, r.energy_wh, r.decreased',
);

/** Readings of some properties that nobody has settled, newest first. */
export async function flagged(db: Db, property_ids: readonly number[]): Promise<FlaggedRow[]> {
  // CROSS, so that the embedded engine goes from the properties to their flags and not the other way.
  const found = (flag: 'decreased' | 'implausible') => sql`
    SELECT ${FLAGGED} FROM ${numbers(db, property_ids)} AS watched
    CROSS JOIN readings AS r ${byIndex(db, `readings_${flag}`)}
    WHERE r.property_id = watched.value AND r.${sql.raw(flag)} = 1`;
  const { rows } = await sql<FlaggedRow>`
    SELECT m.*, p.reading_timestamp AS previous_timestamp, p.value_wh AS previous_value_wh,
      p.energy_wh AS previous_energy_wh
    FROM (${found('decreased')} UNION ${found('implausible')}) AS m
    ${joinReading(db, 'p', sql`r.reading_timestamp < m.reading_timestamp`, 'DESC')}
    ORDER BY m.reading_timestamp DESC, m.meter_id`.execute(db);
  return rows;
}

/** The instants of each meter's last readings, newest first; none for a meter that was never read. */
export async function lastInstants(
  db: Db,
  meters: readonly OfProperty[],
  limit: number,
): Promise<Map<number, number[]>> {
  const { rows } = await sql<{ meter_id: number; reading_timestamp: number }>`
    SELECT m.meter_id, r.reading_timestamp FROM ${numberRows(db, COLUMNS, meters)}
    ${joinLastReadings(db, limit)}
    ORDER BY m.meter_id, r.reading_timestamp DESC`.execute(db);
  return new Map(
    [...Map.groupBy(rows, ({ meter_id }) => meter_id)].map(([id, last]) => [
      id,
      last.map(({ reading_timestamp }) => reading_timestamp),
    ]),
  );
}
