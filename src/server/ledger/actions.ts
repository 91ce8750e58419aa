import type { ListedBatch, Proof, Verification } from '../../contract/ledger.ts';
import { canonicalEntry, GENESIS_HASH, MerkleTree } from '../../core/chain.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { type CursorListed, type CursorPage, cursorPage, startOf } from '../http/cursor.ts';
import { openProperty, openPropertyOf } from '../properties/access.ts';
import { proofFile, verifyChain } from './chain.ts';
import { presentBatch, presentListedBatch } from './present.ts';
import * as store from './store.ts';
import { sha256 } from './write.ts';

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

export async function verifyLedger({ db }: Deps, caller: Caller, property_id: number): Promise<Verification> {
  await openProperty(db.read, caller, property_id);
  return verifyChain(db.read, property_id);
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
  const tree = new MerkleTree(sha256, await store.placeInBatch(db.read, entry));
  for await (const page of store.pagesOfBatch(db.read, batch.id))
    for (const { leaf_hash } of page) tree.add(leaf_hash);
  const [previous] = await store.batchesAfter(db.read, property.id, batch.sequence - 2, 1);
  const later = await store.batchesAfter(db.read, property.id, batch.sequence, Number.MAX_SAFE_INTEGER);
  return {
    entry: canonicalEntry(entry),
    path: tree.path(),
    previous_hash: batch.sequence === 1 ? GENESIS_HASH : previous!.hash,
    batches: [batch, ...later].map(presentBatch),
  };
}
