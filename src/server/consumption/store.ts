/** Boundary look-ups: the readings around every instant of a question, for every meter, in one statement. */
import { sql } from 'kysely';
import type { Neighbours, Point } from '../../core/energy.ts';
import { type AskedMeters, askedMeters, joinReading, numbers } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';
import { highestUpTo, READING_TYPES } from '../projection/store.ts';

/** The columns of a Point, once for the reading before and once for the one after. */
const COLUMNS = [
  'reading_timestamp',
  'reading_type',
  'value_wh',
  'period_start',
  'energy_wh',
  'gap_ms',
] as const;
type Side = 'p' | 'n';
type BoundaryRow = { meter_id: number; instant: number; n_highest_w: number } & {
  [C in `${Side}_${(typeof COLUMNS)[number]}`]: number | null;
};
const SELECTED = sql.raw(
  (['p', 'n'] as const)
    .flatMap((side) => COLUMNS.map((column) => `${side}.${column} AS ${side}_${column}`))
    .join(', '),
);

function toPoint(row: BoundaryRow, side: Side): Point | null {
  if (row[`${side}_reading_timestamp`] === null) return null;
  return {
    reading_timestamp: row[`${side}_reading_timestamp`]!,
    reading_type: READING_TYPES[row[`${side}_reading_type`]!]!,
    value_wh: row[`${side}_value_wh`]!,
    period_start: row[`${side}_period_start`],
    energy_wh: row[`${side}_energy_wh`]!,
    gap_ms: row[`${side}_gap_ms`]!,
  };
}

/**
 * The readings around each instant, for each meter, of as many properties as are asked about.
 * @returns for each meter id, the neighbours in the order of its property's instants
 */
export async function neighboursAt(
  db: Db,
  asked: readonly AskedMeters[],
): Promise<Map<number, Neighbours[]>> {
  // A reading at the instant itself says everything: then nobody asks for the next.
  const next = sql`r.reading_timestamp > m.instant AND p.reading_timestamp IS DISTINCT FROM m.instant`;
  const { rows } = await sql<BoundaryRow>`
    SELECT m.meter_id, m.instant, ${SELECTED}, ${highestUpTo(db, 'n')} AS n_highest_w
    FROM ${askedMeters(db, asked)}
    ${joinReading(db, 'p', sql`r.reading_timestamp <= m.instant`, 'DESC')}
    ${joinReading(db, 'n', next, 'ASC')}`.execute(db);
  const found = new Map<number, { place: Map<number, number>; neighbours: Neighbours[] }>();
  for (const { meter_ids, instants_ms } of asked) {
    const place = new Map(instants_ms.map((instant, i) => [instant, i]));
    for (const id of meter_ids) found.set(id, { place, neighbours: new Array(instants_ms.length) });
  }
  for (const row of rows) {
    const { place, neighbours } = found.get(row.meter_id)!;
    const next = toPoint(row, 'n');
    neighbours[place.get(row.instant)!] = {
      previous: toPoint(row, 'p'),
      next: next && { ...next, highest_w: row.n_highest_w },
    };
  }
  return new Map([...found].map(([id, { neighbours }]) => [id, neighbours]));
}

interface DecreaseRow {
  meter_id: number;
  entry_id: number;
  reading_timestamp: number;
  reading_type: number;
}

/** Unsettled decreases whose unknown stretch may reach into a period, oldest first. */
export async function decreasesIn(
  db: Db,
  property_id: number,
  meter_ids: readonly number[],
  start_ms: number,
  end_ms: number,
): Promise<DecreaseRow[]> {
  const { rows } = await sql<DecreaseRow>`
    SELECT r.meter_id, r.entry_id, r.reading_timestamp, r.reading_type
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
