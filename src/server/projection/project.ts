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
import { together } from '../db/together.ts';
import { DomainError, inTheWay } from '../errors.ts';
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

/** Pages in which the readings after a change are looked at, from store.FIRST_PAGE on. */
const LARGEST_PAGE = 10_000;
/** Rows of the projection that wait to be written together. */
const ROWS_AT_ONCE = 10_000;

/** The devices of a meter and the rest of what its energy depends on. */
export async function rulesOf(db: Db, meter: ProjectedMeter): Promise<MeterRules> {
  return toRules(meter, await ledger.devicesOf(db, meter.id));
}

function toRules(meter: ProjectedMeter, entries: readonly ledger.EntryRow[]): MeterRules {
  const devices: Device[] = entries.map((entry) => ({
    installed_at: entry.reading_timestamp,
    initial_value_wh: entry.initial_value_wh,
    digits: entry.digits,
    multiplier: entry.multiplier!,
  }));
  const first = devices[0]?.installed_at === null ? [] : [FIRST_DEVICE];
  return { devices: [...first, ...devices], plausibility_factor: meter.plausibility_factor };
}

/** What a change of one meter is judged by: its rules, and the readings from its first to its last instant and around. */
export type Surroundings = store.Around & { rules: MeterRules; first_ms: number; last_ms: number };

/** Looks at what surrounds changes of some meters of a property. @returns one for each, in their order */
export async function lookAround(
  tx: Tx,
  property_id: number,
  spans: readonly { meter: ProjectedMeter; first_ms: number; last_ms: number }[],
): Promise<Surroundings[]> {
  const [around, devices] = await together([
    store.readingsAround(
      tx,
      property_id,
      spans.map(({ meter, ...span }) => ({ ...span, meter_id: meter.id })),
    ),
    ledger.devicesOfMeters(
      tx,
      spans.map(({ meter }) => meter.id),
    ),
  ]);
  const of_meter = Map.groupBy(devices, ({ meter_id }) => meter_id);
  return spans.map(({ meter, first_ms, last_ms }, i) => ({
    ...around[i]!,
    rules: toRules(meter, of_meter.get(meter.id) ?? []),
    first_ms,
    last_ms,
  }));
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
    added.has(there.entry_id) ? {} : inTheWay(there),
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

/** Judges the rows after an instant again if the highest rate up to there has changed. @returns those judged otherwise */
async function rejudgedAfter(
  tx: Tx,
  { id, property_id }: ProjectedMeter,
  rules: MeterRules,
  instant_ms: number,
  highest: Highest,
): Promise<store.StoredReading[]> {
  const changed: store.StoredReading[] = [];
  let after_ms = instant_ms;
  for (let size = store.FIRST_PAGE; highest.stored_w !== highest.recomputed_w; size = LARGEST_PAGE) {
    const { stored_w, recomputed_w } = highest;
    const floor_w = Math.min(stored_w, recomputed_w);
    // What is plausible and not the highest today stays so if the highest rises.
    const rises = recomputed_w > stored_w;
    const rows = await store.ratesAbove(tx, property_id, id, after_ms, floor_w, rises, size);
    const again = rejudge(rows, highest, rules);
    changed.push(...again.changed);
    if (rows.length < size) break;
    after_ms = rows.at(-1)!.reading_timestamp;
    highest = again.highest;
  }
  return changed;
}

/** From the first to the last instant that a change concerns. */
function spanOf({ added, removed, from_ms = Infinity, until_ms = -Infinity }: MeterChange) {
  const instants = added.map((reading) => reading.reading_timestamp).concat(removed);
  // Not Math.min(...instants): an undone import names more instants than a call takes arguments.
  return {
    first_ms: instants.reduce((first, instant) => Math.min(first, instant), from_ms),
    last_ms: instants.reduce((last, instant) => Math.max(last, instant), until_ms),
  };
}

/** What a change does to the rows of one meter's projection. */
interface Folded {
  /** Of the readings that came into force, in order of time. */
  fresh: store.StoredReading[];
  changed: store.StoredReading[];
  /** Readings whose flag appeared. */
  flagged: number;
}

async function fold(tx: Tx, change: MeterChange, { rules, ...around }: Surroundings): Promise<Folded> {
  const { property_id, id: meter_id } = change.meter;
  const fresh: store.StoredReading[] = [];
  const changed: store.StoredReading[] = [];
  let flagged = 0;
  let previous = around.before;
  let stored_w = highestStored(around.between, previous?.highest_w ?? 0);

  /** Steps over one reading, new or stored. */
  function advance(reading: InForce, stored: store.StoredReading | null): store.StoredReading {
    const row = step(previous, reading, rules) as store.StoredReading & Standing;
    if (isFlagged(row) && !isFlagged(stored)) flagged += 1;
    if (!stored) fresh.push(row);
    else if (differs(stored, row)) changed.push(row);
    previous = row;
    return row;
  }
  for (const { reading, stored } of merged(change, around.between)) advance(reading, stored);

  let after_ms = around.last_ms;
  let page = around.after;
  for (let size = store.FIRST_PAGE, settled = false; !settled; ) {
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
      const highest = { stored_w, recomputed_w: previous!.highest_w };
      const rejudged = await rejudgedAfter(tx, change.meter, rules, after_ms, highest);
      flagged += rejudged.filter((row) => row.implausible && !row.decreased).length;
      changed.push(...rejudged);
      settled = true;
      break;
    }
    if (settled) break;
    size = Math.min(size * 8, LARGEST_PAGE);
    page = await store.readingsFrom(tx, property_id, meter_id, after_ms + 1, size);
  }
  return { fresh, changed, flagged };
}

/** Folds a change; errors name the meter. */
async function foldNamed(tx: Tx, change: MeterChange, around: Surroundings): Promise<Folded> {
  const { meter, added } = change;
  try {
    return await fold(tx, change, around);
  } catch (error) {
    if (error instanceof IntervalOverlap) throw overlap(meter, error, new Set(added.map((r) => r.entry_id)));
    if (error instanceof EnergyOutOfRange) {
      const message = `the energy of ${meter.name} would exceed what can be counted exactly (9 billion MWh)`;
      throw new DomainError('validation_failed', `${message}.`, { errors: [{ path: 'value', message }] });
    }
    throw error;
  }
}

/**
 * Brings the projection of some meters of one property up to date, in as few statements as there can be.
 * @param around of each change, from lookAround
 * @returns for each change what it did
 * @throws interval_overlap, validation_failed where the energy leaves the range of exact integers
 */
export async function projectAll(
  tx: Tx,
  property_id: number,
  changes: readonly MeterChange[],
  around: readonly Surroundings[],
): Promise<Folded[]> {
  const folded: Folded[] = [];
  let waiting: (Folded & { meter_id: number })[] = [];
  const write = async () => {
    const rows = waiting;
    waiting = [];
    await together([
      store.insertReadings(
        tx,
        property_id,
        rows.map(({ meter_id, fresh }) => ({ meter_id, rows: fresh })),
      ),
      store.replaceReadings(
        tx,
        property_id,
        rows.map(({ meter_id, changed }) => ({ meter_id, rows: changed })),
      ),
    ]);
  };
  for (const [i, change] of changes.entries()) {
    const { meter, added, removed } = change;
    const done = await foldNamed(tx, change, around[i]!);
    const again = new Set(added.map((reading) => reading.reading_timestamp));
    const gone = removed.filter((instant) => !again.has(instant));
    await store.deleteReadings(tx, property_id, meter.id, gone);
    folded.push(done);
    waiting.push({ ...done, meter_id: meter.id });
    if (waiting.reduce((sum, { fresh, changed }) => sum + fresh.length + changed.length, 0) >= ROWS_AT_ONCE)
      await write();
  }
  await write();
  return folded;
}

/** The same for one change. @returns how many readings became flagged */
export async function project(tx: Tx, change: MeterChange): Promise<number> {
  const { meter } = change;
  const around = await lookAround(tx, meter.property_id, [{ meter, ...spanOf(change) }]);
  const [folded] = await projectAll(tx, meter.property_id, [change], around);
  return folded!.flagged;
}
