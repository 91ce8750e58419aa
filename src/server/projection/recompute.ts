/** Makes the projection again from the truth alone: folds all entries in force, meter by meter. */
import { EnergyOutOfRange, IntervalOverlap, type Standing, step } from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import type { Tx } from '../db/tables.ts';
import * as ledger from '../ledger/store.ts';
import { rulesOf } from './project.ts';
import * as store from './store.ts';

/** Where the projection is not what the ledger says, in a sentence and for programs. */
export interface Difference {
  property_id: number;
  meter_id: number;
  /** Of the reading that differs; null if all of a meter is concerned. */
  entry_id: number | null;
  detail: string;
}

/** What was looked at, and the first difference. */
export interface Recomputed {
  meters: number;
  readings: number;
  difference: Difference | null;
}

const METERS_AT_ONCE = 100;
const ROWS_AT_ONCE = 10_000;

async function* everyMeter(tx: Tx): AsyncGenerator<store.ProjectedMeter> {
  for (let last = 0; ; ) {
    const meters = await store.metersAfter(tx, last, METERS_AT_ONCE);
    yield* meters;
    if (meters.length < METERS_AT_ONCE) return;
    last = meters.at(-1)!.id;
  }
}

/** The projection of one meter as the ledger has it. */
async function fold(tx: Tx, meter: store.ProjectedMeter): Promise<store.StoredReading[]> {
  const rules = await rulesOf(tx, meter);
  let previous: (store.StoredReading & Standing) | null = null;
  const rows: store.StoredReading[] = [];
  for (const reading of await ledger.inForce(tx, meter.property_id, meter.id)) {
    try {
      previous = step(previous, reading, rules) as store.StoredReading & Standing;
    } catch (error) {
      if (!(error instanceof IntervalOverlap || error instanceof EnergyOutOfRange)) throw error;
      throw new CannotFold(`${meter.name} (meter ${meter.id}), entry ${reading.entry_id}: ${error.message}`);
    }
    rows.push(previous);
  }
  return rows;
}

const shown = (value: unknown) => (value === null ? 'nothing' : String(value));

/** The first column in which a stored row is not the folded one, in words; null if there is none. */
function differs(
  folded: store.StoredReading | undefined,
  stored: store.StoredReading | undefined,
): string | null {
  if (!folded || !stored) {
    const there = (folded ?? stored)!;
    const at = `the reading at ${formatInstant(there.reading_timestamp)} (entry ${there.entry_id})`;
    return folded ? `${at} is missing` : `${at} is there, but not in force`;
  }
  if (folded.reading_timestamp !== stored.reading_timestamp) {
    return folded.reading_timestamp < stored.reading_timestamp
      ? differs(folded, undefined)
      : differs(undefined, stored);
  }
  const column = (Object.keys(stored) as (keyof store.StoredReading)[]).find(
    (key) => stored[key] !== folded[key],
  );
  if (!column) return null;
  return (
    `the reading at ${formatInstant(stored.reading_timestamp)} (entry ${stored.entry_id}) has ` +
    `${column} ${shown(stored[column])}, the ledger says ${shown(folded[column])}`
  );
}

async function compare(
  tx: Tx,
  { id, property_id, name }: store.ProjectedMeter,
  folded: readonly store.StoredReading[],
): Promise<Difference | null> {
  const difference = (detail: string, row: store.StoredReading | undefined): Difference => ({
    property_id,
    meter_id: id,
    entry_id: row?.entry_id ?? null,
    detail: `${name} (meter ${id}): ${detail}`,
  });
  let from_ms = -Number.MAX_SAFE_INTEGER;
  for (let at = 0; ; ) {
    const stored = await store.readingsFrom(tx, property_id, id, from_ms, ROWS_AT_ONCE);
    for (const row of stored) {
      const detail = differs(folded[at], row);
      if (detail) return difference(detail, row);
      at += 1;
    }
    if (stored.length < ROWS_AT_ONCE) {
      const missing = folded[at];
      return missing ? difference(differs(missing, undefined)!, missing) : null;
    }
    from_ms = stored.at(-1)!.reading_timestamp + 1;
  }
}

/** The entries of a meter cannot stand together: what the truth says is not a history that could have been recorded. */
export class CannotFold extends Error {}

/**
 * Compares the projection with what the ledger says, or puts it in its place.
 * @param how `check` changes nothing and ends at the first difference; `rewrite` replaces all of the projection
 * @throws CannotFold where entries in force exclude each other
 */
export async function recompute(tx: Tx, how: 'check' | 'rewrite'): Promise<Recomputed> {
  const found: Recomputed = { meters: 0, readings: 0, difference: null };
  await ledger.lockEveryProperty(tx);
  const stray = how === 'check' ? await store.strayReading(tx) : undefined;
  if (stray) {
    const detail = `the projection has readings of meter ${stray.meter_id}, which property ${stray.property_id} does not have`;
    return { ...found, difference: { ...stray, detail } };
  }
  if (how === 'rewrite') await store.deleteProjection(tx);
  for await (const meter of everyMeter(tx)) {
    const folded = await fold(tx, meter);
    if (how === 'rewrite')
      await store.insertReadings(tx, meter.property_id, [{ meter_id: meter.id, rows: folded }]);
    else found.difference = await compare(tx, meter, folded);
    if (found.difference) return found;
    found.meters += 1;
    found.readings += folded.length;
  }
  return found;
}
