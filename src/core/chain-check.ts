/** Checks a chain as it comes, entry by entry: of the database, or the lines of a proof file (docs/ledger-format.md). */
import {
  batchHash,
  type ChainedEntry,
  canonicalEntry,
  fromHex,
  GENESIS_HASH,
  leafHash,
  MerkleTree,
  parseCanonicalEntry,
  type Sha256,
  type StoredBatch,
  type StoredEntry,
  toHex,
} from './chain.ts';

/** What is wrong with a chain, in the words of a person who holds it against another. */
export interface ChainFault {
  sequence: number;
  batch_id: number | null;
  entry_id: number | null;
  detail: string;
}

/** The batch that is being checked. */
interface Open {
  batch: StoredBatch;
  tree: MerkleTree;
  entries: number;
  last_id: number;
}

/** Checks batches and their entries in their order. After the first fault nothing more is looked at. */
export class ChainCheck {
  /** Entries of the batches that hold. */
  entries = 0;
  /** The last batch that holds; null before the first. */
  head: { sequence: number; hash: string } | null = null;
  fault: ChainFault | null = null;
  readonly #sha256: Sha256;
  #property_id: number | null;
  #open: Open | null = null;

  /** @param property_id whose chain it is; null: that of its first batch */
  constructor(sha256: Sha256, property_id: number | null = null) {
    this.#sha256 = sha256;
    this.#property_id = property_id;
  }

  /** @param detail what is wrong with the batch that is open, or with the one that should follow */
  fail(detail: string, entry_id: number | null = null, batch = this.#open?.batch): void {
    const sequence = batch?.sequence ?? this.next;
    this.fault ??= { sequence, batch_id: batch?.id ?? null, entry_id, detail };
  }

  /** The sequence number of the batch that is open, or that should follow. */
  get next(): number {
    return (this.head?.sequence ?? 0) + 1;
  }

  /** Begins the next batch, which ends the one before it. */
  begin(batch: StoredBatch): void {
    this.end();
    if (this.fault) return;
    const { sequence, property_id } = batch;
    this.#property_id ??= property_id;
    if (sequence !== this.next) {
      this.fail(`batch ${sequence} stands where batch ${this.next} should`, null, batch);
    } else if (property_id !== this.#property_id) {
      this.fail(`batch ${sequence} belongs to property ${property_id}`, null, batch);
    } else {
      const last_id = Number.NEGATIVE_INFINITY;
      this.#open = { batch, tree: new MerkleTree(this.#sha256), entries: 0, last_id };
    }
  }

  /** The next entry of the batch begun last. */
  add(entry: StoredEntry): void {
    if (this.fault) return;
    const open = this.#open;
    const { id } = entry;
    if (!open) {
      this.fail(`entry ${id} stands before batch 1`, id);
      return;
    }
    const { batch, last_id } = open;
    const { sequence } = batch;
    const leaf = leafHash(this.#sha256, canonicalEntry(entry));
    if (entry.batch_id !== batch.id || entry.property_id !== batch.property_id) {
      this.fail(`entry ${id} of batch ${sequence} names another batch or property`, id);
    } else if (id <= last_id) {
      this.fail(`entry ${id} of batch ${sequence} stands after entry ${last_id}`, id);
    } else if (toHex(entry.leaf_hash) !== toHex(leaf)) {
      this.fail(`entry ${id} of batch ${sequence} is not what was recorded: its leaf hash differs`, id);
    }
    open.tree.add(leaf);
    open.entries += 1;
    open.last_id = id;
  }

  /** Ends the last batch. */
  end(): void {
    const open = this.#open;
    if (this.fault || !open) return;
    const { batch, tree, entries } = open;
    const { sequence, entry_count, merkle_root, hash } = batch;
    if (entries !== entry_count) {
      this.fail(`batch ${sequence} has ${entries} entries, its header says ${entry_count}`);
    } else if (entries === 0) {
      this.fail(`batch ${sequence} has no entries: nothing was recorded`);
    } else if (toHex(tree.root()) !== merkle_root) {
      this.fail(`an entry of batch ${sequence}, or its Merkle root, is not what was recorded: they differ`);
    } else if (batchHash(this.#sha256, this.head?.hash ?? GENESIS_HASH, batch, merkle_root) !== hash) {
      this.fail(`batch ${sequence} or one before it is not what was recorded: the hash differs`);
    }
    this.#open = null;
    if (this.fault) return;
    this.entries += entries;
    this.head = { sequence, hash };
  }
}

/** The line of a proof file that begins a batch: these fields, in this order. */
export function batchLine({
  id,
  property_id,
  sequence,
  recorded_by_user_id,
  recorded_by_api_key_id,
  source,
  created_at,
  entry_count,
  merkle_root,
  hash,
}: StoredBatch): string {
  return JSON.stringify({
    id,
    property_id,
    sequence,
    recorded_by_user_id,
    recorded_by_api_key_id,
    source,
    created_at,
    entry_count,
    merkle_root,
    hash,
  });
}

const BATCH_LINE = '{"id":';
const ENTRY_LINE = /^\{"leaf_hash":"([0-9a-f]{64})","entry":(\[.*\])\}$/s;

/** The line of a proof file that says one entry: its canonical form as it was hashed. */
export function entryLine(entry: StoredEntry): string {
  return `{"leaf_hash":"${toHex(entry.leaf_hash)}","entry":${canonicalEntry(entry)}}`;
}

function parseBatchLine(line: string): StoredBatch | null {
  try {
    const batch = JSON.parse(line) as StoredBatch;
    return batchLine(batch) === line ? batch : null;
  } catch {
    return null;
  }
}

/**
 * Checks the next line of a proof file.
 * @returns its entry; null for a line that begins a batch, and where there is a fault
 */
export function checkLine(check: ChainCheck, line: string): ChainedEntry | null {
  if (check.fault) return null;
  if (line.startsWith(BATCH_LINE)) {
    const batch = parseBatchLine(line);
    check.end();
    if (batch) check.begin(batch);
    else check.fail(`batch ${check.next}: the line that begins it is not one of a proof file`);
    return null;
  }
  const [, leaf_hash, canonical] = ENTRY_LINE.exec(line) ?? [];
  const entry = canonical === undefined ? null : parseCanonicalEntry(canonical);
  if (!entry) {
    check.fail(`batch ${check.next}: a line neither begins a batch nor is an entry in canonical form`);
    return null;
  }
  check.add({ ...entry, leaf_hash: fromHex(leaf_hash!) });
  return check.fault ? null : entry;
}
