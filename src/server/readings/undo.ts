/** Undo of a batch: what it recorded is voided, what it corrected or voided is in force again, in one transaction. */
import type { Batch } from '../../contract/ledger.ts';
import { tidy } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, inTheWay, notFound } from '../errors.ts';
import { toInForce } from '../ledger/in-force.ts';
import { presentBatch } from '../ledger/present.ts';
import * as ledger from '../ledger/store.ts';
import { type Draft, draft, writeBatch } from '../ledger/write.ts';
import { requireActiveMeter } from '../meters/access.ts';
import { findMeter } from '../meters/store.ts';
import { FOREVER_MS, project } from '../projection/project.ts';
import { openProperty, requireActive, requireRole } from '../properties/access.ts';
import { lockProperty } from '../properties/store.ts';
import { firstTaken } from './store.ts';

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

/** Throws reading_conflict where something that comes back finds its instant taken. */
async function requireFree(
  tx: Tx,
  meter_id: number,
  property_id: number,
  added: ledger.InForce[],
  removed: number[],
): Promise<void> {
  const freed = new Set(removed);
  const instants = added.map((row) => row.reading_timestamp).filter((instant) => !freed.has(instant));
  const there = instants.length > 0 && (await firstTaken(tx, property_id, meter_id, instants));
  if (!there) return;
  throw new DomainError(
    'reading_conflict',
    `Something else was recorded at ${formatInstant(there.reading_timestamp)} since (entry ${there.entry_id}): ` +
      'take that back first.',
    inTheWay(there),
  );
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
    const property = await openProperty(tx, caller, property_id);
    requireActive(property);
    const batch = await ledger.findBatch(tx, batch_id);
    if (batch?.property_id !== property_id) throw notFound('such batch in this property');
    if (batch.recorded_by_user_id !== caller.user_id) {
      requireRole(property, 'editor', `Batch ${batch_id} was recorded by somebody else: undoing it`);
    }
    await requireInForce(tx, batch_id);
    const superseded = new Map((await ledger.supersededByBatch(tx, batch_id)).map((e) => [e.id, e]));
    const reversals: Reversal[] = [];
    for (const undone of await ledger.entriesOfBatch(tx, batch_id)) {
      const reversal = reverse(undone, superseded.get(undone.supersedes_id ?? 0), reason);
      await requireNoFirstDevice(tx, reversal);
      if (reversal.undone.kind === 'device' || reversal.next.kind === 'device') {
        requireRole(property, 'editor', `Batch ${batch_id} is about a device: undoing it`);
      }
      reversals.push(reversal);
    }
    const author = { caller, source: 'manual' as const, now_ms: clock() };
    const written = await writeBatch(
      tx,
      property_id,
      author,
      reversals.map(({ next }) => next),
    );
    const meters = new Map<number, { added: ledger.InForce[]; removed: number[]; devices: boolean }>();
    for (const [i, { undone, next }] of reversals.entries()) {
      const change = meters.get(undone.meter_id) ?? { added: [], removed: [], devices: false };
      meters.set(undone.meter_id, change);
      const gone = toInForce(undone, undone.id);
      const back = toInForce(next, written.entries[i]!.id);
      if (gone) change.removed.push(gone.reading_timestamp);
      if (back) change.added.push(back);
      change.devices ||= undone.kind === 'device' || next.kind === 'device';
    }
    for (const [meter_id, { added, removed, devices }] of meters) {
      const meter = (await findMeter(tx, meter_id))!;
      requireActiveMeter(meter);
      await requireFree(tx, meter_id, property_id, added, removed);
      added.sort((a, b) => a.reading_timestamp - b.reading_timestamp);
      const reach = devices ? { from_ms: -FOREVER_MS, until_ms: FOREVER_MS } : {};
      await project(tx, { meter, added, removed, ...reach });
    }
    return presentBatch((await ledger.findBatch(tx, written.batch_id))!);
  });
}
