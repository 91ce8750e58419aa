/** Adds entries to the ledger and keeps the projection right, in the caller's transaction. */
import type { Source } from '../../contract/readings.ts';
import {
  EnergyOutOfRange,
  IntervalOverlap,
  type Projected,
  type Recorded,
  shiftAfter,
  step,
} from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import { takeIds } from '../db/dialect.ts';
import type { Tx } from '../db/tables.ts';
import { DomainError } from '../errors.ts';
import type { MeterRow } from '../meters/store.ts';
import * as store from './store.ts';

/** A reading to record; `place` says where it stands in what was sent, for errors: empty, or "line 17: ". */
export type NewReading = Recorded & { note: string | null; place: string };

/** What recording did to one meter. */
export interface RecordedMeter {
  meter: MeterRow;
  /** Entries added, in order of time. */
  recorded: store.NewEntry[];
  /** Readings that were there already, with the same value. */
  unchanged: store.StoredReading[];
  /** Readings whose flag appeared. */
  flagged: number;
}

export interface Author {
  user_id: number;
  source: Source;
  now_ms: number;
}

/** Pages in which the readings after a change are looked at: most changes settle within the first. */
const FIRST_PAGE = 4;
const LARGEST_PAGE = 10_000;

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
  const stored = await store.readingsBetween(tx, meter.property_id, meter.id, first_ms, last_ms);
  const there = new Map(stored.map((row) => [row.reading_timestamp, row]));
  const unchanged: store.StoredReading[] = [];
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
  return { fresh, unchanged, stored };
}

/** Names the two readings of an overlap, and the one that is in the ledger already. */
function overlap(
  meter: MeterRow,
  { reading, previous }: IntervalOverlap,
  recorded: ReadonlySet<number>,
): DomainError {
  const { entry_id } = reading as store.StoredReading;
  const there = (recorded.has(entry_id) ? previous : reading) as store.StoredReading;
  const from = formatInstant(reading.period_start!);
  return new DomainError(
    'interval_overlap',
    `The interval of ${meter.name} from ${from} to ${formatInstant(reading.reading_timestamp)} reaches back over the ` +
      `reading at ${formatInstant(previous.reading_timestamp)}: its energy would be counted twice. ` +
      'Record intervals that follow each other, and registers at their ends.',
    recorded.has(there.entry_id) ? {} : { reading_id: there.entry_id },
  );
}

function differs(a: Projected, b: Projected): boolean {
  return (
    a.energy_wh !== b.energy_wh ||
    a.offset_wh !== b.offset_wh ||
    a.gap_ms !== b.gap_ms ||
    a.decreased !== b.decreased
  );
}

/** Recomputes the projection of one meter from its first new entry on. @returns how many readings became flagged */
async function project(
  tx: Tx,
  meter: MeterRow,
  recorded: readonly store.NewEntry[],
  stored_between: readonly store.StoredReading[],
): Promise<number> {
  const { property_id, id: meter_id } = meter;
  const first_ms = recorded[0]!.reading_timestamp;
  const added: store.StoredReading[] = [];
  const changed: store.StoredReading[] = [];
  let flagged = 0;
  let previous: store.StoredReading | null = await store.readingBefore(tx, property_id, meter_id, first_ms);

  /** Steps over one reading, new or stored. */
  function advance(reading: Recorded & { entry_id: number }, stored: store.StoredReading | null): Projected {
    const row = step(previous, reading) as store.StoredReading;
    if (row.decreased && !stored?.decreased) flagged += 1;
    if (!stored) added.push(row);
    else if (differs(stored, row)) changed.push(row);
    previous = row;
    return row;
  }

  // Repeats may lie before the first new entry: `previous` stands for those.
  let between = stored_between.findLastIndex((stored) => stored.reading_timestamp < first_ms) + 1;
  for (const entry of recorded) {
    for (
      let stored = stored_between[between];
      stored && stored.reading_timestamp < entry.reading_timestamp;
      stored = stored_between[++between]
    ) {
      advance(stored, stored);
    }
    advance(entry, null);
  }

  let after_ms = recorded.at(-1)!.reading_timestamp;
  for (let size = FIRST_PAGE, settled = false; !settled; size = Math.min(size * 8, LARGEST_PAGE)) {
    const page = await store.readingsFrom(tx, property_id, meter_id, after_ms + 1, size);
    settled = page.length < size;
    for (const stored of page) {
      after_ms = stored.reading_timestamp;
      const shift = shiftAfter(stored, advance(stored, stored));
      if (!shift) continue;
      if (shift.energy_wh !== 0 || shift.gap_ms !== 0) {
        const last = await store.lastReading(tx, property_id, meter_id);
        if (!Number.isSafeInteger(last!.energy_wh + shift.energy_wh)) throw new EnergyOutOfRange();
        await store.shiftReadings(tx, property_id, meter_id, after_ms, shift);
      }
      settled = true;
      break;
    }
  }
  await store.insertReadings(tx, property_id, meter_id, added);
  await store.replaceReadings(tx, property_id, meter_id, changed);
  return flagged;
}

async function projectOrRefuse(
  tx: Tx,
  meter: MeterRow,
  recorded: readonly store.NewEntry[],
  stored: readonly store.StoredReading[],
): Promise<number> {
  try {
    return await project(tx, meter, recorded, stored);
  } catch (error) {
    if (error instanceof IntervalOverlap)
      throw overlap(meter, error, new Set(recorded.map((r) => r.entry_id)));
    if (error instanceof EnergyOutOfRange) {
      const message = `the energy of ${meter.name} would exceed what can be counted exactly (9 billion MWh)`;
      throw new DomainError('validation_failed', `${message}.`, { errors: [{ path: 'value', message }] });
    }
    throw error;
  }
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
  const batch_id = await store.insertBatch(tx, {
    property_id,
    recorded_by_user_id: author.user_id,
    source: author.source,
    created_at: author.now_ms,
    entry_count,
  });
  const ids = await takeIds(tx, 'ledger_entries', entry_count);
  let next = 0;
  const meters: RecordedMeter[] = [];
  for (const { meter, fresh, unchanged, stored } of sorted) {
    const recorded = fresh.map(({ place: _, ...reading }) => ({
      ...reading,
      meter_id: meter.id,
      entry_id: ids[next++]!,
    }));
    await store.insertEntries(tx, property_id, batch_id, recorded);
    const flagged = recorded.length > 0 ? await projectOrRefuse(tx, meter, recorded, stored) : 0;
    meters.push({ meter, recorded, unchanged, flagged });
  }
  return { batch_id, meters };
}
