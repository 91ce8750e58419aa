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

/** The canonical form of an entry: a JSON array without white space, in UTF-8. */
export function canonicalEntry(entry: ChainedEntry): string {
  return JSON.stringify([
    'electric-entry-1',
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
] as const satisfies (keyof ChainedEntry)[];

/** The entry that a canonical form says; null if the text is not in canonical form. */
export function parseCanonicalEntry(text: string): ChainedEntry | null {
  try {
    const [, ...cells] = JSON.parse(text);
    const entry = Object.fromEntries(ENTRY_FIELDS.map((field, i) => [field, cells[i]]));
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

/** One level up: neighbours are joined, the last of an odd number moves up as it is (the same tree as RFC 9162's). */
function levelAbove(sha256: Sha256, level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i]!, level[i + 1]];
    above.push(right ? nodeHash(sha256, left, right) : left);
  }
  return above;
}

/** The root of leaves that come one by one: keeps a hash for each whole subtree, so 64 at most. */
export class MerkleTree {
  readonly #sha256: Sha256;
  /** Whole subtrees, from the largest to the smallest: the binary digits of the number of leaves. */
  readonly #peaks: { leaves: number; hash: Uint8Array }[] = [];

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** @param leaf in the order of the entries' ids */
  add(leaf: Uint8Array): void {
    let joined = { leaves: 1, hash: leaf };
    while (this.#peaks.at(-1)?.leaves === joined.leaves) {
      const left = this.#peaks.pop()!;
      joined = { leaves: joined.leaves * 2, hash: nodeHash(this.#sha256, left.hash, joined.hash) };
    }
    this.#peaks.push(joined);
  }

  /** Needs one leaf at least. */
  root(): Uint8Array {
    return this.#peaks
      .map(({ hash }) => hash)
      .reduceRight((right, left) => nodeHash(this.#sha256, left, right));
  }
}

/** @param leaves at least one, in the order of the entries' ids */
export function merkleRoot(sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleTree(sha256);
  for (const leaf of leaves) tree.add(leaf);
  return tree.root();
}

/** The sibling hashes from a leaf up to the root, and on which side each stands. */
export type InclusionPath = { side: 'left' | 'right'; hash: string }[];

/** @param index of the leaf to prove */
export function inclusionPath(sha256: Sha256, leaves: readonly Uint8Array[], index: number): InclusionPath {
  const path: InclusionPath = [];
  let level = leaves;
  let at = index;
  while (level.length > 1) {
    const sibling = level[at ^ 1];
    if (sibling) path.push({ side: at % 2 === 1 ? 'left' : 'right', hash: toHex(sibling) });
    level = levelAbove(sha256, level);
    at >>= 1;
  }
  return path;
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

/** What is wrong with a chain, in the words of a person who holds it against another. */
export interface ChainFault {
  sequence: number;
  batch_id: number | null;
  entry_id: number | null;
  detail: string;
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

/** How far a chain holds. */
export interface ChainHead {
  property_id: number;
  sequence: number;
  hash: string;
}

/**
 * Checks one batch against the one before it.
 * @param entries in the order of their ids
 * @returns the first fault, null if there is none
 */
export function checkBatch(
  sha256: Sha256,
  previous: ChainHead,
  batch: StoredBatch,
  entries: readonly StoredEntry[],
): ChainFault | null {
  const fault = (detail: string, entry_id: number | null = null): ChainFault => ({
    sequence: batch.sequence,
    batch_id: batch.id,
    entry_id,
    detail,
  });
  if (batch.sequence !== previous.sequence + 1) {
    return fault(`batch ${batch.sequence} stands where batch ${previous.sequence + 1} should`);
  }
  if (batch.property_id !== previous.property_id) {
    return fault(`batch ${batch.sequence} belongs to property ${batch.property_id}`);
  }
  if (entries.length !== batch.entry_count) {
    return fault(
      `batch ${batch.sequence} has ${entries.length} entries, its header says ${batch.entry_count}`,
    );
  }
  if (entries.length === 0) return fault(`batch ${batch.sequence} has no entries: nothing was recorded`);
  const stray = entries.find((e) => e.batch_id !== batch.id || e.property_id !== batch.property_id);
  if (stray) return fault(`entry ${stray.id} belongs to another batch or property`, stray.id);
  const leaves = entries.map((entry) => leafHash(sha256, canonicalEntry(entry)));
  const changed = entries.find((entry, i) => toHex(entry.leaf_hash) !== toHex(leaves[i]!));
  if (changed)
    return fault(`entry ${changed.id} is not what was recorded: its leaf hash differs`, changed.id);
  if (toHex(merkleRoot(sha256, leaves)) !== batch.merkle_root) {
    return fault(
      `an entry of batch ${batch.sequence}, or its Merkle root, is not what was recorded: they differ`,
    );
  }
  if (batchHash(sha256, previous.hash, batch, batch.merkle_root) !== batch.hash) {
    return fault(`batch ${batch.sequence} or one before it is not what was recorded: the hash differs`);
  }
  return null;
}

/** The line of a proof file that begins a batch: these fields, in this order (docs/ledger-format.md). */
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

/** Whether a line of a proof file begins a batch; the others are entries of the batch begun last. */
export function beginsBatch(line: string): boolean {
  return line.startsWith(BATCH_LINE);
}

/**
 * Checks the lines of one batch of a proof file against the batch before it.
 * @param previous null for the first batch
 * @param lines the line that begins the batch, and those of its entries
 * @returns how far the chain holds with it, or what is wrong
 */
export function checkLines(
  sha256: Sha256,
  previous: ChainHead | null,
  [first = '', ...rest]: readonly string[],
): { head: ChainHead; fault: null } | { head: null; fault: ChainFault } {
  const sequence = (previous?.sequence ?? 0) + 1;
  const fault = (what: string, batch_id: number | null) => ({
    head: null,
    fault: { sequence, batch_id, entry_id: null, detail: `batch ${sequence}: ${what}` },
  });
  let batch: StoredBatch;
  try {
    batch = JSON.parse(first);
    if (batchLine(batch) !== first) throw new SyntaxError('another form');
  } catch {
    return fault('the line that begins it is not one of a proof file', null);
  }
  const entries: StoredEntry[] = [];
  for (const [i, line] of rest.entries()) {
    const [, leaf_hash, canonical] = ENTRY_LINE.exec(line) ?? [];
    const entry = canonical === undefined ? null : parseCanonicalEntry(canonical);
    if (!entry) return fault(`line ${i + 1} of its entries is not one in canonical form`, batch.id);
    entries.push({ ...entry, leaf_hash: fromHex(leaf_hash!) });
  }
  const { property_id, hash } = batch;
  const found = checkBatch(
    sha256,
    previous ?? { property_id, sequence: 0, hash: GENESIS_HASH },
    batch,
    entries,
  );
  return found
    ? { head: null, fault: found }
    : { head: { property_id, sequence: batch.sequence, hash }, fault: null };
}
