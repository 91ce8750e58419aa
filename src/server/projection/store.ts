/** SQL of the projection: the readings in force with their energy. */
import { type RawBuilder, sql } from 'kysely';
import type { Projected, Shift, Standing } from '../../core/reading.ts';
import { byIndex, insertRows, joinReadings, numberRows, numbers } from '../db/dialect.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

/** A row of the projection, with the ledger entry it stands for. */
export type StoredReading = Projected & { entry_id: number };

/** A meter as far as its projection depends on it. */
export interface ProjectedMeter {
  id: number;
  property_id: number;
  name: string;
  plausibility_factor: number | null;
}

const READING_KEY = ['property_id', 'meter_id', 'reading_timestamp'] as const;
const READING_VALUES = [
  'entry_id',
  'reading_type',
  'value_wh',
  'period_start',
  'rollover_wh',
  'confirmed',
  'energy_wh',
  'offset_wh',
  'gap_ms',
  'rate_w',
  'stretches',
  'is_highest',
  'decreased',
  'rolled_over',
  'implausible',
] as const;
const READING_COLUMNS = [...READING_KEY, ...READING_VALUES] as const;

type ReadingRow = Pick<Tables['readings'], 'reading_timestamp' | (typeof READING_VALUES)[number]>;

const PROJECTION = sql.raw(
  ['reading_timestamp', ...READING_VALUES].map((column) => `r.${column}`).join(', '),
);

/** The highest plausible rate of a reading's meter up to it, in W: one seek. @param alias of the reading */
export function highestUpTo(db: Db, alias: string): RawBuilder<number> {
  const own = (column: string) => sql.ref(`${alias}.${column}`);
  return sql`COALESCE((SELECT h.rate_w FROM readings AS h ${byIndex(db, 'readings_rates')}
    WHERE h.property_id = ${own('property_id')} AND h.meter_id = ${own('meter_id')}
      AND h.reading_timestamp <= ${own('reading_timestamp')}
      AND (h.is_highest = 1 OR h.implausible = 1) AND h.is_highest = 1
    ORDER BY h.reading_timestamp DESC LIMIT 1), 0)`;
}

/** How the projection writes reading types. */
export const READING_TYPES = ['absolute', 'relative', 'replacement'] as const;

export function toReading({
  reading_type,
  confirmed,
  is_highest,
  decreased,
  rolled_over,
  implausible,
  ...row
}: ReadingRow): StoredReading {
  return {
    ...row,
    reading_type: READING_TYPES[reading_type]!,
    confirmed: confirmed === 1,
    is_highest: is_highest === 1,
    decreased: decreased === 1,
    rolled_over: rolled_over === 1,
    implausible: implausible === 1,
  };
}

/** The meter's last reading before an instant. */
export async function readingBefore(
  db: Db,
  property_id: number,
  meter_id: number,
  instant_ms: number,
): Promise<(StoredReading & Standing) | null> {
  const { rows } = await sql<ReadingRow & { highest_w: number }>`
    SELECT ${PROJECTION}, ${highestUpTo(db, 'r')} AS highest_w FROM readings AS r
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id} AND r.reading_timestamp < ${instant_ms}
    ORDER BY r.reading_timestamp DESC LIMIT 1`.execute(db);
  const [row] = rows;
  return row ? { ...toReading(row), highest_w: row.highest_w } : null;
}

/**
 * The meter's next readings after an instant whose rate is above one, oldest first. Only reads, however many lie between.
 * @param judged_only those alone that are the highest or implausible: there is an index of them
 */
export async function ratesAbove(
  db: Db,
  property_id: number,
  meter_id: number,
  after_ms: number,
  rate_w: number,
  judged_only: boolean,
  limit: number,
): Promise<StoredReading[]> {
  const which = judged_only ? sql`AND (r.is_highest = 1 OR r.implausible = 1)` : sql``;
  const { rows } = await sql<ReadingRow>`
    SELECT ${PROJECTION} FROM readings AS r ${judged_only ? byIndex(db, 'readings_rates') : sql``}
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id} AND r.reading_timestamp > ${after_ms}
      AND r.rate_w > ${rate_w} ${which}
    ORDER BY r.reading_timestamp LIMIT ${limit}`.execute(db);
  return rows.map(toReading);
}

/** The meter's readings from an instant on, oldest first. */
export async function readingsFrom(
  db: Db,
  property_id: number,
  meter_id: number,
  from_ms: number,
  limit: number,
): Promise<StoredReading[]> {
  const { rows } = await sql<ReadingRow>`
    SELECT ${PROJECTION} FROM readings AS r
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id} AND r.reading_timestamp >= ${from_ms}
    ORDER BY r.reading_timestamp LIMIT ${limit}`.execute(db);
  return rows.map(toReading);
}

/** The meter's readings between two instants, both included, oldest first. */
export async function readingsBetween(
  db: Db,
  property_id: number,
  meter_id: number,
  from_ms: number,
  to_ms: number,
): Promise<StoredReading[]> {
  const { rows } = await sql<ReadingRow>`
    SELECT ${PROJECTION} FROM readings AS r
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id}
      AND r.reading_timestamp >= ${from_ms} AND r.reading_timestamp <= ${to_ms}
    ORDER BY r.reading_timestamp`.execute(db);
  return rows.map(toReading);
}

/** The meter's readings at some instants, those alone, in order of time. */
export async function readingsAt(
  db: Db,
  property_id: number,
  meter_id: number,
  instants_ms: readonly number[],
): Promise<StoredReading[]> {
  const asked = instants_ms.map((instant_ms) => ({ meter_id, instant_ms }));
  const instant = sql<number>`m.instant_ms`;
  const { rows } = await sql<ReadingRow>`
    SELECT ${PROJECTION} FROM ${numberRows(db, ['meter_id', 'instant_ms'], asked)}
    ${joinReadings(db, property_id, instant, instant)}
    ORDER BY r.reading_timestamp`.execute(db);
  return rows.map(toReading);
}

/** What a change of a meter between two instants is judged by. */
export interface Around {
  /** The last reading before the first instant. */
  before: (StoredReading & Standing) | null;
  /** The readings from the first to the last instant, oldest first. */
  between: StoredReading[];
  /** The first readings after the last instant, FIRST_PAGE of them at most. */
  after: StoredReading[];
}

export interface Span {
  meter_id: number;
  first_ms: number;
  last_ms: number;
}

/** Readings after a change that are looked at first: most changes settle within them. */
export const FIRST_PAGE = 4;

/** The readings within and around a span of each of some meters. @returns one for each, in their order */
export async function readingsAround(db: Db, property_id: number, spans: readonly Span[]): Promise<Around[]> {
  const neighbour = (condition: RawBuilder<unknown>) => sql`(
    SELECT near.reading_timestamp FROM readings AS near
    WHERE near.property_id = ${property_id} AND near.meter_id = m.meter_id AND near.reading_timestamp ${condition})`;
  const from = neighbour(sql`< m.first_ms ORDER BY near.reading_timestamp DESC LIMIT 1`);
  const to = neighbour(
    sql`> m.last_ms ORDER BY near.reading_timestamp LIMIT 1 OFFSET ${sql.lit(FIRST_PAGE - 1)}`,
  );
  // The bounds first, by themselves: within the join the embedded engine would look for them at every reading.
  const bounded = sql`
    SELECT m.meter_id, m.first_ms, COALESCE(${from}, m.first_ms) AS from_ms,
      COALESCE(${to}, ${sql.lit(Number.MAX_SAFE_INTEGER)}) AS to_ms
    FROM ${numberRows(db, ['meter_id', 'first_ms', 'last_ms'], spans)}`;
  const readings = joinReadings(db, property_id, sql<number>`m.from_ms`, sql<number>`m.to_ms`);
  const { rows } = await sql<ReadingRow & { meter_id: number; highest_w: number | null }>`
    WITH bounded AS MATERIALIZED (${bounded})
    SELECT r.meter_id, ${PROJECTION}, CASE WHEN r.reading_timestamp < m.first_ms THEN ${highestUpTo(db, 'r')} END AS highest_w
    FROM bounded AS m ${readings}
    ORDER BY r.meter_id, r.reading_timestamp`.execute(db);
  const of_meter = new Map(
    spans.map(({ meter_id }) => [meter_id, { before: null, between: [], after: [] } as Around]),
  );
  const span_of = new Map(spans.map((span) => [span.meter_id, span]));
  for (const { meter_id, highest_w, ...row } of rows) {
    const around = of_meter.get(meter_id)!;
    const { first_ms, last_ms } = span_of.get(meter_id)!;
    const reading = toReading(row);
    if (reading.reading_timestamp < first_ms) around.before = { ...reading, highest_w: highest_w! };
    else if (reading.reading_timestamp <= last_ms) around.between.push(reading);
    else around.after.push(reading);
  }
  return spans.map(({ meter_id }) => of_meter.get(meter_id)!);
}

function toCells(property_id: number, meter_id: number, row: StoredReading) {
  return [
    property_id,
    meter_id,
    row.reading_timestamp,
    row.entry_id,
    READING_TYPES.indexOf(row.reading_type),
    row.value_wh,
    row.period_start,
    row.rollover_wh,
    row.confirmed ? 1 : 0,
    row.energy_wh,
    row.offset_wh,
    row.gap_ms,
    row.rate_w,
    row.stretches,
    row.is_highest ? 1 : 0,
    row.decreased ? 1 : 0,
    row.rolled_over ? 1 : 0,
    row.implausible ? 1 : 0,
  ];
}

/** Rows of one meter's projection. */
export interface MeterRows {
  meter_id: number;
  rows: readonly StoredReading[];
}

/** Adds rows to the projection of some meters. */
export async function insertReadings(
  tx: Tx,
  property_id: number,
  meters: readonly MeterRows[],
): Promise<void> {
  const cells = meters.flatMap(({ meter_id, rows }) =>
    rows.map((row) => toCells(property_id, meter_id, row)),
  );
  await insertRows(tx, 'readings', READING_COLUMNS, cells);
}

/** Gives rows of the projection of some meters new values. */
export async function replaceReadings(
  tx: Tx,
  property_id: number,
  meters: readonly MeterRows[],
): Promise<void> {
  const cells = meters.flatMap(({ meter_id, rows }) =>
    rows.map((row) => toCells(property_id, meter_id, row)),
  );
  await insertRows(tx, 'readings', READING_COLUMNS, cells, READING_KEY);
}

/** Takes rows out of one meter's projection. */
export async function deleteReadings(
  tx: Tx,
  property_id: number,
  meter_id: number,
  instants_ms: readonly number[],
): Promise<void> {
  if (instants_ms.length === 0) return;
  await sql`
    DELETE FROM readings WHERE property_id = ${property_id} AND meter_id = ${meter_id}
      AND reading_timestamp IN (SELECT value FROM ${numbers(tx, instants_ms)} AS gone)`.execute(tx);
}

/** Takes what a batch recorded out of one meter's projection. @param first_ms, last_ms between which that lies, both included */
export async function deleteRecorded(
  tx: Tx,
  property_id: number,
  meter_id: number,
  batch_id: number,
  { first_ms, last_ms }: Omit<Span, 'meter_id'>,
): Promise<void> {
  await sql`
    DELETE FROM readings WHERE property_id = ${property_id} AND meter_id = ${meter_id}
      AND reading_timestamp BETWEEN ${first_ms} AND ${last_ms}
      AND EXISTS (SELECT 1 FROM ledger_entries AS e WHERE e.id = readings.entry_id AND e.batch_id = ${batch_id})`.execute(
    tx,
  );
}

/** Moves the energy of every reading of a meter after an instant. */
export async function shiftReadings(
  tx: Tx,
  property_id: number,
  meter_id: number,
  after_ms: number,
  { energy_wh, gap_ms }: Shift,
): Promise<void> {
  await sql`
    UPDATE readings SET
      energy_wh = energy_wh + CAST(${energy_wh} AS BIGINT),
      offset_wh = offset_wh + CAST(${energy_wh} AS BIGINT),
      gap_ms = gap_ms + CAST(${gap_ms} AS BIGINT)
    WHERE property_id = ${property_id} AND meter_id = ${meter_id} AND reading_timestamp > ${after_ms}`.execute(
    tx,
  );
}

/** The meter's reading at exactly an instant. */
export async function readingAt(
  db: Db,
  property_id: number,
  meter_id: number,
  instant_ms: number,
): Promise<StoredReading | undefined> {
  return (await readingsBetween(db, property_id, meter_id, instant_ms, instant_ms))[0];
}

/** The meter's last energy: what a shift of it must not carry beyond exact integers. */
export async function lastReading(
  db: Db,
  property_id: number,
  meter_id: number,
): Promise<StoredReading | null> {
  return readingBefore(db, property_id, meter_id, Number.MAX_SAFE_INTEGER);
}

/** The meters of a store, with what their projection depends on. */
export async function metersAfter(db: Db, meter_id: number, limit: number): Promise<ProjectedMeter[]> {
  const { rows } = await sql<ProjectedMeter>`
    SELECT id, property_id, name, plausibility_factor FROM meters
    WHERE id > ${meter_id} ORDER BY id LIMIT ${limit}`.execute(db);
  return rows;
}

/** A reading of the projection whose meter is not there, or belongs to another property; undefined if there is none. */
export async function strayReading(
  db: Db,
): Promise<{ property_id: number; meter_id: number; entry_id: number } | undefined> {
  const { rows } = await sql<{ property_id: number; meter_id: number; entry_id: number }>`
    SELECT r.property_id, r.meter_id, r.entry_id FROM readings AS r
    WHERE NOT EXISTS (SELECT 1 FROM meters AS m WHERE m.id = r.meter_id AND m.property_id = r.property_id)
    LIMIT 1`.execute(db);
  return rows[0];
}

/** Empties the projection; the ledger it is made from stays. */
export async function deleteProjection(tx: Tx): Promise<void> {
  await sql`DELETE FROM readings`.execute(tx);
}
