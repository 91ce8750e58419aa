/** SQL of the truth (batches and ledger entries, to which rows are only ever added) and of the readings in force. */
import { type Selectable, sql } from 'kysely';
import type { ChainedEntry, StoredBatch } from '../../core/chain.ts';
import type { Projected, Recorded, Shift } from '../../core/reading.ts';
import { insertRows, lockRows, numbers } from '../db/dialect.ts';
import type { Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type EntryRow = Selectable<Tables['ledger_entries']>;

const ENTRY_COLUMNS = [
  'id',
  'property_id',
  'batch_id',
  'meter_id',
  'kind',
  'reading_timestamp',
  'value_wh',
  'period_start',
  'rollover_wh',
  'confirmed',
  'initial_value_wh',
  'serial_number',
  'digits',
  'multiplier',
  'note',
  'supersedes_id',
  'reason',
  'leaf_hash',
] as const;
const ENTRY = sql.raw(ENTRY_COLUMNS.map((column) => `e.${column}`).join(', '));

/** The head of a property's chain; undefined before its first batch. */
export async function chainHead(db: Db, property_id: number): Promise<StoredBatch | undefined> {
  const { rows } = await sql<StoredBatch>`
    SELECT * FROM batches WHERE property_id = ${property_id} ORDER BY sequence DESC LIMIT 1`.execute(db);
  return rows[0];
}

export async function insertBatch(tx: Tx, batch: StoredBatch): Promise<void> {
  await tx.insertInto('batches').values(batch).execute();
}

export async function insertEntries(
  tx: Tx,
  entries: readonly (ChainedEntry & { leaf_hash: Uint8Array })[],
): Promise<void> {
  await insertRows(
    tx,
    'ledger_entries',
    ENTRY_COLUMNS,
    entries.map((entry) => ENTRY_COLUMNS.map((column) => entry[column])),
  );
}

export async function findBatch(db: Db, batch_id: number): Promise<StoredBatch | undefined> {
  const { rows } = await sql<StoredBatch>`SELECT * FROM batches WHERE id = ${batch_id}`.execute(db);
  return rows[0];
}

/** A property's batches, newest first, with the name of who recorded each. */
export async function listBatches(
  db: Db,
  property_id: number,
  { limit, offset }: Page,
): Promise<{ rows: (StoredBatch & { recorded_by: string })[]; total: number }> {
  const { rows } = await sql<StoredBatch & { recorded_by: string }>`
    SELECT b.*, u.username AS recorded_by FROM batches AS b JOIN users AS u ON u.id = b.recorded_by_user_id
    WHERE b.property_id = ${property_id} ORDER BY b.sequence DESC LIMIT ${limit} OFFSET ${offset}`.execute(
    db,
  );
  const head = await chainHead(db, property_id);
  // Sequences have no gaps.
  return { rows, total: head?.sequence ?? 0 };
}

/** The next batches of a chain after a sequence number, oldest first. */
export async function batchesAfter(
  db: Db,
  property_id: number,
  sequence: number,
  limit: number,
): Promise<StoredBatch[]> {
  const { rows } = await sql<StoredBatch>`
    SELECT * FROM batches WHERE property_id = ${property_id} AND sequence > ${sequence}
    ORDER BY sequence LIMIT ${limit}`.execute(db);
  return rows;
}

/** The entries of a batch, by id. */
export async function entriesOfBatch(db: Db, batch_id: number): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ledger_entries AS e WHERE e.batch_id = ${batch_id} ORDER BY e.id`.execute(db);
  return rows;
}

/** Makes the writers of an entry's property queue, as lockProperty does. */
export async function lockPropertyOfEntry(tx: Tx, entry_id: number): Promise<void> {
  await lockRows(
    tx,
    sql`SELECT id FROM properties WHERE id = (SELECT property_id FROM ledger_entries WHERE id = ${entry_id})`,
  );
}

export async function findEntry(db: Db, id: number): Promise<EntryRow | undefined> {
  const { rows } = await sql<EntryRow>`SELECT ${ENTRY} FROM ledger_entries AS e WHERE e.id = ${id}`.execute(
    db,
  );
  return rows[0];
}

/** An entry that supersedes one of a batch; undefined if all of the batch is in force. */
export async function successorOfBatch(db: Db, batch_id: number): Promise<EntryRow | undefined> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ledger_entries AS of_batch JOIN ledger_entries AS e ON e.supersedes_id = of_batch.id
    WHERE of_batch.batch_id = ${batch_id} ORDER BY of_batch.id LIMIT 1`.execute(db);
  return rows[0];
}

/** The entries that those of a batch supersede. */
export async function supersededByBatch(db: Db, batch_id: number): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ledger_entries AS of_batch JOIN ledger_entries AS e ON e.id = of_batch.supersedes_id
    WHERE of_batch.batch_id = ${batch_id}`.execute(db);
  return rows;
}

/** The ids of all entries of which one is the correction of the other, in the order in which they were recorded. */
export async function lineage(db: Db, id: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    WITH RECURSIVE
      before(id, supersedes_id) AS (
        SELECT id, supersedes_id FROM ledger_entries WHERE id = ${id}
        UNION ALL
        SELECT e.id, e.supersedes_id FROM ledger_entries AS e JOIN before ON e.id = before.supersedes_id),
      after(id) AS (
        SELECT id FROM ledger_entries WHERE supersedes_id = ${id}
        UNION ALL
        SELECT e.id FROM ledger_entries AS e JOIN after ON e.supersedes_id = after.id)
    SELECT id FROM before UNION SELECT id FROM after ORDER BY id`.execute(db);
  return rows.map((row) => row.id);
}

/** The devices of a meter that are in force, in the order of their installation. */
export async function devicesOf(db: Db, meter_id: number): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ledger_entries AS e
    WHERE e.meter_id = ${meter_id} AND e.kind = 'device'
      AND NOT EXISTS (SELECT 1 FROM ledger_entries AS s WHERE s.supersedes_id = e.id)`.execute(db);
  return rows.sort((a, b) => (a.reading_timestamp ?? -Infinity) - (b.reading_timestamp ?? -Infinity));
}

/** A row of the projection, with the ledger entry it stands for. */
export type StoredReading = Projected & { entry_id: number };

/** A reading in force, with the entry it stands for. */
export type InForce = Recorded & { entry_id: number };

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
  'peak_w',
  'stretches',
  'decreased',
  'rolled_over',
  'implausible',
] as const;
const READING_COLUMNS = [...READING_KEY, ...READING_VALUES] as const;

type ReadingRow = Pick<Tables['readings'], 'reading_timestamp' | (typeof READING_VALUES)[number]>;

const PROJECTION = sql.raw(
  ['reading_timestamp', ...READING_VALUES].map((column) => `r.${column}`).join(', '),
);

/** How the projection writes reading types. */
export const READING_TYPES = ['absolute', 'relative', 'replacement'] as const;

export function toReading({
  reading_type,
  confirmed,
  decreased,
  rolled_over,
  implausible,
  ...row
}: ReadingRow): StoredReading {
  return {
    ...row,
    reading_type: READING_TYPES[reading_type]!,
    confirmed: confirmed === 1,
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
    row.peak_w,
    row.stretches,
    row.decreased ? 1 : 0,
    row.rolled_over ? 1 : 0,
    row.implausible ? 1 : 0,
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

/** The readings and replacements of a meter that are in force according to the ledger, in order of time. */
export async function inForce(db: Db, property_id: number, meter_id: number): Promise<InForce[]> {
  const { rows } = await sql<{
    entry_id: number;
    kind: string;
    reading_timestamp: number;
    value_wh: number;
    period_start: number | null;
    rollover_wh: number | null;
    confirmed: number;
  }>`
    SELECT e.id AS entry_id, e.kind, e.reading_timestamp, e.value_wh, e.period_start, e.rollover_wh, e.confirmed
    FROM batches AS b JOIN ledger_entries AS e ON e.batch_id = b.id
    WHERE b.property_id = ${property_id} AND e.meter_id = ${meter_id}
      AND e.kind <> 'void' AND e.reading_timestamp IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ledger_entries AS s WHERE s.supersedes_id = e.id)
    ORDER BY e.reading_timestamp, e.id`.execute(db);
  return rows.map(({ kind, confirmed, ...row }) => ({
    ...row,
    reading_type: kind === 'device' ? 'replacement' : (kind as 'absolute' | 'relative'),
    confirmed: confirmed === 1,
  }));
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

/** Makes all writers wait: everything stays as it is until the transaction ends. */
export async function lockEveryProperty(tx: Tx): Promise<void> {
  await lockRows(tx, sql`SELECT id FROM properties ORDER BY id`);
}

/** Empties the projection; the ledger it is made from stays. */
export async function deleteProjection(tx: Tx): Promise<void> {
  await sql`DELETE FROM readings`.execute(tx);
}
