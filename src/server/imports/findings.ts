/** What is wrong with an upload: refused at once, or listed in the report of a dry run. */
import { type ImportReport, MAX_LISTED } from '../../contract/imports.ts';
import type { FieldError } from '../../contract/problem.ts';
import { invalid } from '../errors.ts';
import type { Place } from './formats/format.ts';

type Listed = ImportReport['errors'][number];
type Conflict = ImportReport['conflicts'][number];

/** Where something stands, as errors name it: "line 17: value". */
export function pathOf({ line, column }: Place): string {
  return column === null ? `line ${line}` : `line ${line}: ${column}`;
}

export class Findings {
  readonly errors: Listed[] = [];
  readonly conflicts: Conflict[] = [];
  refused = 0;
  conflicting = 0;
  /** Whether it is all listed, instead of being thrown. */
  readonly is_dry_run: boolean;
  #last_path = '';

  constructor(is_dry_run: boolean) {
    this.is_dry_run = is_dry_run;
  }

  /** Throws validation_failed once there are as many as are listed, but for a dry run. */
  refuse(place: Place | null, message: string, path = place ? pathOf(place) : 'file'): void {
    // A wrong time is wrong for each cell of its line.
    if (path === this.#last_path && this.errors.at(-1)?.message === message) return;
    this.#last_path = path;
    this.refused += 1;
    if (this.errors.length < MAX_LISTED)
      this.errors.push({ path, line: place?.line ?? null, column: place?.column ?? null, message });
    if (this.errors.length >= MAX_LISTED) this.throwRefused();
  }

  conflict(conflict: Conflict): void {
    this.conflicting += 1;
    if (this.conflicts.length < MAX_LISTED) this.conflicts.push(conflict);
  }

  /** Throws validation_failed if anything was refused, but for a dry run. */
  throwRefused(): void {
    if (this.errors.length === 0 || this.is_dry_run) return;
    throw invalid(this.errors.map(({ path, message }): FieldError => ({ path, message })));
  }
}
