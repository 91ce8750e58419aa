/** Keeps one meter's projection right while more readings come into force than memory holds. */
import type { MeterRules } from '../../core/reading.ts';
import type { Db, Tx } from '../db/tables.ts';
import type { InForce } from '../ledger/store.ts';
import { Folding, namingMeter, type Step } from './fold.ts';
import type { ProjectedMeter } from './store.ts';
import * as store from './store.ts';

const STORED_AT_ONCE = 5000;

/** What a long change is about, and whether it is carried out. */
export interface LongChange {
  /** Null: it is only looked at what would come of it. */
  tx: Tx | null;
  db: Db;
  /** Tells the entries that come into force from those that are there. */
  isAdded: (entry_id: number) => boolean;
}

function merge(added: readonly InForce[], stored: readonly store.StoredReading[]): Step[] {
  const steps: Step[] = added.map((reading) => ({ reading, stored: null }));
  if (stored.length === 0) return steps;
  for (const row of stored) steps.push({ reading: row, stored: row });
  return steps.sort((a, b) => a.reading.reading_timestamp - b.reading.reading_timestamp);
}

/**
 * The readings of one meter that a long change adds: page by page in order of time, none of them there already. What it
 * takes out is to be gone before.
 */
export class LongFold {
  readonly #change: LongChange;
  readonly #meter: ProjectedMeter;
  readonly #folding: Folding;
  /** Everything up to here has been stepped over. */
  #done_ms: number;
  /** The first stored reading after that; null where there is none. */
  #next_ms: number | null;
  /** The energy at the instants that were asked for, as far as there are readings. */
  readonly energies_wh: Map<number, number | null>;

  private constructor(
    change: LongChange,
    meter: ProjectedMeter,
    folding: Folding,
    from: { done_ms: number; next_ms: number | null; instants_ms: readonly number[] },
  ) {
    this.#change = change;
    this.#meter = meter;
    this.#folding = folding;
    this.#done_ms = from.done_ms;
    this.#next_ms = from.next_ms;
    this.energies_wh = new Map(from.instants_ms.map((instant) => [instant, null]));
  }

  /** @param from_ms the first reading that comes into force; @param instants_ms whose energy is asked for */
  static async begin(
    change: LongChange,
    meter: ProjectedMeter,
    rules: MeterRules,
    from_ms: number,
    instants_ms: readonly number[],
  ): Promise<LongFold> {
    const { id, property_id } = meter;
    const before = await store.readingBefore(change.db, property_id, id, from_ms);
    const [next] = await store.readingsFrom(change.db, property_id, id, from_ms, 1);
    const next_ms = next?.reading_timestamp ?? null;
    const folding = new Folding(meter, rules, before);
    return new LongFold(change, meter, folding, { done_ms: from_ms - 1, next_ms, instants_ms });
  }

  get flagged(): number {
    return this.#folding.flagged;
  }

  /**
   * Steps over readings that come into force, and over what is stored up to an instant. What is to be written is
   * written.
   * @param through_ms at least that of the last one
   * @throws interval_overlap, validation_failed where the energy leaves the range of exact integers
   */
  async add(added: readonly InForce[], through_ms: number): Promise<void> {
    let from = 0;
    while (this.#done_ms < through_ms) {
      const stored = await this.#storedUpTo(through_ms);
      const is_last = stored.length < STORED_AT_ONCE;
      const until_ms = is_last ? through_ms : stored.at(-1)!.reading_timestamp;
      let to = from;
      while (to < added.length && added[to]!.reading_timestamp <= until_ms) to += 1;
      const rows = await namingMeter(this.#meter, this.#change.isAdded, async () =>
        this.#folding.pass(merge(added.slice(from, to), stored), stored),
      );
      for (const { reading_timestamp, energy_wh } of rows) {
        if (this.energies_wh.has(reading_timestamp)) this.energies_wh.set(reading_timestamp, energy_wh);
      }
      from = to;
      this.#done_ms = until_ms;
      await this.#write();
    }
  }

  /**
   * Brings what is stored after the last reading up to date.
   * @param stored_w the highest rate up to there before readings were taken out, if some were
   * @throws as add does
   */
  async end(stored_w?: number): Promise<void> {
    const { db, tx, isAdded } = this.#change;
    const { id, property_id } = this.#meter;
    const page = await store.readingsFrom(db, property_id, id, this.#done_ms + 1, store.FIRST_PAGE);
    await namingMeter(this.#meter, isAdded, () =>
      this.#folding.settle(db, tx, this.#done_ms, page, stored_w),
    );
    await this.#write();
  }

  async #storedUpTo(through_ms: number): Promise<store.StoredReading[]> {
    if (this.#next_ms === null || this.#next_ms > through_ms) return [];
    const { db } = this.#change;
    const { id, property_id } = this.#meter;
    const from_ms = Math.max(this.#done_ms + 1, this.#next_ms);
    const rows = await store.readingsFrom(db, property_id, id, from_ms, STORED_AT_ONCE);
    const after = rows.findIndex(({ reading_timestamp }) => reading_timestamp > through_ms);
    if (after < 0) {
      const last = rows.at(-1);
      this.#next_ms = rows.length < STORED_AT_ONCE || !last ? null : last.reading_timestamp + 1;
      return rows;
    }
    this.#next_ms = rows[after]!.reading_timestamp;
    return rows.slice(0, after);
  }

  async #write(): Promise<void> {
    const { fresh, changed } = this.#folding.take();
    const { tx } = this.#change;
    if (!tx) return;
    const { id: meter_id, property_id } = this.#meter;
    await store.insertReadings(tx, property_id, [{ meter_id, rows: fresh }]);
    if (changed.length > 0) await store.replaceReadings(tx, property_id, [{ meter_id, rows: changed }]);
  }
}
