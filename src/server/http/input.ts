/** From validated strings to what the core computes with. */
import { parseDateOrInstant } from '../../core/time.ts';
import type { Parsed } from '../../core/units.ts';
import { invalid } from '../errors.ts';

/** Unwraps what the contract's checks have let through. */
export function parsed<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(`validation let this pass: ${result.message}`);
  return result.value;
}

/** The two ends of a period given as dates or timestamps. Throws validation_failed unless start < end. */
export function parsePeriod(
  query: { start_date: string; end_date: string },
  timezone: string,
): { start_ms: number; end_ms: number } {
  const start_ms = parsed(parseDateOrInstant(query.start_date, timezone));
  const end_ms = parsed(parseDateOrInstant(query.end_date, timezone));
  if (start_ms >= end_ms) throw invalid([{ path: 'end_date', message: 'must be later than start_date' }]);
  return { start_ms, end_ms };
}
