#!/usr/bin/env node
/**
 * Verifies a proof file, or the proof of one reading, on its own: this file and Node.js are all it takes. It was
 * written from docs/ledger-format.md, shares no code with Electric, and so checks Electric too.
 *
 *   node verify-ledger.mjs FILE [--head HASH]    a proof file; with --head it must pass through that hash
 *   node verify-ledger.mjs PROOF --head HASH     the proof of one reading against a head that somebody holds
 *
 * Exit code 0: it holds. 1: it does not; the output says where. 2: wrong usage.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const GENESIS = '0'.repeat(64);
const HASH = /^[0-9a-f]{64}$/;
const HEADER = [
  'id',
  'property_id',
  'sequence',
  'recorded_by_user_id',
  'recorded_by_api_key_id',
  'source',
  'created_at',
  'entry_count',
];
const BATCH_LINE = [...HEADER, 'merkle_root', 'hash'];
/** What stands before and after an entry in its line; the leaf hash stands at 14. */
const ENTRY_LINE = /^\{"leaf_hash":"[0-9a-f]{64}","entry":\[.*\]\}$/s;
const ENTRY_AT = '{"leaf_hash":"","entry":'.length + 64;

/** What is wrong, for whoever reads it. */
class Fault extends Error {}

/** @param {string} message @returns {never} */
function fail(message) {
  throw new Fault(message);
}

/** SHA-256 of the parts, one after another; text as UTF-8. */
function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const leafOf = (canonical) => sha256(Uint8Array.of(0), canonical);
const nodeOf = (left, right) => sha256(Uint8Array.of(1), left, right);

/** The Merkle tree hash exactly as RFC 9162 defines it: split at the largest power of two below the size. */
function treeOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeOf(treeOf(leaves.slice(0, split)), treeOf(leaves.slice(split)));
}

function batchHashOf(previous, batch, root) {
  const header = JSON.stringify(['electric-batch-1', ...HEADER.map((field) => batch[field])]);
  return sha256(Uint8Array.of(2), Buffer.from(previous, 'hex'), header, Buffer.from(root, 'hex')).toString(
    'hex',
  );
}

function parse(text, what) {
  try {
    return JSON.parse(text);
  } catch {
    return fail(`${what} is not JSON`);
  }
}

const isId = (value) => Number.isSafeInteger(value) && value > 0;

/** The fields of an entry in canonical form that place it. */
function readEntry(canonical, where) {
  const cells = typeof canonical === 'string' ? parse(canonical, where) : null;
  // The second form has the SHA-256 of a photo at its end.
  const lengths = { 'electric-entry-1': 18, 'electric-entry-2': 19 };
  if (!Array.isArray(cells) || !Object.hasOwn(lengths, cells[0]) || cells.length !== lengths[cells[0]]) {
    return fail(`${where} is not an entry in canonical form`);
  }
  if (JSON.stringify(cells) !== canonical) return fail(`${where} is not written in canonical form`);
  const [, id, property_id, batch_id] = cells;
  if (![id, property_id, batch_id].every(isId)) return fail(`${where} has no ids`);
  return { id, property_id, batch_id };
}

function checkHeader(batch, where) {
  const { id, property_id, sequence, recorded_by_user_id, source, created_at, entry_count } = batch;
  const key = batch.recorded_by_api_key_id;
  const whole = [id, property_id, sequence, recorded_by_user_id, entry_count].every(isId);
  if (
    !whole ||
    !(key === null || isId(key)) ||
    !Number.isSafeInteger(created_at) ||
    typeof source !== 'string'
  ) {
    fail(`${where}: its header is not one`);
  }
  if (!HASH.test(batch.merkle_root) || !HASH.test(batch.hash)) fail(`${where}: its hashes are not SHA-256`);
}

/** Reads the line that begins a batch. */
function readBatch(text, previous) {
  const expected = (previous?.sequence ?? 0) + 1;
  const batch = parse(text, `batch ${expected}: its first line`);
  if (batch === null || Object.keys(batch).join() !== BATCH_LINE.join() || JSON.stringify(batch) !== text) {
    fail(`batch ${expected}: its first line is not written as a proof file writes it`);
  }
  const where = `batch ${expected}${isId(batch.id) ? ` (id ${batch.id})` : ''}`;
  if (batch.sequence !== expected)
    fail(`${where}: batch ${batch.sequence} stands where batch ${expected} should`);
  checkHeader(batch, where);
  if (previous && batch.property_id !== previous.property_id) fail(`${where} belongs to another property`);
  return { batch, where, leaves: [], last: 0 };
}

/** Reads the line of one entry, and adds its leaf to the batch. */
function readLeaf(text, open) {
  const { batch, where, leaves } = open;
  const place = `${where}, entry ${leaves.length + 1} of ${batch.entry_count}`;
  if (!ENTRY_LINE.test(text)) fail(`${place}: the line is not that of an entry`);
  const canonical = text.slice(ENTRY_AT, -1);
  const entry = readEntry(canonical, place);
  const named = `${place} (id ${entry.id})`;
  const leaf = leafOf(canonical);
  if (leaf.toString('hex') !== text.slice(14, 78))
    fail(`${named} is not what was recorded: its leaf hash differs`);
  if (entry.batch_id !== batch.id) fail(`${named} belongs to batch id ${entry.batch_id}`);
  if (entry.property_id !== batch.property_id) fail(`${named} belongs to another property`);
  if (entry.id <= open.last) fail(`${named} is out of order`);
  open.last = entry.id;
  leaves.push(leaf);
}

/** Checks a batch once all its entries are read. */
function closeBatch({ batch, where, leaves }, previous) {
  if (leaves.length !== batch.entry_count) {
    fail(`${where} has ${leaves.length} entries, its header says ${batch.entry_count}`);
  }
  if (treeOf(leaves).toString('hex') !== batch.merkle_root) {
    fail(`${where}: an entry, or the Merkle root, is not what was recorded: they differ`);
  }
  if (batchHashOf(previous?.hash ?? GENESIS, batch, batch.merkle_root) !== batch.hash) {
    fail(`${where}: its header, its hash, or a batch before it, is not what was recorded: the hash differs`);
  }
  return batch;
}

/** The lines of a file, as UTF-8, a piece of it in memory at a time. */
function* linesOf(path) {
  const file = openSync(path, 'r');
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const piece = Buffer.alloc(1 << 20);
  const decode = (bytes, stream) => {
    try {
      return decoder.decode(bytes, { stream });
    } catch {
      return fail('the file is not UTF-8');
    }
  };
  let rest = '';
  for (let size = readSync(file, piece); size > 0; size = readSync(file, piece)) {
    const lines = (rest + decode(piece.subarray(0, size), true)).split('\n');
    rest = lines.pop();
    yield* lines;
  }
  rest += decode(new Uint8Array(), false);
  closeSync(file);
  if (rest !== '') yield { unfinished: rest };
}

function verifyFile(lines, head) {
  let previous = null;
  let open = null;
  let entries = 0;
  let passed = false;
  const close = () => {
    previous = closeBatch(open, previous);
    entries += previous.entry_count;
    passed ||= previous.hash === head;
    open = null;
  };
  for (const line of lines) {
    if (typeof line !== 'string') fail(`${open?.where ?? 'batch 1'}: the file ends within a line`);
    if (open && line.startsWith('{"id":')) close();
    if (open) readLeaf(line, open);
    else open = readBatch(line, previous);
  }
  if (open) close();
  if (head && !passed) fail(`the chain holds, but never had the head ${head}`);
  if (!previous) return ['The ledger is empty: no batches.'];
  return [
    `The chain of property ${previous.property_id} holds: ${previous.sequence} batches, ${entries} entries.`,
    `head: ${previous.hash} (batch ${previous.sequence})`,
    ...(head ? [`It passes through the head ${head}.`] : ['Compare the head with one that you hold.']),
  ];
}

function verifyProof(proof, head) {
  const { entry: canonical, path, previous_hash, batches } = proof;
  const entry = readEntry(canonical, 'the entry');
  if (!Array.isArray(path) || !Array.isArray(batches) || batches.length === 0 || !HASH.test(previous_hash)) {
    fail('the proof has no path, no batches or no previous hash');
  }
  const root = path.reduce((hash, step) => {
    if (!HASH.test(step?.hash) || !['left', 'right'].includes(step.side)) fail('the path is not one');
    const sibling = Buffer.from(step.hash, 'hex');
    return step.side === 'left' ? nodeOf(sibling, hash) : nodeOf(hash, sibling);
  }, leafOf(canonical));
  let hash = previous_hash;
  let passed = null;
  for (const [i, shown] of batches.entries()) {
    const batch = { ...shown, created_at: Date.parse(shown?.created_at) };
    const where = `batch ${batch.sequence} (id ${batch.id})`;
    checkHeader(batch, where);
    if (batch.property_id !== entry.property_id) fail(`${where} belongs to another property`);
    if (batch.sequence !== batches[0].sequence + i) fail(`${where} is out of order`);
    if (i === 0 && batch.id !== entry.batch_id)
      fail(`entry ${entry.id} belongs to batch id ${entry.batch_id}`);
    if (i === 0 && root.toString('hex') !== batch.merkle_root) {
      fail(`${where}, entry ${entry.id} is not what was recorded: its path leads to another Merkle root`);
    }
    hash = batchHashOf(hash, batch, batch.merkle_root);
    if (hash !== batch.hash) fail(`${where} is not what was recorded: the hash differs`);
    if (hash === head) passed = batch.sequence;
  }
  if (passed === null) fail(`the proof holds together, but does not lead to the head ${head}`);
  return [
    `Entry ${entry.id} of property ${entry.property_id} stands in batch ${batches[0].sequence}:`,
    canonical,
    `It leads to the head ${head} (batch ${passed}).`,
  ];
}

/** The proof that a file holds; null if it is a proof file of lines. */
function readProof(path) {
  let text = '';
  for (const line of linesOf(path)) {
    text += typeof line === 'string' ? `${line}\n` : line.unfinished;
    // A proof begins with its entry; a proof file begins with a batch.
    if (!/^\s*(\{\s*("(entry|path|previous_hash|batches)"|$)|$)/.test(text.slice(0, 100))) return null;
  }
  return text.trim() === '' ? null : parse(text, 'the proof');
}

function main([file, option, head]) {
  const usage = 'usage: node verify-ledger.mjs FILE [--head HASH]';
  if (!file || (option !== undefined && (option !== '--head' || !HASH.test(head ?? '')))) return [2, usage];
  try {
    const proof = readProof(file);
    if (proof && !head) return [2, `${usage}\nA proof says nothing without a head to hold it against.`];
    return [0, (proof ? verifyProof(proof, head) : verifyFile(linesOf(file), head)).join('\n')];
  } catch (error) {
    if (error instanceof Fault) return [1, `FAULT: ${error.message}`];
    return [1, `${file}: ${error.message}`];
  }
}

const [code, text] = main(process.argv.slice(2));
console.log(text);
process.exitCode = code;
