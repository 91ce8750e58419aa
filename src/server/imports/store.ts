/** An upload, put down in order of meter and time, so that it may be larger than memory. */

import { openScratch, type Scratch } from '../db/scratch.ts';
import type { HashedEntry } from '../ledger/write.ts';
import type { FoundReading } from './formats/format.ts';

/** A reading of the upload. `target` is the meter's number in the upload. */
export interface StagedReading {
  target: number;
  reading_timestamp: number;
  /** Its place among all readings of the upload. */
  position: number;
  is_relative: number;
  value_wh: number;
  period_start: number | null;
  note: string | null;
  line: number;
  /** The number of its column's heading; null where it has none. */
  heading: number | null;
}

/** An entry that is to be recorded: drawn from the chain, but for a dry run. */
export type StagedEntry = Pick<
  HashedEntry,
  'id' | 'batch_id' | 'kind' | 'reading_timestamp' | 'value_wh' | 'period_start' | 'note' | 'leaf_hash'
> & { target: number };

const FOUND = [
  'target',
  'reading_timestamp',
  'position',
  'is_relative',
  'value_wh',
  'period_start',
  'note',
  'line',
  'heading',
] as const satisfies (keyof StagedReading)[];
const ENTRY = [
  'id',
  'batch_id',
  'target',
  'kind',
  'reading_timestamp',
  'value_wh',
  'period_start',
  'note',
  'leaf_hash',
] as const satisfies (keyof StagedEntry)[];

const SCHEMA = [
  `CREATE TABLE found (
    target INTEGER, reading_timestamp INTEGER, position INTEGER, is_relative INTEGER, value_wh INTEGER,
    period_start INTEGER, note TEXT, line INTEGER, heading INTEGER,
    PRIMARY KEY (target, reading_timestamp, position)) WITHOUT ROWID`,
  `CREATE TABLE entries (
    id INTEGER PRIMARY KEY, batch_id INTEGER, target INTEGER, kind TEXT, reading_timestamp INTEGER, value_wh INTEGER,
    period_start INTEGER, note TEXT, leaf_hash BLOB)`,
];
/** To call a statement costs as much as the insert itself: many rows share a call. */
const ROWS_PER_CALL = 100;

type Cell = string | number | Uint8Array | null;

export class Staging {
  readonly #scratch: Scratch;
  readonly #headings = new Map<string, number>();
  #positions = 0;

  constructor() {
    this.#scratch = openScratch(SCHEMA);
    this.#scratch.exec('BEGIN');
  }

  /** Leaves nothing behind. */
  close(): void {
    this.#scratch.close();
  }

  #insert(table: string, columns: readonly string[], rows: readonly Cell[][]): void {
    const statement = (count: number) => {
      const marks = `(${columns.map(() => '?').join(', ')})`;
      return this.#scratch.prepare(`INSERT INTO ${table} VALUES ${Array(count).fill(marks).join(', ')}`);
    };
    const whole = rows.length - (rows.length % ROWS_PER_CALL);
    const many = statement(ROWS_PER_CALL);
    for (let from = 0; from < whole; from += ROWS_PER_CALL)
      many.run(...rows.slice(from, from + ROWS_PER_CALL).flat());
    const one = statement(1);
    for (const row of rows.slice(whole)) one.run(...row);
  }

  #heading(column: string | null): number | null {
    if (column === null) return null;
    let number = this.#headings.get(column);
    if (number === undefined) {
      number = this.#headings.size;
      this.#headings.set(column, number);
    }
    return number;
  }

  /** Puts readings down. @param targets of each reading */
  add(readings: readonly FoundReading[], targets: readonly number[]): void {
    const rows = readings.map((reading, i): Cell[] => [
      targets[i]!,
      reading.reading_timestamp,
      this.#positions + i,
      reading.reading_type === 'relative' ? 1 : 0,
      reading.value_wh,
      reading.period_start,
      reading.note,
      reading.line,
      this.#heading(reading.column),
    ]);
    this.#positions += readings.length;
    this.#insert('found', FOUND, rows);
  }

  /** The heading of a column by its number. */
  headingOf(number: number | null): string | null {
    return number === null ? null : [...this.#headings.keys()][number]!;
  }

  /** The next readings of a target after one, in order of time; as the upload has them where times are equal. */
  readingsAfter(target: number, after: StagedReading | null, limit: number): StagedReading[] {
    return this.#scratch
      .prepare(
        `SELECT ${FOUND.join(', ')} FROM found WHERE target = ? AND (reading_timestamp, position) > (?, ?)
        ORDER BY reading_timestamp, position LIMIT ?`,
      )
      .all(
        target,
        after?.reading_timestamp ?? Number.MIN_SAFE_INTEGER,
        after?.position ?? 0,
        limit,
      ) as unknown as StagedReading[];
  }

  /** The first reading of a target at an instant. */
  readingAt(target: number, instant_ms: number): StagedReading | undefined {
    const before = { reading_timestamp: instant_ms, position: -1 } as StagedReading;
    const [reading] = this.readingsAfter(target, before, 1);
    return reading?.reading_timestamp === instant_ms ? reading : undefined;
  }

  /** Puts entries down that are to be recorded. */
  addEntries(entries: readonly StagedEntry[]): void {
    this.#insert(
      'entries',
      ENTRY,
      entries.map((entry) => ENTRY.map((column) => entry[column])),
    );
  }

  /** The next entries after an id. */
  entriesAfter(id: number, limit: number): StagedEntry[] {
    return this.#scratch
      .prepare(`SELECT ${ENTRY.join(', ')} FROM entries WHERE id > ? ORDER BY id LIMIT ?`)
      .all(id, limit) as unknown as StagedEntry[];
  }
}
