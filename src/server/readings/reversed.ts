/** What an undo puts back, put down until its batch has a header; then written, and the projection brought up to date. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatInstant } from '../../core/time.ts';
import { openScratch } from '../db/scratch.ts';
import type { Tx } from '../db/tables.ts';
import { DomainError, inTheWay } from '../errors.ts';
import { toInForce } from '../ledger/in-force.ts';
import type { EntryRow, InForce } from '../ledger/store.ts';
import { insertEntries } from '../ledger/store.ts';
import type { HashedEntry } from '../ledger/write.ts';
import { requireActiveMeter } from '../meters/access.ts';
import { findMeter } from '../meters/store.ts';
import { LongFold } from '../projection/long.ts';
import { FOREVER_MS, rulesOf } from '../projection/project.ts';
import * as projection from '../projection/store.ts';

/** Entries between which the event loop goes on. */
const PAGE = 2500;
const SCHEMA = [
  'CREATE TABLE entries (id INTEGER PRIMARY KEY, meter_id INTEGER, instant INTEGER, entry TEXT, leaf_hash BLOB)',
  'CREATE INDEX in_force ON entries (meter_id, instant) WHERE instant IS NOT NULL',
];

/** What changes for one meter. */
interface MeterChange {
  first_ms: number;
  last_ms: number;
  /** Whether a device goes or comes: that concerns every reading. */
  devices: boolean;
}

export class Reversed {
  readonly #tx: Tx;
  readonly #property_id: number;
  /** The batch that is undone. */
  readonly #batch_id: number;
  readonly #scratch = openScratch(SCHEMA);
  readonly #meters = new Map<number, MeterChange>();
  #first_id: number | null = null;

  constructor(tx: Tx, property_id: number, batch_id: number) {
    this.#tx = tx;
    this.#property_id = property_id;
    this.#batch_id = batch_id;
    this.#scratch.exec('BEGIN');
  }

  /** Leaves nothing behind. */
  close(): void {
    this.#scratch.close();
  }

  /** @param drawn the entries that undo them, in their order */
  async add(undone: readonly EntryRow[], drawn: readonly HashedEntry[]): Promise<void> {
    const insert = this.#scratch.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?)');
    for (const [i, { leaf_hash, ...entry }] of drawn.entries()) {
      const [gone, back] = [toInForce(undone[i]!, undone[i]!.id), toInForce(entry, entry.id)];
      const { id, meter_id, kind } = entry;
      insert.run(id, meter_id, back?.reading_timestamp ?? null, JSON.stringify(entry), leaf_hash);
      const nothing = { first_ms: FOREVER_MS, last_ms: -FOREVER_MS, devices: false };
      const change = this.#meters.get(meter_id) ?? nothing;
      this.#meters.set(meter_id, change);
      for (const reading of [gone, back]) {
        if (!reading) continue;
        change.first_ms = Math.min(change.first_ms, reading.reading_timestamp);
        change.last_ms = Math.max(change.last_ms, reading.reading_timestamp);
      }
      change.devices ||= undone[i]!.kind === 'device' || kind === 'device';
    }
    this.#first_id ??= drawn[0]?.id ?? null;
    await nextTurn();
  }

  /** @throws meter_inactive, reading_conflict, interval_overlap, validation_failed */
  async write(): Promise<void> {
    for (let page = this.#after(0); page.length > 0; page = this.#after(page.at(-1)!.id)) {
      await insertEntries(this.#tx, page);
      await nextTurn();
    }
    for (const [meter_id, change] of this.#meters) await this.#project(meter_id, change);
  }

  #after(id: number): HashedEntry[] {
    const rows = this.#scratch
      .prepare('SELECT entry, leaf_hash FROM entries WHERE id > ? ORDER BY id LIMIT ?')
      .all(id, PAGE);
    return rows.map(({ entry, leaf_hash }) => ({ ...JSON.parse(entry as string), leaf_hash }));
  }

  /** The next readings of a meter that come back, in order of time. */
  #backAfter(meter_id: number, instant_ms: number): InForce[] {
    const rows = this.#scratch
      .prepare('SELECT entry FROM entries WHERE meter_id = ? AND instant > ? ORDER BY instant LIMIT ?')
      .all(meter_id, instant_ms, PAGE);
    return rows.map(({ entry }) => {
      const parsed = JSON.parse(entry as string);
      return toInForce(parsed, parsed.id)!;
    });
  }

  async #project(meter_id: number, { devices, ...span }: MeterChange): Promise<void> {
    const [tx, property_id] = [this.#tx, this.#property_id];
    const meter = (await findMeter(tx, meter_id))!;
    requireActiveMeter(meter);
    // Nothing in force goes or comes: what was undone had been voided.
    if (span.first_ms > span.last_ms && !devices) return;
    const { first_ms, last_ms } = devices ? { first_ms: -FOREVER_MS, last_ms: FOREVER_MS } : span;
    const stored = await projection.readingBefore(
      tx,
      property_id,
      meter_id,
      devices ? FOREVER_MS : last_ms + 1,
    );
    await projection.deleteRecorded(tx, property_id, meter_id, this.#batch_id, span);
    const isAdded = (entry_id: number) => entry_id >= this.#first_id!;
    const rules = await rulesOf(tx, meter);
    const fold = await LongFold.begin({ db: tx, tx, isAdded }, meter, rules, first_ms, []);
    for (let page = this.#backAfter(meter_id, -FOREVER_MS); page.length > 0; ) {
      await this.#requireFree(meter_id, page);
      const { reading_timestamp } = page.at(-1)!;
      await fold.add(page, reading_timestamp);
      await nextTurn();
      page = this.#backAfter(meter_id, reading_timestamp);
    }
    await fold.add([], last_ms);
    await fold.end(stored?.highest_w ?? 0);
  }

  /** Throws reading_conflict where something that comes back finds its instant taken. */
  async #requireFree(meter_id: number, back: readonly InForce[]): Promise<void> {
    const instants = back.map(({ reading_timestamp }) => reading_timestamp);
    const [there] = await projection.readingsAt(this.#tx, this.#property_id, meter_id, instants);
    if (!there) return;
    throw new DomainError(
      'reading_conflict',
      `Something else was recorded at ${formatInstant(there.reading_timestamp)} since (entry ${there.entry_id}): ` +
        'take that back first.',
      inTheWay(there),
    );
  }
}
