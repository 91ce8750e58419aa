/** Adds entries to the ledger and keeps the projection right, in the caller's transaction. */
import type { Recorded } from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Tx } from '../db/tables.ts';
import { DomainError } from '../errors.ts';
import type { InForce } from '../ledger/store.ts';
import { type Author, type Draft, draft, writeBatch } from '../ledger/write.ts';
import type { MeterRow } from '../meters/store.ts';
import { project } from '../projection/project.ts';
import * as projection from '../projection/store.ts';

/** A reading to record; `place` says where it stands in what was sent, for errors: empty, or "line 17: ". */
export type NewReading = Recorded & { note: string | null; place: string };

/** What recording did to one meter. */
export interface RecordedMeter {
  meter: MeterRow;
  /** Entries added, in order of time. */
  recorded: InForce[];
  /** Readings that were there already, with the same value. */
  unchanged: projection.StoredReading[];
  /** Readings whose flag appeared. */
  flagged: number;
}

function isSame(a: Recorded, b: Recorded): boolean {
  return a.value_wh === b.value_wh && a.reading_type === b.reading_type && a.period_start === b.period_start;
}

function conflict(
  meter: MeterRow,
  sent: NewReading,
  there: Recorded,
  reading_id: number | undefined,
): DomainError {
  const at = formatInstant(sent.reading_timestamp);
  if (there.reading_type === 'replacement') {
    const detail = `${sent.place}the device of ${meter.name} was replaced at ${at} (entry ${reading_id}): `;
    return new DomainError('reading_conflict', `${detail}record the reading a minute before or after.`);
  }
  const named = reading_id === undefined ? '' : ` (reading ${reading_id})`;
  return new DomainError(
    'reading_conflict',
    `${sent.place}${meter.name} has the ${there.reading_type} value ${formatKwh(there.value_wh)} kWh at ${at}${named}, ` +
      `not ${formatKwh(sent.value_wh)} kWh: correct that reading if it is wrong.`,
    reading_id === undefined ? {} : { reading_id },
  );
}

/** Tells new readings from those that are there already; throws reading_conflict where values differ. */
async function sortOut(tx: Tx, meter: MeterRow, sent: readonly NewReading[]) {
  const first_ms = sent[0]!.reading_timestamp;
  const last_ms = sent.at(-1)!.reading_timestamp;
  const stored = await projection.readingsBetween(tx, meter.property_id, meter.id, first_ms, last_ms);
  const there = new Map(stored.map((row) => [row.reading_timestamp, row]));
  const unchanged: projection.StoredReading[] = [];
  const fresh: NewReading[] = [];
  for (const reading of sent) {
    const row = there.get(reading.reading_timestamp);
    const twin = fresh.at(-1);
    if (row) {
      if (!isSame(row, reading)) throw conflict(meter, reading, row, row.entry_id);
      unchanged.push(row);
    } else if (twin?.reading_timestamp === reading.reading_timestamp) {
      if (!isSame(twin, reading)) throw conflict(meter, reading, twin, undefined);
    } else {
      fresh.push(reading);
    }
  }
  return { fresh, unchanged };
}

function toDraft(meter: MeterRow, reading: NewReading): Draft {
  const { reading_type, reading_timestamp, value_wh, period_start, note } = reading;
  return draft({ meter_id: meter.id, kind: reading_type, reading_timestamp, value_wh, period_start, note });
}

/**
 * Records readings of one property as one batch, whole or not at all. The property must be locked (lockProperty).
 * @param sent per meter, at least one reading each, in any order
 * @returns per meter what happened; no batch is written if every reading was there already
 */
export async function record(
  tx: Tx,
  property_id: number,
  author: Author,
  sent: ReadonlyMap<MeterRow, NewReading[]>,
): Promise<{ batch_id: number | null; meters: RecordedMeter[] }> {
  const sorted = [];
  for (const [meter, readings] of sent) {
    readings.sort((a, b) => a.reading_timestamp - b.reading_timestamp);
    sorted.push({ meter, ...(await sortOut(tx, meter, readings)) });
  }
  const entry_count = sorted.reduce((sum, { fresh }) => sum + fresh.length, 0);
  if (entry_count === 0) {
    return {
      batch_id: null,
      meters: sorted.map(({ meter, unchanged }) => ({ meter, recorded: [], unchanged, flagged: 0 })),
    };
  }
  const drafts = sorted.flatMap(({ meter, fresh }) => fresh.map((reading) => toDraft(meter, reading)));
  const { batch_id, entries } = await writeBatch(tx, property_id, author, drafts);
  let next = 0;
  const meters: RecordedMeter[] = [];
  for (const { meter, fresh, unchanged } of sorted) {
    const recorded = fresh.map(({ place: _, note: __, ...reading }) => ({
      ...reading,
      entry_id: entries[next++]!.id,
    }));
    const flagged = recorded.length > 0 ? await project(tx, { meter, added: recorded, removed: [] }) : 0;
    meters.push({ meter, recorded, unchanged, flagged });
  }
  return { batch_id, meters };
}
