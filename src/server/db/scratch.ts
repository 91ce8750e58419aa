/** A place for what is too large for memory and needed for one call only: no part of the ledger. */
import { DatabaseSync } from 'node:sqlite';

export type Scratch = DatabaseSync;

/** Of the scratch database's pages; what is more goes to its file. */
const CACHE_KIB = 4000;

/**
 * Opens an empty database of the process's own. Its file lies in the system's folder for temporary files (TMPDIR) and has
 * no name there any more as soon as it is open: however the process ends, nothing is left behind.
 */
export function openScratch(statements: readonly string[]): Scratch {
  const scratch = new DatabaseSync('');
  scratch.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
  for (const statement of statements) scratch.exec(statement);
  return scratch;
}
