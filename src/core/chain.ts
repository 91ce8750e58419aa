/**
 * The chain of a property's batches: canonical bytes, the Merkle tree of a batch's entries (RFC 9162, section 2.1), the
 * hash of a batch, and proofs. docs/ledger-format.md describes the same for whoever writes another verifier.
 */

/** SHA-256, handed in: the core has no cryptography of its own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Everything a ledger entry says; ids only, never names. */
export interface ChainedEntry {
  id: number;
  property_id: number;
  batch_id: number;
  meter_id: number;
  kind: string;
  reading_timestamp: number | null;
  value_wh: number | null;
  period_start: number | null;
  rollover_wh: number | null;
  confirmed: number;
  initial_value_wh: number | null;
  serial_number: string | null;
  digits: number | null;
  multiplier: number | null;
  note: string | null;
  supersedes_id: number | null;
  reason: string | null;
  /** Of the photo that shows the register, hexadecimal. */
  photo_sha256: string | null;
}

/** The header of a batch. */
export interface ChainedBatch {
  id: number;
  property_id: number;
  sequence: number;
  recorded_by_user_id: number;
  recorded_by_api_key_id: number | null;
  source: string;
  created_at: number;
  entry_count: number;
}

/** What the first batch of a property follows. */
export const GENESIS_HASH = '0'.repeat(64);

const LEAF = 0x00;
const NODE = 0x01;
const BATCH = 0x02;

const encoder = new TextEncoder();

/** The canonical form of an entry: a JSON array without white space, in UTF-8; with a photo one element longer. */
export function canonicalEntry(entry: ChainedEntry): string {
  const photo = entry.photo_sha256 === null ? [] : [entry.photo_sha256];
  return JSON.stringify([
    `electric-entry-${photo.length + 1}`,
    entry.id,
    entry.property_id,
    entry.batch_id,
    entry.meter_id,
    entry.kind,
    entry.reading_timestamp,
    entry.value_wh,
    entry.period_start,
    entry.rollover_wh,
    entry.confirmed,
    entry.initial_value_wh,
    entry.serial_number,
    entry.digits,
    entry.multiplier,
    entry.note,
    entry.supersedes_id,
    entry.reason,
    ...photo,
  ]);
}

const ENTRY_FIELDS = [
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
] as const satisfies (keyof ChainedEntry)[];

/** The entry that a canonical form says; null if the text is not in canonical form. */
export function parseCanonicalEntry(text: string): ChainedEntry | null {
  try {
    const [, ...cells] = JSON.parse(text);
    const entry = Object.fromEntries(ENTRY_FIELDS.map((field, i) => [field, cells[i] ?? null]));
    return canonicalEntry(entry as unknown as ChainedEntry) === text
      ? (entry as unknown as ChainedEntry)
      : null;
  } catch {
    return null;
  }
}

/** The canonical form of a batch's header. */
export function canonicalBatch(batch: ChainedBatch): string {
  return JSON.stringify([
    'electric-batch-1',
    batch.id,
    batch.property_id,
    batch.sequence,
    batch.recorded_by_user_id,
    batch.recorded_by_api_key_id,
    batch.source,
    batch.created_at,
    batch.entry_count,
  ]);
}

function prefixed(prefix: number, ...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(1 + parts.reduce((length, part) => length + part.length, 0));
  bytes[0] = prefix;
  let at = 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return bytes.reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), '');
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
  );
}

export function leafHash(sha256: Sha256, canonical: string): Uint8Array {
  return sha256(prefixed(LEAF, encoder.encode(canonical)));
}

function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(prefixed(NODE, left, right));
}

/** The sibling hashes from a leaf up to the root, and on which side each stands. */
export type InclusionPath = { side: 'left' | 'right'; hash: string }[];

/** A whole subtree; with the path of the leaf to be proved, if that is in it. */
interface Subtree {
  leaves: number;
  hash: Uint8Array;
  path: InclusionPath | null;
}

/**
 * The tree of leaves that come one by one: keeps a hash for each whole subtree, so 64 at most. The last of an odd number
 * on a level moves up as it is (the same tree as RFC 9162's).
 */
export class MerkleTree {
  readonly #sha256: Sha256;
  readonly #proved: number | null;
  /** Whole subtrees, from the largest to the smallest: the binary digits of the number of leaves. */
  readonly #peaks: Subtree[] = [];
  #leaves = 0;

  /** @param proved index of the leaf whose path is wanted */
  constructor(sha256: Sha256, proved: number | null = null) {
    this.#sha256 = sha256;
    this.#proved = proved;
  }

  #join(left: Subtree, right: Subtree): Subtree {
    const path = left.path
      ? [...left.path, { side: 'right' as const, hash: toHex(right.hash) }]
      : right.path && [...right.path, { side: 'left' as const, hash: toHex(left.hash) }];
    return {
      leaves: left.leaves + right.leaves,
      hash: nodeHash(this.#sha256, left.hash, right.hash),
      path,
    };
  }

  /** @param leaf in the order of the entries' ids */
  add(leaf: Uint8Array): void {
    let joined: Subtree = { leaves: 1, hash: leaf, path: this.#leaves === this.#proved ? [] : null };
    this.#leaves += 1;
    while (this.#peaks.at(-1)?.leaves === joined.leaves) joined = this.#join(this.#peaks.pop()!, joined);
    this.#peaks.push(joined);
  }

  #top(): Subtree {
    return this.#peaks.reduceRight((right, left) => this.#join(left, right));
  }

  /** Needs one leaf at least. */
  root(): Uint8Array {
    return this.#top().hash;
  }

  /** From the leaf that is proved up to the root; it must have been added. */
  path(): InclusionPath {
    return this.#top().path!;
  }
}

/** @param leaves at least one, in the order of the entries' ids */
export function merkleRoot(sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleTree(sha256);
  for (const leaf of leaves) tree.add(leaf);
  return tree.root();
}

/** The root that a leaf and its path lead to. */
export function rootFromPath(sha256: Sha256, leaf: Uint8Array, path: InclusionPath): Uint8Array {
  return path.reduce((hash, { side, hash: sibling }) => {
    const other = fromHex(sibling);
    return side === 'left' ? nodeHash(sha256, other, hash) : nodeHash(sha256, hash, other);
  }, leaf);
}

/** `SHA-256(0x02 ‖ previous hash ‖ canonical header ‖ Merkle root)`, in hexadecimal. */
export function batchHash(
  sha256: Sha256,
  previous_hash: string,
  batch: ChainedBatch,
  merkle_root: string,
): string {
  const header = encoder.encode(canonicalBatch(batch));
  return toHex(sha256(prefixed(BATCH, fromHex(previous_hash), header, fromHex(merkle_root))));
}

/** A batch as it is stored. */
export interface StoredBatch extends ChainedBatch {
  merkle_root: string;
  hash: string;
}

/** An entry as it is stored: with the hash that was taken of it when it was recorded. */
export interface StoredEntry extends ChainedEntry {
  leaf_hash: Uint8Array;
}
