/** Undo of a batch: what it recorded is voided, what it corrected or voided is in force again, in one transaction. */
import type { Batch } from '../../contract/ledger.ts';
import { tidy } from '../../core/text.ts';
import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { presentBatch } from '../ledger/present.ts';
import * as ledger from '../ledger/store.ts';
import { type Draft, draft, LongBatch } from '../ledger/write.ts';
import { openProperty, requireActive, requireRole } from '../properties/access.ts';
import { lockProperty, type MemberProperty } from '../properties/store.ts';
import { Reversed } from './reversed.ts';

/** One entry of the batch, and the entry that undoes it. */
interface Reversal {
  undone: ledger.EntryRow;
  next: Draft;
}

/** Throws batch_superseded where an entry of a batch is not in force any more. */
async function requireInForce(tx: Tx, batch_id: number): Promise<void> {
  const successor = await ledger.successorOfBatch(tx, batch_id);
  if (!successor) return;
  if (successor.batch_id === batch_id) {
    throw new DomainError(
      'batch_superseded',
      'This batch restored an archive with its corrections, which are not undone at once: delete the property instead.',
    );
  }
  throw new DomainError(
    'batch_superseded',
    `Entry ${successor.supersedes_id} of this batch was changed since by entry ${successor.id} ` +
      `(batch ${successor.batch_id}): undo that one first.`,
  );
}

/**
 * The entry that puts things back: what was superseded comes again, what was new is voided.
 * @param before the entry that the one to undo superseded
 */
function reverse(undone: ledger.EntryRow, before: ledger.EntryRow | undefined, reason: string): Reversal {
  const why = { supersedes_id: undone.id, reason };
  if (!before || before.kind === 'void') {
    return { undone, next: draft({ meter_id: undone.meter_id, kind: 'void', ...why }) };
  }
  const { id: _, property_id: __, batch_id: ___, leaf_hash: ____, ...as_it_was } = before;
  return { undone, next: { ...as_it_was, ...why } };
}

/** What undoes a batch, in pages: it may be larger than memory. */
async function* reversalsOf(tx: Tx, batch_id: number, reason: string): AsyncGenerator<Reversal[]> {
  for await (const page of ledger.pagesOfBatch(tx, batch_id)) {
    const ids = page.flatMap(({ supersedes_id }) => supersedes_id ?? []);
    const superseded = new Map((await ledger.findEntries(tx, ids)).map((entry) => [entry.id, entry]));
    yield page.map((undone) => reverse(undone, superseded.get(undone.supersedes_id ?? 0), reason));
  }
}

/** Throws device_described where a first device comes back and the meter has got another one since. */
async function requireNoFirstDevice(tx: Tx, { undone, next }: Reversal): Promise<void> {
  if (next.kind !== 'device' || next.reading_timestamp !== null || undone.kind === 'device') return;
  const [first] = await ledger.devicesOf(tx, next.meter_id);
  if (first?.reading_timestamp !== null) return;
  throw new DomainError(
    'device_described',
    `The first device of this meter was described again since (entry ${first.id}): undo that first.`,
  );
}

async function openBatch(
  tx: Tx,
  caller: Caller,
  property_id: number,
  batch_id: number,
): Promise<MemberProperty> {
  const property = await openProperty(tx, caller, property_id);
  requireActive(property);
  const batch = await ledger.findBatch(tx, batch_id);
  if (batch?.property_id !== property_id) throw notFound('such batch in this property');
  if (batch.recorded_by_user_id !== caller.user_id) {
    requireRole(property, 'editor', `Batch ${batch_id} was recorded by somebody else: undoing it`);
  }
  await requireInForce(tx, batch_id);
  return property;
}

export async function undoBatch(
  { db, clock }: Deps,
  caller: Caller,
  property_id: number,
  batch_id: number,
  said: string,
): Promise<Batch> {
  const reason = tidy(said);
  return db.write(async (tx) => {
    await lockProperty(tx, property_id);
    const property = await openBatch(tx, caller, property_id, batch_id);
    const batch = new LongBatch(tx, property_id);
    const reversed = new Reversed(tx, property_id, batch_id);
    try {
      for await (const page of reversalsOf(tx, batch_id, reason)) {
        for (const reversal of page) {
          if (reversal.undone.kind !== 'device' && reversal.next.kind !== 'device') continue;
          await requireNoFirstDevice(tx, reversal);
          requireRole(property, 'editor', `Batch ${batch_id} is about a device: undoing it`);
        }
        const drawn = await batch.draw(page.length, () => page.map(({ next }) => next));
        await reversed.add(
          page.map(({ undone }) => undone),
          drawn,
        );
      }
      const author = { caller, source: 'manual' as const, now_ms: clock() };
      const undoing_id = (await batch.close(author))!;
      await reversed.write();
      return presentBatch((await ledger.findBatch(tx, undoing_id))!);
    } finally {
      reversed.close();
    }
  });
}
