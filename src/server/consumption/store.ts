/** Boundary look-ups: the readings around every instant of a question, for every meter, in one statement. */
import { sql } from 'kysely';
import type { Neighbours } from '../../core/energy.ts';
import type { Projected } from '../../core/reading.ts';
import { joinReading, numbers } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';

interface BoundaryRow {
  meter_id: number;
  instant: number;
  p_timestamp: number | null;
  p_relative: number;
  p_value: number;
  p_start: number | null;
  p_energy: number;
  p_offset: number | null;
  p_gap: number;
  p_decreased: number;
  n_timestamp: number | null;
  n_relative: number;
  n_value: number;
  n_start: number | null;
  n_energy: number;
  n_offset: number | null;
  n_gap: number;
  n_decreased: number;
}

/**
 * The readings around each instant, for each meter.
 * @param instants_ms ascending
 * @returns for each meter id, the neighbours in the order of the instants
 */
export async function neighboursAt(
  db: Db,
  property_id: number,
  meter_ids: readonly number[],
  instants_ms: readonly number[],
): Promise<Map<number, Neighbours[]>> {
  // A reading at the instant itself says everything: then nobody asks for the next.
  const next = sql`r.reading_timestamp > b.value AND p.reading_timestamp IS DISTINCT FROM b.value`;
  const { rows } = await sql<BoundaryRow>`
    SELECT m.value AS meter_id, b.value AS instant,
      p.reading_timestamp AS p_timestamp, p.is_relative AS p_relative, p.value_wh AS p_value, p.period_start AS p_start,
      p.energy_wh AS p_energy, p.offset_wh AS p_offset, p.gap_ms AS p_gap, p.decreased AS p_decreased,
      n.reading_timestamp AS n_timestamp, n.is_relative AS n_relative, n.value_wh AS n_value, n.period_start AS n_start,
      n.energy_wh AS n_energy, n.offset_wh AS n_offset, n.gap_ms AS n_gap, n.decreased AS n_decreased
    FROM ${numbers(db, meter_ids)} AS m CROSS JOIN ${numbers(db, instants_ms)} AS b
    ${joinReading(db, 'p', property_id, sql`r.reading_timestamp <= b.value`, 'DESC')}
    ${joinReading(db, 'n', property_id, next, 'ASC')}`.execute(db);
  const place = new Map(instants_ms.map((instant, i) => [instant, i]));
  const found = new Map(meter_ids.map((id) => [id, new Array<Neighbours>(instants_ms.length)]));
  for (const row of rows) found.get(row.meter_id)![place.get(row.instant)!] = toNeighbours(row);
  return found;
}

function toNeighbours(row: BoundaryRow): Neighbours {
  const previous: Projected | null =
    row.p_timestamp === null
      ? null
      : {
          reading_timestamp: row.p_timestamp,
          reading_type: row.p_relative ? 'relative' : 'absolute',
          value_wh: row.p_value,
          period_start: row.p_start,
          energy_wh: row.p_energy,
          offset_wh: row.p_offset,
          gap_ms: row.p_gap,
          decreased: row.p_decreased === 1,
        };
  const next: Projected | null =
    row.n_timestamp === null
      ? null
      : {
          reading_timestamp: row.n_timestamp,
          reading_type: row.n_relative ? 'relative' : 'absolute',
          value_wh: row.n_value,
          period_start: row.n_start,
          energy_wh: row.n_energy,
          offset_wh: row.n_offset,
          gap_ms: row.n_gap,
          decreased: row.n_decreased === 1,
        };
  return { previous, next };
}

/** Unsettled decreases whose unknown stretch may reach into a period, oldest first. */
export async function decreasesIn(
  db: Db,
  property_id: number,
  meter_ids: readonly number[],
  start_ms: number,
  end_ms: number,
): Promise<{ meter_id: number; entry_id: number; reading_timestamp: number }[]> {
  const { rows } = await sql<{ meter_id: number; entry_id: number; reading_timestamp: number }>`
    SELECT r.meter_id, r.entry_id, r.reading_timestamp
    FROM ${numbers(db, meter_ids)} AS m
    JOIN readings AS r ON r.property_id = ${property_id} AND r.meter_id = m.value AND r.decreased = 1
      AND r.reading_timestamp > ${start_ms}
      AND r.reading_timestamp <= COALESCE((
        SELECT reading_timestamp FROM readings
        WHERE property_id = ${property_id} AND meter_id = m.value AND reading_timestamp >= ${end_ms}
        ORDER BY reading_timestamp LIMIT 1), ${end_ms})
    ORDER BY r.reading_timestamp, r.meter_id`.execute(db);
  return rows;
}
