/** Records what an upload has put down: holds it against the ledger, then adds to it, page by page. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ImportProgress } from '../../contract/imports.ts';
import { deviceAt, type MeterRules, type Recorded } from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Db, Tx } from '../db/tables.ts';
import { DomainError, inTheWay } from '../errors.ts';
import { insertEntries } from '../ledger/store.ts';
import { type Author, draft, LongBatch } from '../ledger/write.ts';
import type { MeterRow } from '../meters/store.ts';
import { type LongChange, LongFold } from '../projection/long.ts';
import { rulesOfEach } from '../projection/project.ts';
import { readingsAt, readingsFrom, type StoredReading } from '../projection/store.ts';
import { conflict, isSame } from '../readings/record.ts';
import { exceedsRegister, tooManyDigits } from '../readings/register.ts';
import type { Findings } from './findings.ts';
import type { Place } from './formats/format.ts';
import type { StagedEntry, StagedReading, Staging } from './store.ts';
import type { Target } from './targets.ts';

/** Readings between which the event loop goes on. */
const PAGE = 2500;
/** Ids of entries in a dry run begin here: no entry has one below zero. */
const DRY_RUN_IDS = -(2 ** 52);

/** What an import did to one meter, or would do. */
export interface Outcome {
  target: Target;
  meter: MeterRow;
  rules: MeterRules;
  recorded: number;
  unchanged: number;
  repeated: number;
  conflicting: number;
  flagged: number;
  /** Of the first and the last of the file's instants; null where that is not known. */
  first_energy_wh: number | null;
  last_energy_wh: number | null;
  /** What an interval at the first instant adds to the energy between the two. */
  first_interval_wh: number;
}

/** What is recorded into: a transaction with the property locked, or nothing at all (dry run). */
export interface Into {
  db: Db;
  tx: Tx | null;
  property_id: number;
  author: Author;
}

export interface Imported {
  batch_id: number | null;
  outcomes: Outcome[];
}

const asRecorded = ({ is_relative, ...staged }: StagedReading): Recorded => ({
  reading_type: is_relative ? 'relative' : 'absolute',
  reading_timestamp: staged.reading_timestamp,
  value_wh: staged.value_wh,
  period_start: staged.period_start,
  rollover_wh: null,
  confirmed: false,
});

export class Recorder {
  readonly #into: Into;
  readonly #staging: Staging;
  readonly #findings: Findings;
  readonly #progress: (progress: ImportProgress) => void;
  readonly #received: { bytes: number; readings: number };
  readonly #batch: LongBatch | null;
  #drawn = 0;
  #first_id: number | null = null;

  constructor(
    into: Into,
    from: { staging: Staging; findings: Findings },
    received: { bytes: number; readings: number },
    progress: (progress: ImportProgress) => void,
  ) {
    this.#into = into;
    this.#staging = from.staging;
    this.#findings = from.findings;
    this.#received = received;
    this.#progress = progress;
    this.#batch = into.tx && new LongBatch(into.tx, into.property_id);
  }

  /**
   * Records everything as one batch; in a dry run only says what would come of it.
   * @param wanted meters with what the upload has of them, one reading each at least
   * @throws reading_conflict, interval_overlap, validation_failed; a dry run lists them
   */
  async record(wanted: readonly { target: Target; meter: MeterRow }[]): Promise<Imported> {
    const meters = wanted.map(({ meter }) => meter);
    const rules = await rulesOfEach(this.#into.db, meters);
    const outcomes: Outcome[] = [];
    let checked = 0;
    for (const [i, { target, meter }] of wanted.entries()) {
      outcomes.push(await this.#check(target, meter, rules[i]!, checked));
      checked += target.count;
    }
    this.#findings.throwRefused();
    const batch_id = this.#batch ? await this.#batch.close(this.#into.author) : null;
    await this.#fold(new Map(outcomes.map((outcome) => [outcome.target.number, outcome])));
    return { batch_id, outcomes };
  }

  #tell(phase: 'checking' | 'recording', readings: number, total: number): void {
    this.#progress({ phase, bytes: this.#received.bytes, readings, total });
  }

  /** Tells new readings of a meter from those that are there already, and draws entries for them. */
  async #check(target: Target, meter: MeterRow, rules: MeterRules, checked: number): Promise<Outcome> {
    const { db } = this.#into;
    const counts = { recorded: 0, unchanged: 0, repeated: 0, conflicting: 0, flagged: 0 };
    const outcome: Outcome = {
      ...{ target, meter, rules, ...counts },
      ...{ first_energy_wh: null, last_energy_wh: null, first_interval_wh: 0 },
    };
    const [next] = await readingsFrom(db, meter.property_id, meter.id, target.first_ms, 1);
    const is_free = next === undefined || next.reading_timestamp > target.last_ms;
    let last: StagedReading | null = null;
    for (let page = this.#staging.readingsAfter(target.number, null, PAGE); page.length > 0; ) {
      const instants = new Set(page.map(({ reading_timestamp }) => reading_timestamp));
      const stored = is_free ? [] : await readingsAt(db, meter.property_id, meter.id, [...instants]);
      const there = new Map(stored.map((row) => [row.reading_timestamp, row]));
      const fresh: StagedReading[] = [];
      for (const reading of page) {
        if (this.#isFresh(outcome, reading, there.get(reading.reading_timestamp), last)) fresh.push(reading);
        last = reading;
      }
      await this.#draw(outcome, fresh);
      checked += page.length;
      this.#tell('checking', checked, this.#received.readings);
      await nextTurn();
      page = this.#staging.readingsAfter(target.number, last, PAGE);
    }
    return outcome;
  }

  #isFresh(
    outcome: Outcome,
    staged: StagedReading,
    there: StoredReading | undefined,
    last: StagedReading | null,
  ): boolean {
    const { target, meter, rules } = outcome;
    const reading = asRecorded(staged);
    const { reading_timestamp, value_wh } = staged;
    const twin = last?.reading_timestamp === reading_timestamp ? asRecorded(last) : null;
    if (twin && isSame(twin, reading)) {
      outcome.repeated += 1;
      return false;
    }
    if (reading_timestamp === target.first_ms) {
      outcome.first_energy_wh = there?.energy_wh ?? null;
      if (reading.period_start !== null) outcome.first_interval_wh = value_wh;
    }
    if (reading_timestamp === target.last_ms) outcome.last_energy_wh = there?.energy_wh ?? null;
    if (there && isSame(there, reading)) {
      outcome.unchanged += 1;
      return false;
    }
    const other = there ?? twin;
    if (other) {
      this.#conflict(outcome, staged, other, there);
      return false;
    }
    const device = deviceAt(rules.devices, reading_timestamp);
    if (reading.reading_type === 'absolute' && exceedsRegister(device, value_wh)) {
      this.#findings.refuse(this.#placeOf(staged), tooManyDigits(meter.name, device, value_wh));
      return false;
    }
    return true;
  }

  #placeOf({ line, heading }: StagedReading): Place {
    return { line, column: this.#staging.headingOf(heading) };
  }

  #conflict(
    outcome: Outcome,
    staged: StagedReading,
    other: Recorded,
    there: StoredReading | undefined,
  ): void {
    const { meter, target } = outcome;
    const { line, note } = staged;
    const reading = asRecorded(staged);
    if (!this.#findings.is_dry_run)
      throw conflict(meter, { ...reading, note, place: `Line ${line}: ` }, other, there?.entry_id);
    outcome.conflicting += 1;
    this.#findings.conflict({
      ...this.#placeOf(staged),
      meter_id: target.meter?.id ?? null,
      meter_name: meter.name,
      reading_timestamp: formatInstant(reading.reading_timestamp),
      value: formatKwh(reading.value_wh),
      reading_type: reading.reading_type,
      recorded_value: formatKwh(other.value_wh),
      recorded_type: other.reading_type,
      ...{ reading_id: null, device_id: null },
      ...(there ? inTheWay(there) : {}),
    });
  }

  async #draw({ target, meter }: Outcome, fresh: readonly StagedReading[]): Promise<void> {
    if (fresh.length === 0) return;
    const drafts = fresh.map(({ is_relative, reading_timestamp, value_wh, period_start, note }) =>
      draft({
        ...{ meter_id: meter.id, kind: is_relative ? 'relative' : 'absolute' },
        ...{ reading_timestamp, value_wh, period_start, note },
      }),
    );
    const nothing = { batch_id: 0, leaf_hash: new Uint8Array() };
    const entries = this.#batch
      ? await this.#batch.draw(drafts.length, () => drafts)
      : drafts.map((said, i) => ({ ...said, ...nothing, id: DRY_RUN_IDS + this.#drawn + i }));
    this.#first_id ??= entries[0]!.id;
    this.#drawn += entries.length;
    this.#staging.addEntries(entries.map((entry) => ({ ...entry, target: target.number })));
  }

  /** Writes the entries that were drawn, and brings the projection up to date. */
  async #fold(outcomes: ReadonlyMap<number, Outcome>): Promise<void> {
    const { db, tx } = this.#into;
    const first_id = this.#first_id;
    if (first_id === null) return;
    const isAdded = (entry_id: number) => (tx ? entry_id >= first_id : entry_id < 0);
    const folds = new Folds({ db, tx, isAdded }, this.#findings);
    let written = 0;
    for (let page = this.#staging.entriesAfter(first_id - 1, PAGE); page.length > 0; ) {
      await this.#insert(page, outcomes);
      for (const [number, entries] of Map.groupBy(page, ({ target }) => target))
        await folds.add(outcomes.get(number)!, entries);
      written += page.length;
      this.#tell('recording', written, this.#drawn);
      await nextTurn();
      page = this.#staging.entriesAfter(page.at(-1)!.id, PAGE);
    }
    await folds.end();
  }

  async #insert(page: readonly StagedEntry[], outcomes: ReadonlyMap<number, Outcome>): Promise<void> {
    const { tx, property_id } = this.#into;
    for (const { target } of page) outcomes.get(target)!.recorded += 1;
    if (!tx) return;
    const entries = page.map(({ target, ...entry }) => {
      const { meter } = outcomes.get(target)!;
      const { id, batch_id, kind, leaf_hash } = entry;
      return { ...draft({ ...entry, meter_id: meter.id, kind }), id, batch_id, property_id, leaf_hash };
    });
    await insertEntries(tx, entries);
  }
}

/** The folds of an import's meters, one after another. */
class Folds {
  readonly #change: LongChange;
  readonly #findings: Findings;
  #open: { outcome: Outcome; fold: LongFold | null } | null = null;

  constructor(change: LongChange, findings: Findings) {
    this.#change = change;
    this.#findings = findings;
  }

  async add(outcome: Outcome, entries: readonly StagedEntry[]): Promise<void> {
    if (this.#open?.outcome !== outcome) {
      await this.end();
      const { meter, rules, target } = outcome;
      const instants = [target.first_ms, target.last_ms];
      const from_ms = entries[0]!.reading_timestamp!;
      this.#open = { outcome, fold: await LongFold.begin(this.#change, meter, rules, from_ms, instants) };
    }
    const added = entries.map((entry) => ({
      reading_type: entry.kind as Recorded['reading_type'],
      reading_timestamp: entry.reading_timestamp!,
      value_wh: entry.value_wh!,
      ...{ period_start: entry.period_start, rollover_wh: null, confirmed: false, entry_id: entry.id },
    }));
    await this.#listing((fold) => fold.add(added, added.at(-1)!.reading_timestamp));
  }

  async end(): Promise<void> {
    if (!this.#open) return;
    const { outcome } = this.#open;
    await this.#listing(async (fold) => {
      await fold.add([], outcome.target.last_ms);
      await fold.end();
      outcome.flagged = fold.flagged;
      outcome.first_energy_wh = fold.energies_wh.get(outcome.target.first_ms) ?? outcome.first_energy_wh;
      outcome.last_energy_wh = fold.energies_wh.get(outcome.target.last_ms)!;
    });
    this.#open = null;
  }

  /** What cannot be folded ends an import; a dry run lists it, and goes on with the next meter. */
  async #listing(work: (fold: LongFold) => Promise<void>): Promise<void> {
    const open = this.#open!;
    if (!open.fold) return;
    try {
      await work(open.fold);
    } catch (error) {
      if (!(this.#findings.is_dry_run && error instanceof DomainError)) throw error;
      this.#findings.refuse(null, error.message, open.outcome.meter.name);
      open.fold = null;
      // Its energies would be those before the import.
      open.outcome.first_energy_wh = null;
    }
  }
}
