/** SQL of readings as people ask for them: with their batch, their meter and their flags. */
import { sql } from 'kysely';
import type { Source } from '../../contract/readings.ts';
import { joinFirstReadings, numberRows, numbers } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';

/** A reading's ledger entry with its batch and meter, and what the projection says of it if it is in force. */
export interface EntryRow {
  id: number;
  property_id: number;
  meter_id: number;
  meter_name: string;
  location: string | null;
  kind: string;
  /** Null, like the value, only where the entry voids another. */
  reading_timestamp: number;
  value_wh: number;
  period_start: number | null;
  rollover_wh: number | null;
  note: string | null;
  photo_sha256: string | null;
  reason: string | null;
  supersedes_id: number | null;
  superseded_by_id: number | null;
  batch_id: number;
  source: Source;
  recorded_by_user_id: number;
  recorded_by_api_key_id: number | null;
  created_at: number;
  decreased: number | null;
  rolled_over: number | null;
  implausible: number | null;
}

const ENTRY = sql.raw(`
  e.id, e.property_id, e.meter_id, of_entry.name AS meter_name, of_entry.location, e.kind, e.reading_timestamp, e.value_wh,
  e.period_start, e.rollover_wh, e.note, e.photo_sha256, e.reason, e.supersedes_id, e.batch_id, b.source, b.recorded_by_user_id,
  b.recorded_by_api_key_id, b.created_at, r.decreased, r.rolled_over, r.implausible`);
const ENTRY_OF_READING = sql.raw(`
  JOIN ledger_entries AS e ON e.id = r.entry_id
  JOIN batches AS b ON b.id = e.batch_id
  JOIN meters AS of_entry ON of_entry.id = e.meter_id`);
const IN_FORCE = sql.raw('NULL AS superseded_by_id');
/** Replacements stand in the projection too, but nobody recorded them as readings. */
const A_READING = sql.raw('r.reading_type <> 2');

/** An entry with the name of who recorded it. */
export type NamedEntry = EntryRow & { recorded_by: string };

/** Entries of readings by their ids, in force or not, in the order of the ids. */
export async function entriesById(db: Db, ids: readonly number[]): Promise<NamedEntry[]> {
  const { rows } = await sql<NamedEntry>`
    SELECT ${ENTRY}, u.username AS recorded_by, s.id AS superseded_by_id FROM ${numbers(db, ids)} AS wanted
    JOIN ledger_entries AS e ON e.id = wanted.value
    JOIN batches AS b ON b.id = e.batch_id
    JOIN users AS u ON u.id = b.recorded_by_user_id
    JOIN meters AS of_entry ON of_entry.id = e.meter_id
    LEFT JOIN readings AS r ON r.property_id = e.property_id AND r.meter_id = e.meter_id
      AND r.reading_timestamp = e.reading_timestamp AND r.entry_id = e.id
    LEFT JOIN ledger_entries AS s ON s.supersedes_id = e.id
    WHERE e.kind <> 'device'
    ORDER BY e.id`.execute(db);
  return rows;
}

/** The readings of a property's meters at exactly one instant. */
export async function entriesAt(db: Db, property_id: number, instant_ms: number): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY}, ${IN_FORCE} FROM meters AS of_property
    JOIN readings AS r ON r.property_id = ${property_id} AND r.meter_id = of_property.id
      AND r.reading_timestamp = ${instant_ms} AND ${A_READING}
    ${ENTRY_OF_READING}
    WHERE of_property.property_id = ${property_id} AND of_property.is_active = 1
    ORDER BY of_property.meter_type, of_property.name_folded, of_property.id`.execute(db);
  return rows;
}

/** The latest instant at which one of some meters of a property was read; null if none ever was. */
export async function latestInstant(
  db: Db,
  property_id: number,
  meter_ids: readonly number[],
): Promise<number | null> {
  const { rows } = await sql<{ latest: number | null }>`
    SELECT MAX((
      SELECT r.reading_timestamp FROM readings AS r WHERE r.property_id = ${property_id} AND r.meter_id = m.value AND ${A_READING}
      ORDER BY r.reading_timestamp DESC LIMIT 1)) AS latest
    FROM ${numbers(db, meter_ids)} AS m`.execute(db);
  return rows[0]?.latest ?? null;
}

/** Which rows of a list: those after a place in its order, at most so many. */
export interface Slice {
  limit: number;
  offset: number;
  /** What the row before is ordered by; without it from the beginning. */
  after?: readonly number[] | undefined;
}

/** A meter's readings, newest first. @param slice ordered by instant and id, both descending */
export async function history(
  db: Db,
  property_id: number,
  meter_id: number,
  { limit, offset, after }: Slice,
): Promise<EntryRow[]> {
  const before_ms = after ? after[0]! : Number.MAX_SAFE_INTEGER;
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY}, ${IN_FORCE} FROM readings AS r ${ENTRY_OF_READING}
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id} AND ${A_READING}
      AND r.reading_timestamp < ${before_ms}
    ORDER BY r.reading_timestamp DESC LIMIT ${limit} OFFSET ${offset}`.execute(db);
  return rows;
}

export async function countHistory(db: Db, property_id: number, meter_id: number): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    SELECT COUNT(*) AS total FROM readings AS r
    WHERE r.property_id = ${property_id} AND r.meter_id = ${meter_id} AND ${A_READING}`.execute(db);
  return rows[0]!.total;
}

/** A meter's entries that were corrected or voided; without the voids that were themselves undone. */
export async function supersededEntries(db: Db, meter_id: number): Promise<EntryRow[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT supersedes_id AS id FROM ledger_entries
    WHERE meter_id = ${meter_id} AND supersedes_id IS NOT NULL`.execute(db);
  const entries = await entriesById(
    db,
    rows.map(({ id }) => id),
  );
  return entries.filter(({ kind }) => kind !== 'void');
}

/** Readings of some meters from one instant to another, start included, end not. */
export interface Ranged {
  property_id: number;
  meter_ids: readonly number[];
  start_ms: number;
  end_ms: number;
}

/** Oldest first, then by meter. @param slice ordered by instant and meter */
export async function range(
  db: Db,
  { property_id, meter_ids, start_ms, end_ms }: Ranged,
  { limit, offset, after }: Slice,
): Promise<EntryRow[]> {
  // Instants are whole milliseconds: of meters up to the one of the row before, what comes after begins one later.
  const [after_ms, after_meter] = after ?? [start_ms - 1, Number.MAX_SAFE_INTEGER];
  const rows_of_meters = meter_ids.map((meter_id) => ({
    property_id,
    meter_id,
    from_ms: meter_id <= after_meter! ? after_ms! + 1 : after_ms!,
  }));
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY}, ${IN_FORCE}
    FROM ${numberRows(db, ['property_id', 'meter_id', 'from_ms'], rows_of_meters)}
    ${joinFirstReadings(db, limit + offset, end_ms)}
    ${ENTRY_OF_READING}
    ORDER BY r.reading_timestamp, r.meter_id LIMIT ${limit} OFFSET ${offset}`.execute(db);
  return rows;
}

export async function countRange(
  db: Db,
  { property_id, meter_ids, start_ms, end_ms }: Ranged,
): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    SELECT COUNT(*) AS total FROM readings AS r
    WHERE r.property_id = ${property_id} AND r.meter_id IN (SELECT value FROM ${numbers(db, meter_ids)} AS ids)
      AND r.reading_timestamp >= ${start_ms} AND r.reading_timestamp < ${end_ms} AND ${A_READING}`.execute(
    db,
  );
  return rows[0]!.total;
}
