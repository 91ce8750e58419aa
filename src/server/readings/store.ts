/** SQL of the ledger: its entries (the truth) and the readings in force (the projection). */
import { type Insertable, sql } from 'kysely';
import type { Source } from '../../contract/readings.ts';
import type { Projected, Recorded, Shift } from '../../core/reading.ts';
import { insertRows, numbers } from '../db/dialect.ts';
import type { Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

/** A row of the projection, with the ledger entry it stands for. */
export type StoredReading = Projected & { entry_id: number };

type ReadingRow = Pick<
  Tables['readings'],
  | 'entry_id'
  | 'reading_timestamp'
  | 'is_relative'
  | 'value_wh'
  | 'period_start'
  | 'energy_wh'
  | 'offset_wh'
  | 'gap_ms'
  | 'decreased'
>;

const PROJECTION = sql.raw(
  'r.entry_id, r.reading_timestamp, r.is_relative, r.value_wh, r.period_start, r.energy_wh, r.offset_wh, r.gap_ms, r.decreased',
);

function toReading({ is_relative, decreased, ...row }: ReadingRow): StoredReading {
  return { ...row, reading_type: is_relative ? 'relative' : 'absolute', decreased: decreased === 1 };
}

/** The meter's last reading before an instant. */
export async function readingBefore(
  db: Db,
  property_id: number,
  meter_id: number,
  instant_ms: number,
): Promise<StoredReading | null> {
  const { rows } = await sql<ReadingRow>`
    SELECT ${PROJECTION} FROM readings AS r
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id} AND r.reading_timestamp < ${instant_ms}
    ORDER BY r.reading_timestamp DESC LIMIT 1`.execute(db);
  return rows[0] ? toReading(rows[0]) : null;
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

/** The next batch of a property; the property must be locked, so that the numbers have no gaps. */
export async function insertBatch(
  tx: Tx,
  batch: Omit<Insertable<Tables['batches']>, 'sequence' | 'id' | 'source'> & { source: Source },
): Promise<number> {
  const { property_id, recorded_by_user_id, source, created_at, entry_count } = batch;
  const { rows } = await sql<{ id: number }>`
    INSERT INTO batches (property_id, sequence, recorded_by_user_id, source, created_at, entry_count)
    VALUES (${property_id},
      (SELECT COALESCE(MAX(sequence), 0) + 1 FROM batches WHERE property_id = ${property_id}),
      ${recorded_by_user_id}, ${source}, ${created_at}, ${entry_count})
    RETURNING id`.execute(tx);
  return rows[0]!.id;
}

export type NewEntry = Recorded & { entry_id: number; meter_id: number; note: string | null };

export async function insertEntries(
  tx: Tx,
  property_id: number,
  batch_id: number,
  entries: readonly NewEntry[],
): Promise<void> {
  await insertRows(
    tx,
    'ledger_entries',
    [
      'id',
      'property_id',
      'batch_id',
      'meter_id',
      'reading_timestamp',
      'is_relative',
      'value_wh',
      'period_start',
      'note',
    ],
    entries.map((entry) => [
      entry.entry_id,
      property_id,
      batch_id,
      entry.meter_id,
      entry.reading_timestamp,
      entry.reading_type === 'relative' ? 1 : 0,
      entry.value_wh,
      entry.period_start,
      entry.note,
    ]),
  );
}

const READING_KEY = ['property_id', 'meter_id', 'reading_timestamp'] as const;
const READING_COLUMNS = [
  ...READING_KEY,
  'entry_id',
  'is_relative',
  'value_wh',
  'period_start',
  'energy_wh',
  'offset_wh',
  'gap_ms',
  'decreased',
] as const;

function toCells(property_id: number, meter_id: number, row: StoredReading) {
  return [
    property_id,
    meter_id,
    row.reading_timestamp,
    row.entry_id,
    row.reading_type === 'relative' ? 1 : 0,
    row.value_wh,
    row.period_start,
    row.energy_wh,
    row.offset_wh,
    row.gap_ms,
    row.decreased ? 1 : 0,
  ];
}

/** Adds rows to one meter's projection. */
export async function insertReadings(
  tx: Tx,
  property_id: number,
  meter_id: number,
  rows: readonly StoredReading[],
): Promise<void> {
  const cells = rows.map((row) => toCells(property_id, meter_id, row));
  await insertRows(tx, 'readings', READING_COLUMNS, cells);
}

/** Gives rows of one meter's projection new values. */
export async function replaceReadings(
  tx: Tx,
  property_id: number,
  meter_id: number,
  rows: readonly StoredReading[],
): Promise<void> {
  const cells = rows.map((row) => toCells(property_id, meter_id, row));
  await insertRows(tx, 'readings', READING_COLUMNS, cells, READING_KEY);
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

/** The meter's last energy: what a shift of it must not carry beyond exact integers. */
export async function lastReading(
  db: Db,
  property_id: number,
  meter_id: number,
): Promise<StoredReading | null> {
  return readingBefore(db, property_id, meter_id, Number.MAX_SAFE_INTEGER);
}

/** A ledger entry with its batch and meter, and what the projection says of it. */
export interface EntryRow {
  id: number;
  property_id: number;
  meter_id: number;
  meter_name: string;
  location: string | null;
  reading_timestamp: number;
  is_relative: number;
  value_wh: number;
  period_start: number | null;
  note: string | null;
  batch_id: number;
  source: Source;
  recorded_by_user_id: number;
  created_at: number;
  decreased: number;
}

const ENTRY = sql.raw(`
  e.id, e.property_id, e.meter_id, m.name AS meter_name, m.location, e.reading_timestamp, e.is_relative, e.value_wh,
  e.period_start, e.note, e.batch_id, b.source, b.recorded_by_user_id, b.created_at, r.decreased`);
const ENTRY_OF_READING = sql.raw(`
  JOIN ledger_entries AS e ON e.id = r.entry_id
  JOIN batches AS b ON b.id = e.batch_id
  JOIN meters AS m ON m.id = e.meter_id`);

/** Ledger entries by their ids, in the order of the ids. */
export async function entriesById(db: Db, ids: readonly number[]): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ${numbers(db, ids)} AS wanted
    JOIN ledger_entries AS e ON e.id = wanted.value
    JOIN batches AS b ON b.id = e.batch_id
    JOIN meters AS m ON m.id = e.meter_id
    JOIN readings AS r ON r.property_id = e.property_id AND r.meter_id = e.meter_id
      AND r.reading_timestamp = e.reading_timestamp AND r.entry_id = e.id
    ORDER BY e.id`.execute(db);
  return rows;
}

/** The readings of a property's meters at exactly one instant. */
export async function entriesAt(db: Db, property_id: number, instant_ms: number): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM meters AS of_property
    JOIN readings AS r ON r.property_id = ${property_id} AND r.meter_id = of_property.id
      AND r.reading_timestamp = ${instant_ms}
    ${ENTRY_OF_READING}
    WHERE of_property.property_id = ${property_id} AND of_property.is_active = 1
    ORDER BY m.meter_type, m.name_folded, m.id`.execute(db);
  return rows;
}

/** The latest instant at which an active meter of a property was read; null if none ever was. */
export async function latestInstant(db: Db, property_id: number): Promise<number | null> {
  const { rows } = await sql<{ latest: number | null }>`
    SELECT MAX((
      SELECT r.reading_timestamp FROM readings AS r WHERE r.property_id = ${property_id} AND r.meter_id = m.id
      ORDER BY r.reading_timestamp DESC LIMIT 1)) AS latest
    FROM meters AS m WHERE m.property_id = ${property_id} AND m.is_active = 1`.execute(db);
  return rows[0]?.latest ?? null;
}

/** A meter's readings, newest first. */
export async function history(
  db: Db,
  property_id: number,
  meter_id: number,
  { limit, offset }: Page,
): Promise<{ rows: EntryRow[]; total: number }> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM readings AS r ${ENTRY_OF_READING}
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id}
    ORDER BY r.reading_timestamp DESC LIMIT ${limit} OFFSET ${offset}`.execute(db);
  const counted = await sql<{ total: number }>`
    SELECT COUNT(*) AS total FROM readings WHERE property_id = ${property_id} AND meter_id = ${meter_id}`.execute(
    db,
  );
  return { rows, total: counted.rows[0]!.total };
}

/** The readings of some meters in a period, start included, end not; oldest first, then by meter. */
export async function range(
  db: Db,
  property_id: number,
  meter_ids: readonly number[],
  start_ms: number,
  end_ms: number,
  { limit, offset }: Page,
): Promise<{ rows: EntryRow[]; total: number }> {
  const period = sql`
    r.property_id = ${property_id} AND r.meter_id IN (SELECT value FROM ${numbers(db, meter_ids)} AS ids)
    AND r.reading_timestamp >= ${start_ms} AND r.reading_timestamp < ${end_ms}`;
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM readings AS r ${ENTRY_OF_READING} WHERE ${period}
    ORDER BY r.reading_timestamp, r.meter_id LIMIT ${limit} OFFSET ${offset}`.execute(db);
  const counted = await sql<{
    total: number;
  }>`SELECT COUNT(*) AS total FROM readings AS r WHERE ${period}`.execute(db);
  return { rows, total: counted.rows[0]!.total };
}
