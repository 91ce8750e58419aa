/** Adds a batch to a property's chain, in the caller's transaction. The property must be locked (lockProperty). */
import { hash } from 'node:crypto';
import type { Source } from '../../contract/readings.ts';
import {
  batchHash,
  type ChainedEntry,
  canonicalEntry,
  GENESIS_HASH,
  leafHash,
  MerkleTree,
  merkleRoot,
  type Sha256,
  type StoredBatch,
  toHex,
} from '../../core/chain.ts';
import type { Caller } from '../auth/caller.ts';
import { reserveEntryIds, takeIds } from '../db/dialect.ts';
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

/** How an author stands in the ledger: what comes with an API key has the source `api`, but for what devices call. */
export function recordedBy({ caller, source }: Author) {
  return {
    recorded_by_user_id: caller.user_id,
    recorded_by_api_key_id: caller.api_key?.id ?? null,
    source: caller.api_key && source !== 'device' ? ('api' as const) : source,
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
    photo_sha256: null,
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
  const about = { batch_id, property_id, author, entry_count: entries.length };
  return { batch: follow(head, about, merkleRoot(sha256, leaves)), entries, leaves };
}

/** The batch that follows the head of a property's chain. */
function follow(
  head: StoredBatch | undefined,
  about: { batch_id: number; property_id: number; author: Author; entry_count: number },
  root: Uint8Array,
): StoredBatch {
  const { batch_id, property_id, author, entry_count } = about;
  const header = {
    id: batch_id,
    property_id,
    sequence: (head?.sequence ?? 0) + 1,
    ...recordedBy(author),
    created_at: author.now_ms,
    entry_count,
  };
  const merkle_root = toHex(root);
  const batch_hash = batchHash(sha256, head?.hash ?? GENESIS_HASH, header, merkle_root);
  return { ...header, merkle_root, hash: batch_hash };
}

/** An entry with the hash of its canonical form, as it is stored. */
export type HashedEntry = ChainedEntry & { leaf_hash: Uint8Array };

/**
 * A batch with more entries than memory holds: its entries are drawn in pages, then its header is written, and only then
 * the entries, since they name it. The property must be locked (lockProperty).
 */
export class LongBatch {
  readonly #tx: Tx;
  readonly #property_id: number;
  readonly #tree = new MerkleTree(sha256);
  #entry_count = 0;
  #batch_id: number | null = null;

  constructor(tx: Tx, property_id: number) {
    this.#tx = tx;
    this.#property_id = property_id;
  }

  /**
   * Gives the next drafts, one at least, their ids and their place in the chain; writes nothing.
   * @param draftsOf gets their ids: one may supersede another
   */
  async draw(count: number, draftsOf: (ids: readonly number[]) => readonly Draft[]): Promise<HashedEntry[]> {
    this.#batch_id ??= (await takeIds(this.#tx, 0)).batch_id;
    const ids = await reserveEntryIds(this.#tx, count);
    const place = { property_id: this.#property_id, batch_id: this.#batch_id };
    this.#entry_count += count;
    return draftsOf(ids).map((said, i) => {
      const entry = { ...said, id: ids[i]!, ...place };
      const leaf_hash = leafHash(sha256, canonicalEntry(entry));
      this.#tree.add(leaf_hash);
      return { ...entry, leaf_hash };
    });
  }

  /** Writes the header of what was drawn. @returns the batch's id; null if nothing was drawn, and nothing is written */
  async close(author: Author): Promise<number | null> {
    if (this.#batch_id === null) return null;
    const head = await store.chainHead(this.#tx, this.#property_id);
    const about = {
      batch_id: this.#batch_id,
      property_id: this.#property_id,
      author,
      entry_count: this.#entry_count,
    };
    await store.insertBatch(this.#tx, follow(head, about, this.#tree.root()));
    return this.#batch_id;
  }
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
