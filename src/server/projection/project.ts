/** Keeps one meter's projection right when entries of it come into force or go out of it, in the caller's transaction. */
import {
  type Device,
  EnergyOutOfRange,
  FIRST_DEVICE,
  type Highest,
  IntervalOverlap,
  type MeterRules,
  type Projected,
  rejudge,
  type Standing,
  shiftAfter,
  step,
} from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import type { Db, Tx } from '../db/tables.ts';
import { DomainError } from '../errors.ts';
import type { InForce } from '../ledger/store.ts';
import * as ledger from '../ledger/store.ts';
import type { ProjectedMeter } from './store.ts';
import * as store from './store.ts';

/** What comes into force and what goes out of it, each at most once per instant, in order of time. */
export interface MeterChange {
  meter: ProjectedMeter;
  added: readonly InForce[];
  /** Instants whose readings go out of force. */
  removed: readonly number[];
  /** Look at everything from here on, because the rules have changed; else from the first change. */
  from_ms?: number;
  /** Look at everything up to here. */
  until_ms?: number;
}

/** Beyond every instant, for changes that reach to the beginning or to the end. */
export const FOREVER_MS = Number.MAX_SAFE_INTEGER;

/** Pages in which the readings after a change are looked at: most changes settle within the first. */
const FIRST_PAGE = 4;
const LARGEST_PAGE = 10_000;

/** The devices of a meter and the rest of what its energy depends on. */
export async function rulesOf(db: Db, meter: ProjectedMeter): Promise<MeterRules> {
  const devices: Device[] = (await ledger.devicesOf(db, meter.id)).map((entry) => ({
    installed_at: entry.reading_timestamp,
    initial_value_wh: entry.initial_value_wh,
    digits: entry.digits,
    multiplier: entry.multiplier!,
  }));
  const first = devices[0]?.installed_at === null ? [] : [FIRST_DEVICE];
  return { devices: [...first, ...devices], plausibility_factor: meter.plausibility_factor };
}

/** Names the two readings of an overlap, and the one that is in the ledger already. */
function overlap(
  meter: ProjectedMeter,
  { reading, previous }: IntervalOverlap,
  added: ReadonlySet<number>,
): DomainError {
  const { entry_id } = reading as InForce;
  const there = (added.has(entry_id) ? previous : reading) as InForce;
  const from = formatInstant(reading.period_start!);
  return new DomainError(
    'interval_overlap',
    `The interval of ${meter.name} from ${from} to ${formatInstant(reading.reading_timestamp)} reaches back over the ` +
      `reading at ${formatInstant(previous.reading_timestamp)}: its energy would be counted twice. ` +
      'Record intervals that follow each other, and registers at their ends.',
    added.has(there.entry_id) ? {} : { reading_id: there.entry_id },
  );
}

const COMPARED = [
  'entry_id',
  'energy_wh',
  'offset_wh',
  'gap_ms',
  'rate_w',
  'stretches',
  'is_highest',
  'decreased',
  'rolled_over',
  'implausible',
] as const satisfies (keyof store.StoredReading)[];

function differs(a: store.StoredReading, b: store.StoredReading): boolean {
  return COMPARED.some((column) => a[column] !== b[column]);
}

function isFlagged(row: Projected | null): boolean {
  return row !== null && (row.decreased || row.implausible);
}

/** What is between the first and the last change: what is stored and stays, and what is added, in order of time. */
function merged(change: MeterChange, stored: readonly store.StoredReading[]) {
  const gone = new Set([...change.removed, ...change.added.map((reading) => reading.reading_timestamp)]);
  const staying = stored
    .filter((row) => !gone.has(row.reading_timestamp))
    .map((row) => ({ reading: row as InForce, stored: row as store.StoredReading | null }));
  const before = new Map(stored.map((row) => [row.reading_timestamp, row]));
  const added = change.added.map((reading) => ({
    reading,
    stored: before.get(reading.reading_timestamp) ?? null,
  }));
  if (staying.length === 0) return added;
  return [...staying, ...added].sort((a, b) => a.reading.reading_timestamp - b.reading.reading_timestamp);
}

/** The highest of the stored rates up to the last of some rows, where it was `before_w` before them. */
function highestStored(rows: readonly store.StoredReading[], before_w: number): number {
  return rows.findLast(({ is_highest }) => is_highest)?.rate_w ?? before_w;
}

/** Judges the rows after an instant again if the highest rate up to there has changed. @returns how many became flagged */
async function rejudgeAfter(
  tx: Tx,
  { id, property_id }: ProjectedMeter,
  rules: MeterRules,
  instant_ms: number,
  highest: Highest,
): Promise<number> {
  let flagged = 0;
  let after_ms = instant_ms;
  for (let size = FIRST_PAGE; highest.stored_w !== highest.recomputed_w; size = LARGEST_PAGE) {
    const { stored_w, recomputed_w } = highest;
    const floor_w = Math.min(stored_w, recomputed_w);
    // What is plausible and not the highest today stays so if the highest rises.
    const rises = recomputed_w > stored_w;
    const rows = await store.ratesAbove(tx, property_id, id, after_ms, floor_w, rises, size);
    const again = rejudge(rows, highest, rules);
    await store.replaceReadings(tx, property_id, id, again.changed);
    flagged += again.changed.filter((row) => row.implausible && !row.decreased).length;
    if (rows.length < size) break;
    after_ms = rows.at(-1)!.reading_timestamp;
    highest = again.highest;
  }
  return flagged;
}

async function fold(tx: Tx, change: MeterChange): Promise<{ flagged: number }> {
  const { meter, added, removed, from_ms = Infinity, until_ms = -Infinity } = change;
  const { property_id, id: meter_id } = meter;
  const rules = await rulesOf(tx, meter);
  const instants = added.map((reading) => reading.reading_timestamp).concat(removed);
  // Not Math.min(...instants): an undone import names more instants than a call takes arguments.
  const first_ms = instants.reduce((first, instant) => Math.min(first, instant), from_ms);
  const last_ms = instants.reduce((last, instant) => Math.max(last, instant), until_ms);
  const between = await store.readingsBetween(tx, property_id, meter_id, first_ms, last_ms);
  const fresh: store.StoredReading[] = [];
  const changed: store.StoredReading[] = [];
  let flagged = 0;
  let previous: (store.StoredReading & Standing) | null = await store.readingBefore(
    tx,
    property_id,
    meter_id,
    first_ms,
  );
  let stored_w = highestStored(between, previous?.highest_w ?? 0);

  /** Steps over one reading, new or stored. */
  function advance(reading: InForce, stored: store.StoredReading | null): store.StoredReading {
    const row = step(previous, reading, rules) as store.StoredReading & Standing;
    if (isFlagged(row) && !isFlagged(stored)) flagged += 1;
    if (!stored) fresh.push(row);
    else if (differs(stored, row)) changed.push(row);
    previous = row;
    return row;
  }
  for (const { reading, stored } of merged(change, between)) advance(reading, stored);

  let after_ms = last_ms;
  for (let size = FIRST_PAGE, settled = false; !settled; size = Math.min(size * 8, LARGEST_PAGE)) {
    const page = await store.readingsFrom(tx, property_id, meter_id, after_ms + 1, size);
    settled = page.length < size;
    for (const stored of page) {
      after_ms = stored.reading_timestamp;
      stored_w = highestStored([stored], stored_w);
      const shift = shiftAfter(stored, advance(stored, stored));
      if (!shift) continue;
      if (shift.energy_wh !== 0 || shift.gap_ms !== 0) {
        const last = await store.lastReading(tx, property_id, meter_id);
        if (!Number.isSafeInteger(last!.energy_wh + shift.energy_wh)) throw new EnergyOutOfRange();
        await store.shiftReadings(tx, property_id, meter_id, after_ms, shift);
      }
      flagged += await rejudgeAfter(tx, meter, rules, after_ms, {
        stored_w,
        recomputed_w: previous!.highest_w,
      });
      settled = true;
      break;
    }
  }
  const again = new Set(added.map((reading) => reading.reading_timestamp));
  await store.deleteReadings(
    tx,
    property_id,
    meter_id,
    removed.filter((instant) => !again.has(instant)),
  );
  await store.insertReadings(tx, property_id, meter_id, fresh);
  await store.replaceReadings(tx, property_id, meter_id, changed);
  return { flagged };
}

/**
 * Brings the projection of one meter up to date.
 * @returns how many readings became flagged
 * @throws interval_overlap, validation_failed where the energy leaves the range of exact integers
 */
export async function project(tx: Tx, change: MeterChange): Promise<number> {
  const { meter, added } = change;
  try {
    return (await fold(tx, change)).flagged;
  } catch (error) {
    if (error instanceof IntervalOverlap) throw overlap(meter, error, new Set(added.map((r) => r.entry_id)));
    if (error instanceof EnergyOutOfRange) {
      const message = `the energy of ${meter.name} would exceed what can be counted exactly (9 billion MWh)`;
      throw new DomainError('validation_failed', `${message}.`, { errors: [{ path: 'value', message }] });
    }
    throw error;
  }
}
