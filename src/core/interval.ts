/** How often a meter is usually read. */

/** Fewer intervals than this are no habit. */
const FEWEST = 3;

/**
 * The median of the intervals between readings, the lower of the two middle ones.
 * @param instants_ms newest first
 * @returns milliseconds; null where there are too few to tell
 */
export function usualInterval(instants_ms: readonly number[]): number | null {
  const intervals = instants_ms.slice(1).map((instant, i) => instants_ms[i]! - instant);
  if (intervals.length < FEWEST) return null;
  intervals.sort((a, b) => a - b);
  return intervals[Math.floor((intervals.length - 1) / 2)]!;
}
