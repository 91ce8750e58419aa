/** The chain of a property, read from its beginning a page at a time. */
import type { Verification } from '../../contract/ledger.ts';
import { batchLine, ChainCheck, entryLine } from '../../core/chain-check.ts';
import type { Db } from '../db/tables.ts';
import * as store from './store.ts';
import { sha256 } from './write.ts';

const BATCHES_AT_ONCE = 100;

/** A property's batches, oldest first. */
async function* batchesOf(db: Db, property_id: number) {
  for (let sequence = 0; ; ) {
    const batches = await store.batchesAfter(db, property_id, sequence, BATCHES_AT_ONCE);
    yield* batches;
    if (batches.length < BATCHES_AT_ONCE) return;
    sequence = batches.at(-1)!.sequence;
  }
}

/** Recomputes a property's chain. @returns how far it holds, and the first fault */
export async function verifyChain(db: Db, property_id: number): Promise<Verification> {
  const check = new ChainCheck(sha256, property_id);
  for await (const batch of batchesOf(db, property_id)) {
    check.begin(batch);
    for await (const page of store.pagesOfBatch(db, batch.id)) for (const entry of page) check.add(entry);
    check.end();
    if (check.fault) break;
  }
  const { fault, head, entries } = check;
  return { property_id, verified: fault === null, batches: head?.sequence ?? 0, entries, head, fault };
}

/** A proof file, a page at a time. @param until_sequence its last batch, if not the head */
export async function* proofFile(
  db: Db,
  property_id: number,
  until_sequence = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  for await (const batch of batchesOf(db, property_id)) {
    if (batch.sequence > until_sequence) return;
    yield `${batchLine(batch)}\n`;
    for await (const page of store.pagesOfBatch(db, batch.id))
      yield page.map((entry) => `${entryLine(entry)}\n`).join('');
  }
}
