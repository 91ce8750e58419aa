/** SQL of the truth: batches and ledger entries, to which rows are only ever added. */
import { type Selectable, sql } from 'kysely';
import type { ChainedEntry, StoredBatch } from '../../core/chain.ts';
import type { Recorded } from '../../core/reading.ts';
import { insertRows, lockRows, oneOf } from '../db/dialect.ts';
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
  'photo_sha256',
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

/** A batch with the names of who recorded it, and of the key. */
export type NamedBatch = StoredBatch & { recorded_by: string; recorded_by_api_key: string | null };

/** A property's batches, newest first. @param before_sequence only older ones; null: all */
export async function listBatches(
  db: Db,
  property_id: number,
  before_sequence: number | null,
  { limit, offset }: Page,
): Promise<NamedBatch[]> {
  const { rows } = await sql<NamedBatch>`
    SELECT b.*, u.username AS recorded_by, k.name AS recorded_by_api_key
    FROM batches AS b JOIN users AS u ON u.id = b.recorded_by_user_id
    LEFT JOIN api_keys AS k ON k.id = b.recorded_by_api_key_id
    WHERE b.property_id = ${property_id} AND b.sequence < ${before_sequence ?? Number.MAX_SAFE_INTEGER}
    ORDER BY b.sequence DESC LIMIT ${limit} OFFSET ${offset}`.execute(db);
  return rows;
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

const ENTRIES_AT_ONCE = 5000;

/** The entries of a batch in pages, by id: a batch may be larger than memory. */
export async function* pagesOfBatch(db: Db, batch_id: number): AsyncGenerator<EntryRow[]> {
  for (let after_id = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows } = await sql<EntryRow>`
      SELECT ${ENTRY} FROM ledger_entries AS e WHERE e.batch_id = ${batch_id} AND e.id > ${after_id}
      ORDER BY e.id LIMIT ${ENTRIES_AT_ONCE}`.execute(db);
    yield rows;
    if (rows.length < ENTRIES_AT_ONCE) return;
    after_id = rows.at(-1)!.id;
  }
}

/** The next hashes of photos that a property's ledger names, in their order. */
export async function photosAfter(
  db: Db,
  property_id: number,
  photo_sha256: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ photo_sha256: string }>`
    SELECT DISTINCT photo_sha256 FROM ledger_entries
    WHERE property_id = ${property_id} AND photo_sha256 IS NOT NULL AND photo_sha256 > ${photo_sha256}
    ORDER BY photo_sha256 LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.photo_sha256);
}

/** How many entries of its batch come before an entry. */
export async function placeInBatch(
  db: Db,
  { batch_id, id }: Pick<EntryRow, 'batch_id' | 'id'>,
): Promise<number> {
  const { rows } = await sql<{ place: number }>`
    SELECT COUNT(*) AS place FROM ledger_entries WHERE batch_id = ${batch_id} AND id < ${id}`.execute(db);
  return rows[0]!.place;
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

/** Some entries, in no order. */
export async function findEntries(db: Db, ids: readonly number[]): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ledger_entries AS e WHERE e.id ${oneOf(db, ids)}`.execute(db);
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
  return devicesOfMeters(db, [meter_id]);
}

/** The same for some meters at once. */
export async function devicesOfMeters(db: Db, meter_ids: readonly number[]): Promise<EntryRow[]> {
  const { rows } = await sql<EntryRow>`
    SELECT ${ENTRY} FROM ledger_entries AS e
    WHERE e.meter_id ${oneOf(db, meter_ids)} AND e.kind = 'device'
      AND NOT EXISTS (SELECT 1 FROM ledger_entries AS s WHERE s.supersedes_id = e.id)`.execute(db);
  return rows.sort((a, b) => (a.reading_timestamp ?? -Infinity) - (b.reading_timestamp ?? -Infinity));
}

/** A reading in force, with the entry it stands for. */
export type InForce = Recorded & { entry_id: number };

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

/** Makes all writers wait: everything stays as it is until the transaction ends. */
export async function lockEveryProperty(tx: Tx): Promise<void> {
  await lockRows(tx, sql`SELECT id FROM properties ORDER BY id`);
}
