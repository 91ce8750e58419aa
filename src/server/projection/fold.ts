/** Steps over one meter's readings, and finds out which rows of its projection are to be written. */
import {
  EnergyOutOfRange,
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
import { DomainError, inTheWay } from '../errors.ts';
import type { InForce } from '../ledger/store.ts';
import type { ProjectedMeter } from './store.ts';
import * as store from './store.ts';

/** Pages in which the readings after a change are looked at, from store.FIRST_PAGE on. */
const LARGEST_PAGE = 10_000;

/** Names the two readings of an overlap, and the one that is in the ledger already. */
function overlap(
  meter: ProjectedMeter,
  { reading, previous }: IntervalOverlap,
  isAdded: (entry_id: number) => boolean,
): DomainError {
  const { entry_id } = reading as InForce;
  const there = (isAdded(entry_id) ? previous : reading) as InForce;
  const from = formatInstant(reading.period_start!);
  return new DomainError(
    'interval_overlap',
    `The interval of ${meter.name} from ${from} to ${formatInstant(reading.reading_timestamp)} reaches back over the ` +
      `reading at ${formatInstant(previous.reading_timestamp)}: its energy would be counted twice. ` +
      'Record intervals that follow each other, and registers at their ends.',
    isAdded(there.entry_id) ? {} : inTheWay(there),
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

/** The highest of the stored rates up to the last of some rows, where it was `before_w` before them. */
function highestStored(rows: readonly store.StoredReading[], before_w: number): number {
  return rows.findLast(({ is_highest }) => is_highest)?.rate_w ?? before_w;
}

/** Judges the rows after an instant again if the highest rate up to there has changed. @returns those judged otherwise */
async function rejudgedAfter(
  db: Db,
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
    const rows = await store.ratesAbove(db, property_id, id, after_ms, floor_w, rises, size);
    const again = rejudge(rows, highest, rules);
    changed.push(...again.changed);
    if (rows.length < size) break;
    after_ms = rows.at(-1)!.reading_timestamp;
    highest = again.highest;
  }
  return changed;
}

/** A reading that is to be stepped over: `stored` is its row as it is, null if it comes into force. */
export interface Step {
  reading: InForce;
  stored: store.StoredReading | null;
}

/** Rows of one meter's projection to be written. */
export interface FoldedRows {
  /** Of the readings that came into force, in order of time. */
  fresh: store.StoredReading[];
  changed: store.StoredReading[];
}

/** One meter's readings in order of time, from the first one that a change concerns. */
export class Folding {
  /** Readings whose flag appeared. */
  flagged = 0;
  readonly #meter: ProjectedMeter;
  readonly #rules: MeterRules;
  #previous: (store.StoredReading & Standing) | null;
  #stored_w: number;
  #rows: FoldedRows = { fresh: [], changed: [] };

  /** @param previous the last reading before the change */
  constructor(meter: ProjectedMeter, rules: MeterRules, previous: (store.StoredReading & Standing) | null) {
    this.#meter = meter;
    this.#rules = rules;
    this.#previous = previous;
    this.#stored_w = previous?.highest_w ?? 0;
  }

  #advance({ reading, stored }: Step): store.StoredReading {
    const row = step(this.#previous, reading, this.#rules) as store.StoredReading & Standing;
    if (isFlagged(row) && !isFlagged(stored)) this.flagged += 1;
    if (!stored) this.#rows.fresh.push(row);
    else if (differs(stored, row)) this.#rows.changed.push(row);
    this.#previous = row;
    return row;
  }

  /**
   * Steps over readings, new and stored ones.
   * @param there the stored rows of that time, those that go out of force included
   * @returns their rows
   * @throws IntervalOverlap, EnergyOutOfRange
   */
  pass(steps: readonly Step[], there: readonly store.StoredReading[]): store.StoredReading[] {
    this.#stored_w = highestStored(there, this.#stored_w);
    return steps.map((each) => this.#advance(each));
  }

  /** The rows that wait to be written; from here on they no longer do. */
  take(): FoldedRows {
    const rows = this.#rows;
    this.#rows = { fresh: [], changed: [] };
    return rows;
  }

  /**
   * Steps on over what is stored after the change, until the rest moves uniformly; moves that, if there is a transaction.
   * @param tx null: nothing is moved
   * @param page the first FIRST_PAGE stored rows after `after_ms`
   * @param stored_w the highest rate up to there as it was stored, if rows are gone that were not passed
   * @throws IntervalOverlap, EnergyOutOfRange
   */
  async settle(
    db: Db,
    tx: Tx | null,
    after_ms: number,
    page: readonly store.StoredReading[],
    stored_w = this.#stored_w,
  ): Promise<void> {
    const { property_id, id } = this.#meter;
    this.#stored_w = stored_w;
    let rows = page;
    for (let size = store.FIRST_PAGE; ; ) {
      for (const stored of rows) {
        after_ms = stored.reading_timestamp;
        this.#stored_w = highestStored([stored], this.#stored_w);
        const shift = shiftAfter(stored, this.#advance({ reading: stored, stored }));
        if (!shift) continue;
        if (shift.energy_wh !== 0 || shift.gap_ms !== 0) {
          const last = await store.lastReading(db, property_id, id);
          if (!Number.isSafeInteger(last!.energy_wh + shift.energy_wh)) throw new EnergyOutOfRange();
          if (tx) await store.shiftReadings(tx, property_id, id, after_ms, shift);
        }
        const highest = { stored_w: this.#stored_w, recomputed_w: this.#previous!.highest_w };
        const rejudged = await rejudgedAfter(db, this.#meter, this.#rules, after_ms, highest);
        this.flagged += rejudged.filter((row) => row.implausible && !row.decreased).length;
        this.#rows.changed.push(...rejudged);
        return;
      }
      if (rows.length < size) return;
      size = Math.min(size * 8, LARGEST_PAGE);
      rows = await store.readingsFrom(db, property_id, id, after_ms + 1, size);
    }
  }
}

/** Carries out a fold; its errors name the meter. @param isAdded tells what comes into force from what is there */
export async function namingMeter<T>(
  meter: ProjectedMeter,
  isAdded: (entry_id: number) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof IntervalOverlap) throw overlap(meter, error, isAdded);
    if (error instanceof EnergyOutOfRange) {
      const message = `the energy of ${meter.name} would exceed what can be counted exactly (9 billion MWh)`;
      throw new DomainError('validation_failed', `${message}.`, { errors: [{ path: 'value', message }] });
    }
    throw error;
  }
}
