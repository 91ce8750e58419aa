/** SQL of what was read off a device. */
import { sql } from 'kysely';
import type { Db } from '../db/tables.ts';

/**
 * The highest register value of a meter in a stretch of time, replacements included: theirs is the last of the device
 * before them. Undefined if there is none.
 * @param after_ms exclusive; @param until_ms inclusive
 */
export async function highestRegister(
  db: Db,
  property_id: number,
  meter_id: number,
  after_ms: number,
  until_ms: number,
): Promise<{ reading_timestamp: number; value_wh: number } | undefined> {
  const { rows } = await sql<{ reading_timestamp: number; value_wh: number }>`
    SELECT reading_timestamp, value_wh FROM readings
    WHERE property_id = ${property_id} AND meter_id = ${meter_id} AND reading_type <> 1
      AND reading_timestamp > ${after_ms} AND reading_timestamp <= ${until_ms}
    ORDER BY value_wh DESC, reading_timestamp LIMIT 1`.execute(db);
  return rows[0];
}
