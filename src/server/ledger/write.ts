/** Adds a batch to a property's chain, in the caller's transaction. The property must be locked (lockProperty). */
import { hash } from 'node:crypto';
import type { Source } from '../../contract/readings.ts';
import {
  batchHash,
  type ChainedEntry,
  canonicalEntry,
  GENESIS_HASH,
  leafHash,
  merkleRoot,
  type Sha256,
  type StoredBatch,
  toHex,
} from '../../core/chain.ts';
import type { Caller } from '../auth/caller.ts';
import { takeIds } from '../db/dialect.ts';
import type { Tx } from '../db/tables.ts';
import { together } from '../db/together.ts';
import * as store from './store.ts';

export const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');

/** Who records, through what, and when. */
export interface Author {
  caller: Caller;
  source: Source;
  now_ms: number;
}

/** How an author stands in the ledger: what comes with an API key has the source `api`, whatever the call. */
export function recordedBy({ caller, source }: Author) {
  return {
    recorded_by_user_id: caller.user_id,
    recorded_by_api_key_id: caller.api_key?.id ?? null,
    source: caller.api_key ? ('api' as const) : source,
  };
}

/** An entry before it has its place in the ledger. */
export type Draft = Omit<ChainedEntry, 'id' | 'property_id' | 'batch_id'>;

/** A draft with everything that is not said left empty. */
export function draft(said: Partial<Draft> & Pick<Draft, 'meter_id' | 'kind'>): Draft {
  return {
    reading_timestamp: null,
    value_wh: null,
    period_start: null,
    rollover_wh: null,
    confirmed: 0,
    initial_value_wh: null,
    serial_number: null,
    digits: null,
    multiplier: null,
    note: null,
    supersedes_id: null,
    reason: null,
    ...said,
  };
}

/** A batch with its place in the chain, ready to be written. */
export interface DrawnBatch {
  batch: StoredBatch;
  /** In the order of the drafts. */
  entries: ChainedEntry[];
  leaves: Uint8Array[];
}

/** Gives drafts their ids and their place in the chain; writes nothing. */
export async function drawBatch(
  tx: Tx,
  property_id: number,
  author: Author,
  drafts: readonly Draft[],
): Promise<DrawnBatch> {
  const [{ batch_id, entry_ids }, head] = await together([
    takeIds(tx, drafts.length),
    store.chainHead(tx, property_id),
  ]);
  const entries = drafts.map((said, i) => ({ ...said, id: entry_ids[i]!, property_id, batch_id }));
  const leaves = entries.map((entry) => leafHash(sha256, canonicalEntry(entry)));
  const header = {
    id: batch_id,
    property_id,
    sequence: (head?.sequence ?? 0) + 1,
    ...recordedBy(author),
    created_at: author.now_ms,
    entry_count: entries.length,
  };
  const merkle_root = toHex(merkleRoot(sha256, leaves));
  const batch_hash = batchHash(sha256, head?.hash ?? GENESIS_HASH, header, merkle_root);
  return { batch: { ...header, merkle_root, hash: batch_hash }, entries, leaves };
}

export async function insertDrawn(tx: Tx, { batch, entries, leaves }: DrawnBatch): Promise<void> {
  const hashed = entries.map((entry, i) => ({ ...entry, leaf_hash: leaves[i]! }));
  await together([store.insertBatch(tx, batch), store.insertEntries(tx, hashed)]);
}

/** @returns the entries as they stand in the ledger, in the order of the drafts */
export async function writeBatch(
  tx: Tx,
  property_id: number,
  author: Author,
  drafts: readonly Draft[],
): Promise<{ batch_id: number; entries: ChainedEntry[] }> {
  const drawn = await drawBatch(tx, property_id, author, drafts);
  await insertDrawn(tx, drawn);
  return { batch_id: drawn.batch.id, entries: drawn.entries };
}
