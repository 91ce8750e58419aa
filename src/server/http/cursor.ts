/** Pages of large collections: a cursor says after which row the next page begins, so that every page is one search. */
import { hash } from 'node:crypto';
import type { Listed, Page } from '../db/page.ts';
import { invalid } from '../errors.ts';

/** A page as a client asks for it. */
export type CursorPage = Page & { cursor?: string };

/** A page as it is answered. */
export type CursorListed<T> = Listed<T> & { next_cursor: string | null };

/** Where a page begins. */
export interface Start {
  /** How many there were when the first page was asked for: they are not counted again. */
  total: number;
  /** What the last row of the page before is ordered by. */
  key: number[];
}

const QUESTION_CHARACTERS = 11;
const WRONG = 'is no next_cursor of this list with these filters: ask for the first page again';

/** A cursor belongs to its question: with other filters it would begin anywhere. */
function sign(question: unknown): string {
  return hash('sha256', JSON.stringify(question), 'base64url').slice(0, QUESTION_CHARACTERS);
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return null;
  }
}

/**
 * @param question what is listed: everything but limit and offset
 * @param width how many numbers the rows are ordered by
 * @returns null for the first page; throws validation_failed
 */
export function startOf({ cursor, offset }: CursorPage, question: unknown, width: number): Start | null {
  if (cursor === undefined) return null;
  if (offset)
    throw invalid([{ path: 'offset', message: 'does not go with cursor, which says where to begin' }]);
  const parts = decode(cursor);
  const [of_question, ...numbers] = Array.isArray(parts) ? parts : [];
  const fits = numbers.length === width + 1 && numbers.every((each) => Number.isSafeInteger(each));
  if (!fits || of_question !== sign(question)) throw invalid([{ path: 'cursor', message: WRONG }]);
  const [total, ...key] = numbers as number[];
  return { total: total!, key };
}

/**
 * @param rows of the page, and one more if there is one
 * @param keyOf what a row is ordered by
 */
export function cursorPage<R, T>(
  rows: readonly R[],
  total: number,
  page: CursorPage,
  question: unknown,
  keyOf: (row: R) => number[],
  present: (row: R) => T,
): CursorListed<T> {
  const limit = page.limit!;
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const parts = last && [sign(question), total, ...keyOf(last)];
  return {
    items: shown.map(present),
    total,
    limit,
    offset: page.offset!,
    next_cursor: parts ? Buffer.from(JSON.stringify(parts)).toString('base64url') : null,
  };
}
