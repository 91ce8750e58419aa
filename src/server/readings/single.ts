/** Records one reading, in the caller's transaction, and presents what was recorded. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/readings.ts';
import type { Reading } from '../../contract/readings.ts';
import type { ChainedEntry } from '../../core/chain.ts';
import { asRecorded } from '../../core/reading.ts';
import { tidy } from '../../core/text.ts';
import { parseInstant } from '../../core/time.ts';
import { parseKwh } from '../../core/units.ts';
import type { Tx } from '../db/tables.ts';
import { together } from '../db/together.ts';
import { invalid } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { parsed } from '../http/input.ts';
import { type Author, recordedBy } from '../ledger/write.ts';
import { openMeter, requireRecordable } from '../meters/access.ts';
import { lockPropertyOfMeter } from '../properties/store.ts';
import { presentReading } from './present.ts';
import { type NewReading, type Recording, record } from './record.ts';
import * as store from './store.ts';

/** A reading of one meter, in the words of the contract, whose checks it has passed. */
export type SaidReading = Omit<Static<typeof contract.createReading.body>, 'meter_id'>;

function toReading(body: SaidReading): NewReading {
  const reading_timestamp = parsed(parseInstant(body.reading_timestamp));
  const reading_type = body.reading_type ?? 'absolute';
  const period_start = body.period_start ? parsed(parseInstant(body.period_start)) : null;
  if (period_start !== null && reading_type === 'absolute') {
    throw invalid([
      { path: 'period_start', message: 'goes with reading_type relative only: a register has no period' },
    ]);
  }
  if (period_start !== null && period_start >= reading_timestamp) {
    throw invalid([{ path: 'period_start', message: 'must be earlier than reading_timestamp' }]);
  }
  const value_wh = parsed(parseKwh(body.value));
  const note = body.note ? tidy(body.note) : null;
  const recorded = asRecorded(reading_type, reading_timestamp, value_wh, period_start);
  return { ...recorded, note, photo_sha256: body.photo_sha256 ?? null, place: '' };
}

/** What was recorded, out of the hand; only what was there already is looked up. */
export async function presentRecorded(
  tx: Tx,
  author: Author,
  { entries, meters }: Recording,
): Promise<Reading[]> {
  const entry_of = new Map(entries.map((entry) => [entry.id, entry]));
  const ids = meters.flatMap(({ unchanged }) => unchanged.map((row) => row.entry_id));
  const there = ids.length === 0 ? [] : await store.entriesById(tx, ids);
  const row_of = new Map(there.map((row) => [row.id, row]));
  const rows = meters.flatMap(({ meter, recorded, unchanged }) => [
    ...recorded.map((row) => ({
      ...(entry_of.get(row.entry_id) as ChainedEntry & { reading_timestamp: number; value_wh: number }),
      meter_name: meter.name,
      location: meter.location,
      superseded_by_id: null,
      ...recordedBy(author),
      created_at: author.now_ms,
      decreased: Number(row.decreased),
      rolled_over: Number(row.rolled_over),
      implausible: Number(row.implausible),
    })),
    ...unchanged.map((row) => row_of.get(row.entry_id)!),
  ]);
  return rows.map(presentReading);
}

/**
 * Records a reading where the author's caller may record it. Throws what openMeter and requireRecordable throw,
 * validation_failed, reading_conflict, interval_overlap.
 */
export async function recordOne(
  tx: Tx,
  author: Author,
  meter_id: number,
  said: SaidReading,
): Promise<Outcome<Reading>> {
  const [, opened] = await together([
    lockPropertyOfMeter(tx, meter_id),
    openMeter(tx, author.caller, meter_id),
  ]);
  requireRecordable(opened, 'meter_id');
  const { meter } = opened;
  const sent = new Map([[meter, [toReading(said)]]]);
  const recorded = await record(tx, meter.property_id, author, sent, () => 'value');
  const [presented] = await presentRecorded(tx, author, recorded);
  return { created: recorded.batch_id !== null, body: presented! };
}
