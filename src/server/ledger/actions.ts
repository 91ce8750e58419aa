import type { ListedBatch, Proof, Verification } from '../../contract/ledger.ts';
import {
  batchLine,
  type ChainFault,
  type ChainHead,
  canonicalEntry,
  checkBatch,
  entryLine,
  GENESIS_HASH,
  inclusionPath,
} from '../../core/chain.ts';
import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { type CursorListed, type CursorPage, cursorPage, startOf } from '../http/cursor.ts';
import { openProperty, openPropertyOf } from '../properties/access.ts';
import { presentBatch, presentListedBatch } from './present.ts';
import * as store from './store.ts';
import { sha256 } from './write.ts';

const BATCHES_AT_ONCE = 100;
const LINES_AT_ONCE = 1000;

export async function listBatches(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: CursorPage,
): Promise<CursorListed<ListedBatch>> {
  await openProperty(db.read, caller, property_id);
  const question = ['batches', property_id];
  const start = startOf(query, question, 1);
  const page = { limit: query.limit! + 1, offset: query.offset! };
  const rows = await store.listBatches(db.read, property_id, start ? start.key[0]! : null, page);
  // Sequences have no gaps.
  const total = start?.total ?? (await store.chainHead(db.read, property_id))?.sequence ?? 0;
  return cursorPage(rows, total, query, question, ({ sequence }) => [sequence], presentListedBatch);
}

/** A property's batches with their entries, oldest first, a few in memory at a time. */
async function* wholeChain(db: Db, property_id: number) {
  let sequence = 0;
  for (;;) {
    const batches = await store.batchesAfter(db, property_id, sequence, BATCHES_AT_ONCE);
    for (const batch of batches) yield { batch, entries: await store.entriesOfBatch(db, batch.id) };
    if (batches.length < BATCHES_AT_ONCE) return;
    sequence = batches.at(-1)!.sequence;
  }
}

/** Recomputes a property's chain. @returns how far it holds, and the first fault */
export async function verifyChain(db: Db, property_id: number): Promise<Verification> {
  let head: ChainHead = { property_id, sequence: 0, hash: GENESIS_HASH };
  let checked_entries = 0;
  let fault: ChainFault | null = null;
  for await (const { batch, entries } of wholeChain(db, property_id)) {
    fault = checkBatch(sha256, head, batch, entries);
    if (fault) break;
    head = { property_id, sequence: batch.sequence, hash: batch.hash };
    checked_entries += entries.length;
  }
  return {
    property_id,
    verified: fault === null,
    batches: head.sequence,
    entries: checked_entries,
    head: head.sequence === 0 ? null : { sequence: head.sequence, hash: head.hash },
    fault,
  };
}

export async function verifyLedger({ db }: Deps, caller: Caller, property_id: number): Promise<Verification> {
  await openProperty(db.read, caller, property_id);
  return verifyChain(db.read, property_id);
}

/** A proof file, a batch at a time. */
async function* proofFile(db: Db, property_id: number): AsyncGenerator<string> {
  for await (const { batch, entries } of wholeChain(db, property_id)) {
    yield `${batchLine(batch)}\n`;
    // Not one string for a batch: a year of readings, imported at once, is longer than a string may be.
    for (let from = 0; from < entries.length; from += LINES_AT_ONCE) {
      const part = entries.slice(from, from + LINES_AT_ONCE);
      yield part.map((entry) => `${entryLine(entry)}\n`).join('');
    }
  }
}

export async function exportLedger(
  { db }: Deps,
  caller: Caller,
  property_id: number,
): Promise<AsyncGenerator<string>> {
  await openProperty(db.read, caller, property_id);
  return proofFile(db.read, property_id);
}

export async function proveReading({ db }: Deps, caller: Caller, reading_id: number): Promise<Proof> {
  const entry = await store.findEntry(db.read, reading_id);
  if (!entry || entry.kind === 'device') throw notFound('such reading');
  const property = await openPropertyOf(db.read, caller, entry, 'reading');
  const batch = (await store.findBatch(db.read, entry.batch_id))!;
  const entries = await store.entriesOfBatch(db.read, batch.id);
  const leaves = entries.map((each) => each.leaf_hash);
  const index = entries.findIndex(({ id }) => id === reading_id);
  const [previous] = await store.batchesAfter(db.read, property.id, batch.sequence - 2, 1);
  const later = await store.batchesAfter(db.read, property.id, batch.sequence, Number.MAX_SAFE_INTEGER);
  return {
    entry: canonicalEntry(entry),
    path: inclusionPath(sha256, leaves, index),
    previous_hash: batch.sequence === 1 ? GENESIS_HASH : previous!.hash,
    batches: [batch, ...later].map(presentBatch),
  };
}
