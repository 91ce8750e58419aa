/** Keeps one meter's projection right when entries of it come into force or go out of it, in the caller's transaction. */
import { type Device, FIRST_DEVICE, type MeterRules } from '../../core/reading.ts';
import type { Db, Tx } from '../db/tables.ts';
import { together } from '../db/together.ts';
import type { InForce } from '../ledger/store.ts';
import * as ledger from '../ledger/store.ts';
import { type FoldedRows, Folding, namingMeter, type Step } from './fold.ts';
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

/** Rows of the projection that wait to be written together. */
const ROWS_AT_ONCE = 10_000;

/** The devices of a meter and the rest of what its energy depends on. */
export async function rulesOf(db: Db, meter: ProjectedMeter): Promise<MeterRules> {
  return (await rulesOfEach(db, [meter]))[0]!;
}

/** The same for some meters at once, in their order. */
export async function rulesOfEach(db: Db, meters: readonly ProjectedMeter[]): Promise<MeterRules[]> {
  const ids = meters.map(({ id }) => id);
  const of_meter = Map.groupBy(await ledger.devicesOfMeters(db, ids), ({ meter_id }) => meter_id);
  return meters.map((meter) => toRules(meter, of_meter.get(meter.id) ?? []));
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

/** What is between the first and the last change: what is stored and stays, and what is added, in order of time. */
function merged(change: MeterChange, stored: readonly store.StoredReading[]): Step[] {
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
interface Folded extends FoldedRows {
  /** Readings whose flag appeared. */
  flagged: number;
}

async function fold(tx: Tx, change: MeterChange, around: Surroundings): Promise<Folded> {
  const folding = new Folding(change.meter, around.rules, around.before);
  const added = new Set(change.added.map(({ entry_id }) => entry_id));
  await namingMeter(
    change.meter,
    (entry_id) => added.has(entry_id),
    async () => {
      folding.pass(merged(change, around.between), around.between);
      await folding.settle(tx, tx, around.last_ms, around.after);
    },
  );
  return { ...folding.take(), flagged: folding.flagged };
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
    const done = await fold(tx, change, around[i]!);
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
