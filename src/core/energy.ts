/** From readings to consumption: energy at an instant, consumption of a period, and the unmetered rest. */
import type { Projected } from './reading.ts';
import { scaleRounded, scaleUp } from './units.ts';

/** What consumption needs to know of a reading. */
export type Point = Pick<
  Projected,
  'reading_timestamp' | 'reading_type' | 'value_wh' | 'period_start' | 'energy_wh' | 'gap_ms'
>;

/** The readings of one meter around an instant: the last at or before it, the first after it. */
export interface Neighbours {
  previous: Point | null;
  /** With the highest plausible rate of the meter up to it, in W. */
  next: (Point & { highest_w: number }) | null;
}

/** `interpolate` reads between two readings on a straight line; `exact` knows energy only where a reading is. */
export type Boundary = 'interpolate' | 'exact';

/** One side of a period: an instant and the readings around it. */
export interface Side {
  instant_ms: number;
  neighbours: Neighbours;
}

/** A meter's energy at one end of a period. `gap_ms` grows by exactly the time over which energy is unknown. */
interface End {
  energy_wh: number;
  gap_ms: number;
  estimated: boolean;
  /** How far the energy could be from what was interpolated. */
  uncertainty_wh: number;
}

/** Consumption of one meter over a period; null where it is unknown. Coverage is a share of the period, 0 … 1. */
export interface Consumption {
  consumption_wh: number | null;
  known_consumption_wh: number | null;
  coverage: number;
  estimated: boolean;
  /** The meter's energy at both ends, where consumption is known in part at least. */
  ends: { start_wh: number; end_wh: number } | null;
  /** How far the consumption could be from the figure, because an end was interpolated; 0 where it was read. */
  uncertainty_wh: number;
}

export const UNKNOWN: Readonly<Consumption> = {
  consumption_wh: null,
  known_consumption_wh: null,
  coverage: 0,
  estimated: false,
  ends: null,
  uncertainty_wh: 0,
};

/** The known stretch that ends at `next`: an unknown part, if there is one, comes first. */
function knownStretch({ previous, next }: Neighbours & { next: Point }): {
  from: number;
  energy_wh: number;
} {
  if (previous) {
    return {
      from: previous.reading_timestamp + (next.gap_ms - previous.gap_ms),
      energy_wh: previous.energy_wh,
    };
  }
  if (next.reading_type === 'relative' && next.period_start !== null) {
    return { from: next.period_start, energy_wh: next.energy_wh - next.value_wh };
  }
  return { from: next.reading_timestamp, energy_wh: next.energy_wh };
}

/** Energy where a reading or the beginning of an interval says it; null between, before and after them. */
function endAtReading(instant_ms: number, neighbours: Neighbours): End | null {
  const { previous, next } = neighbours;
  if (previous?.reading_timestamp === instant_ms) {
    return { energy_wh: previous.energy_wh, gap_ms: previous.gap_ms, estimated: false, uncertainty_wh: 0 };
  }
  if (!next) return null;
  const known = knownStretch({ previous, next });
  return known.from === instant_ms
    ? { energy_wh: known.energy_wh, gap_ms: next.gap_ms, estimated: false, uncertainty_wh: 0 }
    : null;
}

/**
 * How far the energy at an instant between two readings could be from the straight line. No rate above the highest seen
 * (P) is assumed, so between readings (a, A) and (b, B) the energy at t lies in
 * [max(A, B − P·(b − t)), min(B, A + P·(t − a))]: a Lipschitz bound; ends add up as intervals do (R. E. Moore, Interval
 * Analysis, 1966).
 */
function uncertainty(
  instant_ms: number,
  known: { from: number; energy_wh: number },
  next: Point & { highest_w: number },
  used_wh: number,
) {
  const stretch_wh = next.energy_wh - known.energy_wh;
  const before_ms = instant_ms - known.from;
  const after_ms = next.reading_timestamp - instant_ms;
  const mean_w = scaleUp(stretch_wh, 3_600_000, before_ms + after_ms);
  const peak_w = Math.max(next.highest_w, mean_w);
  const at_most = (during_ms: number) => Math.min(stretch_wh, scaleUp(peak_w, during_ms, 3_600_000));
  const highest_wh = at_most(before_ms);
  const lowest_wh = stretch_wh - at_most(after_ms);
  return Math.max(highest_wh - used_wh, used_wh - lowest_wh, 0);
}

/** The end of a period, counting everything known up to it as known; null if nothing is known of the meter. */
function endInterpolated(instant_ms: number, neighbours: Neighbours): End | null {
  const { previous, next } = neighbours;
  const exact = endAtReading(instant_ms, neighbours);
  if (exact) return exact;
  if (next) {
    const known = knownStretch({ previous, next });
    if (instant_ms < known.from) {
      const gap_ms = next.gap_ms - (known.from - instant_ms);
      return { energy_wh: known.energy_wh, gap_ms, estimated: false, uncertainty_wh: 0 };
    }
    const used_wh = scaleRounded(
      next.energy_wh - known.energy_wh,
      instant_ms - known.from,
      next.reading_timestamp - known.from,
    );
    return {
      energy_wh: known.energy_wh + used_wh,
      gap_ms: next.gap_ms,
      estimated: true,
      uncertainty_wh: uncertainty(instant_ms, known, next, used_wh),
    };
  }
  return previous && endAfter(instant_ms, previous);
}

/** The nearest reading before an instant, the time since then unknown. */
function endAfter(instant_ms: number, previous: Point): End {
  const gap_ms = previous.gap_ms + (instant_ms - previous.reading_timestamp);
  return { energy_wh: previous.energy_wh, gap_ms, estimated: false, uncertainty_wh: 0 };
}

/** The nearest reading after an instant, the time until then unknown. */
function endBefore(instant_ms: number, next: Point): End {
  const gap_ms = next.gap_ms - (next.reading_timestamp - instant_ms);
  return { energy_wh: next.energy_wh, gap_ms, estimated: false, uncertainty_wh: 0 };
}

/**
 * The two ends between which energy is counted. With `exact` an end inside a known stretch moves to the reading
 * within the period that is nearest, and the time between counts as unknown.
 */
function ends(start: Side, end: Side, boundary: Boundary): [End, End] | null {
  let first = endInterpolated(start.instant_ms, start.neighbours);
  let last = endInterpolated(end.instant_ms, end.neighbours);
  if (boundary === 'exact') {
    if (first?.estimated) first = endBefore(start.instant_ms, start.neighbours.next!);
    const { previous } = end.neighbours;
    if (last?.estimated) last = previous && endAfter(end.instant_ms, previous);
  }
  return first && last && [first, last];
}

/**
 * Consumption of a meter between two instants: energy(end) − energy(start), known where no time between is unknown.
 * @param start earlier than `end`, each with the readings around it
 */
export function consumption(start: Side, end: Side, boundary: Boundary): Consumption {
  const found = ends(start, end, boundary);
  if (!found) return UNKNOWN;
  const [first, last] = found;
  const period_ms = end.instant_ms - start.instant_ms;
  const unknown_ms = last.gap_ms - first.gap_ms;
  if (unknown_ms >= period_ms) return UNKNOWN;
  const known_consumption_wh = last.energy_wh - first.energy_wh;
  return {
    consumption_wh: unknown_ms === 0 ? known_consumption_wh : null,
    known_consumption_wh,
    coverage: (period_ms - unknown_ms) / period_ms,
    estimated: first.estimated || last.estimated,
    ends: { start_wh: first.energy_wh, end_wh: last.energy_wh },
    uncertainty_wh: first.uncertainty_wh + last.uncertainty_wh,
  };
}

/** The rest of a meter that none of its direct children measured. */
export interface Unmetered {
  total_submetered_wh: number | null;
  unmetered_wh: number | null;
  /** Main minus children where that is negative: by how much the children exceed it. Else null. */
  imbalance_wh: number | null;
  /** How far the rest could move, because ends were interpolated; null where it is not known. */
  uncertainty_wh: number | null;
}

const UNKNOWN_REST = { unmetered_wh: null, imbalance_wh: null, uncertainty_wh: null };

/**
 * A meter minus its direct children over a period; known only where all of them are. Never negative: where the
 * children exceed the meter, the rest is 0 and `imbalance_wh` carries the raw difference.
 */
export function unmetered(parent: Consumption, children: readonly Consumption[]): Unmetered {
  const known = children.every((child) => child.consumption_wh !== null);
  const nothing_known = children.length === 0 && parent.consumption_wh === null;
  if (!known || nothing_known) return { total_submetered_wh: null, ...UNKNOWN_REST };
  const total_submetered_wh = children.reduce((sum, child) => sum + child.consumption_wh!, 0);
  if (parent.consumption_wh === null) return { total_submetered_wh, ...UNKNOWN_REST };
  const difference_wh = parent.consumption_wh - total_submetered_wh;
  return {
    total_submetered_wh,
    unmetered_wh: Math.max(0, difference_wh),
    imbalance_wh: difference_wh < 0 ? difference_wh : null,
    uncertainty_wh: children.reduce((sum, child) => sum + child.uncertainty_wh, parent.uncertainty_wh),
  };
}
