/** The entries of an archive, put down so that they may be more than memory holds. */
import { openScratch, type Scratch } from '../db/scratch.ts';
import type { HashedEntry } from '../ledger/write.ts';
import type { ArchivedEntry } from './entries.ts';

const SCHEMA = [
  `CREATE TABLE entries (
    id INTEGER PRIMARY KEY, meter_id INTEGER, is_device INTEGER, kind TEXT, instant INTEGER, in_force INTEGER,
    entry TEXT, new_id INTEGER, leaf_hash BLOB)`,
  'CREATE TABLE photos (sha256 TEXT PRIMARY KEY) WITHOUT ROWID',
];

interface Standing {
  meter_id: number;
  is_device: number;
  in_force: number;
}

/** An entry in force that something is wrong with. */
export interface Twins {
  id: number;
  other_id: number;
}

export class Staging {
  readonly #scratch: Scratch;
  readonly #insert;
  readonly #find;
  readonly #supersede;
  readonly #newId;
  readonly #drawn;
  readonly #photo;

  constructor() {
    this.#scratch = openScratch(SCHEMA);
    this.#scratch.exec('BEGIN');
    const prepare = (statement: string) => this.#scratch.prepare(statement);
    this.#insert = prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, 1, ?, NULL, NULL)');
    this.#find = prepare('SELECT meter_id, is_device, in_force FROM entries WHERE id = ?');
    this.#supersede = prepare('UPDATE entries SET in_force = 0 WHERE id = ?');
    this.#newId = prepare('SELECT new_id FROM entries WHERE id = ?');
    this.#photo = prepare('INSERT OR IGNORE INTO photos VALUES (?)');
    this.#drawn = prepare('UPDATE entries SET new_id = ?, leaf_hash = ?, entry = ? WHERE id = ?');
  }

  /** Leaves nothing behind. */
  close(): void {
    this.#scratch.close();
  }

  /** Puts the next entry down. @returns what is wrong with what it supersedes; null if nothing */
  add(entry: ArchivedEntry): string | null {
    const { id, meter_id, kind, reading_timestamp, supersedes_id, photo_sha256 } = entry;
    if (this.#find.get(id)) return 'another entry has the same id';
    let is_device = Number(kind === 'device');
    if (supersedes_id !== null) {
      const before = this.#find.get(supersedes_id) as unknown as Standing | undefined;
      if (before?.meter_id !== meter_id)
        return `it supersedes ${supersedes_id}, which is no entry of its meter before it`;
      if (!before.in_force) return `it supersedes ${supersedes_id}, which another entry supersedes`;
      if (kind === 'void') is_device = before.is_device;
      if (is_device !== before.is_device) return `it supersedes ${supersedes_id}, which is of another kind`;
      this.#supersede.run(supersedes_id);
    }
    if (photo_sha256 !== null) this.#photo.run(photo_sha256);
    this.#insert.run(id, meter_id, is_device, kind, reading_timestamp, JSON.stringify(entry));
    return null;
  }

  /** After the last entry. @returns two entries in force where there can be one only; undefined if there are none */
  seal(): Twins | undefined {
    this.#scratch.exec(`
      CREATE INDEX in_force ON entries (meter_id, instant, id) WHERE in_force = 1 AND kind <> 'void'`);
    return this.#scratch
      .prepare(
        `SELECT MIN(id) AS id, MAX(id) AS other_id FROM entries
        WHERE in_force = 1 AND kind <> 'void' GROUP BY meter_id, instant HAVING COUNT(*) > 1 LIMIT 1`,
      )
      .get() as unknown as Twins | undefined;
  }

  /** The hashes of all photos that the entries name. */
  *photos(): Generator<string> {
    for (const { sha256 } of this.#scratch.prepare('SELECT sha256 FROM photos').iterate())
      yield sha256 as string;
  }

  /** The next entries after an id, in the order in which they were recorded. */
  after(id: number, limit: number): ArchivedEntry[] {
    const rows = this.#scratch
      .prepare('SELECT entry FROM entries WHERE id > ? ORDER BY id LIMIT ?')
      .all(id, limit);
    return rows.map(({ entry }) => JSON.parse(entry as string));
  }

  /** The id that an entry has got. */
  newId(id: number): number {
    return this.#newId.get(id)!.new_id as number;
  }

  /** @param drawn the entry as it is to be recorded, in place of the one that was put down under `id` */
  draw(id: number, drawn: HashedEntry): void {
    const { leaf_hash, ...entry } = drawn;
    this.#drawn.run(drawn.id, leaf_hash, JSON.stringify(entry), id);
  }

  /** The next entries as they are to be recorded. @param id of the archive */
  drawnAfter(id: number, limit: number): { id: number; entry: HashedEntry }[] {
    const rows = this.#scratch
      .prepare('SELECT id, entry, leaf_hash FROM entries WHERE id > ? ORDER BY id LIMIT ?')
      .all(id, limit);
    return rows.map((row) => ({
      id: row.id as number,
      entry: { ...JSON.parse(row.entry as string), leaf_hash: row.leaf_hash as Uint8Array },
    }));
  }

  /** The next readings and replacements in force of a meter, in order of time, as they are to be recorded. */
  inForceAfter(meter_id: number, instant_ms: number, limit: number): HashedEntry[] {
    const rows = this.#scratch
      .prepare(
        `SELECT entry, leaf_hash FROM entries
        WHERE in_force = 1 AND kind <> 'void' AND meter_id = ? AND instant > ? ORDER BY instant LIMIT ?`,
      )
      .all(meter_id, instant_ms, limit);
    return rows.map(({ entry, leaf_hash }) => ({ ...JSON.parse(entry as string), leaf_hash }));
  }
}
