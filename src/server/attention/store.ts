import { sql } from 'kysely';
import { numbers } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';

export interface FlaggedRow {
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

/** Readings of some meters that nobody has settled, newest first. */
export async function flagged(
  db: Db,
  property_id: number,
  meter_ids: readonly number[],
): Promise<FlaggedRow[]> {
  const { rows } = await sql<FlaggedRow>`
    SELECT f.*, p.reading_timestamp AS previous_timestamp, p.value_wh AS previous_value_wh,
      p.energy_wh AS previous_energy_wh
    FROM (
      SELECT meter_id, entry_id, reading_timestamp, reading_type, value_wh, energy_wh, decreased FROM readings
      WHERE property_id = ${property_id} AND decreased = 1
      UNION
      SELECT meter_id, entry_id, reading_timestamp, reading_type, value_wh, energy_wh, decreased FROM readings
      WHERE property_id = ${property_id} AND implausible = 1
    ) AS f
    JOIN ${numbers(db, meter_ids)} AS m ON m.value = f.meter_id
    LEFT JOIN readings AS p ON p.property_id = ${property_id} AND p.meter_id = f.meter_id
      AND p.reading_timestamp = (
        SELECT reading_timestamp FROM readings
        WHERE property_id = ${property_id} AND meter_id = f.meter_id AND reading_timestamp < f.reading_timestamp
        ORDER BY reading_timestamp DESC LIMIT 1)
    ORDER BY f.reading_timestamp DESC, f.meter_id`.execute(db);
  return rows;
}

/** The instants of each meter's last readings, newest first. */
export async function lastInstants(
  db: Db,
  property_id: number,
  meter_id: number,
  limit: number,
): Promise<number[]> {
  const { rows } = await sql<{ reading_timestamp: number }>`
    SELECT reading_timestamp FROM readings
    WHERE property_id = ${property_id} AND meter_id = ${meter_id}
    ORDER BY reading_timestamp DESC LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.reading_timestamp);
}
