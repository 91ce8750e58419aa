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
  toHex,
} from '../../core/chain.ts';
import type { Caller } from '../auth/caller.ts';
import { takeIds } from '../db/dialect.ts';
import type { Tx } from '../db/tables.ts';
import * as store from './store.ts';

export const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');

/** Who records, through what, and when. */
export interface Author {
  caller: Caller;
  source: Source;
  now_ms: number;
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

/** @returns the entries as they stand in the ledger, in the order of the drafts */
export async function writeBatch(
  tx: Tx,
  property_id: number,
  { caller, source, now_ms }: Author,
  drafts: readonly Draft[],
): Promise<{ batch_id: number; entries: ChainedEntry[] }> {
  const [batch_id] = (await takeIds(tx, 'batches', 1)) as [number];
  const ids = await takeIds(tx, 'ledger_entries', drafts.length);
  const entries = drafts.map((said, i) => ({ ...said, id: ids[i]!, property_id, batch_id }));
  const leaves = entries.map((entry) => leafHash(sha256, canonicalEntry(entry)));
  const head = await store.chainHead(tx, property_id);
  const header = {
    id: batch_id,
    property_id,
    sequence: (head?.sequence ?? 0) + 1,
    recorded_by_user_id: caller.user_id,
    source,
    created_at: now_ms,
    entry_count: entries.length,
  };
  const merkle_root = toHex(merkleRoot(sha256, leaves));
  const batch_hash = batchHash(sha256, head?.hash ?? GENESIS_HASH, header, merkle_root);
  await store.insertBatch(tx, { ...header, merkle_root, hash: batch_hash });
  await store.insertEntries(
    tx,
    entries.map((entry, i) => ({ ...entry, leaf_hash: leaves[i]! })),
  );
  return { batch_id, entries };
}
