/**
 * What a reading does to a meter's energy. A meter's readings in force, in order of time, are folded by `step`: each
 * row's energy follows from the row before it alone. Everything that records, corrects or rebuilds goes through here.
 */

/** A reading as it was recorded. */
export interface Recorded {
  reading_timestamp: number;
  reading_type: ReadingType;
  /** `absolute`: what the register showed. `relative`: energy used over the interval that ends here. */
  value_wh: number;
  /** Where the interval of a `relative` reading begins; null: at the meter's previous reading. */
  period_start: number | null;
}

/** A reading in force with the meter's running total. */
export interface Projected extends Recorded {
  /** The meter's energy at this instant. */
  energy_wh: number;
  /** Energy minus what the register shows, or would show, here; null where the register is not known. */
  offset_wh: number | null;
  /** Time since the meter's first reading over which its energy is unknown. Equal at both ends: one segment. */
  gap_ms: number;
  /** Whether the register went down since the reading before. */
  decreased: boolean;
}

export type ReadingType = 'absolute' | 'relative';

/** An interval reaches back over another reading: one of the two would be counted twice. */
export class IntervalOverlap extends Error {
  readonly reading: Recorded;
  readonly previous: Recorded;
  constructor(reading: Recorded, previous: Recorded) {
    super('the interval of a relative reading reaches back over another reading');
    this.reading = reading;
    this.previous = previous;
  }
}

/** The running total left the range of exact integers (2^53 Wh, nine billion MWh). */
export class EnergyOutOfRange extends Error {}

/** The beginning of the interval that a relative reading covers, or null if nothing says where it begins. */
function intervalStart(previous: Projected | null, reading: Recorded): number | null {
  return reading.period_start ?? previous?.reading_timestamp ?? null;
}

function stepRelative(previous: Projected | null, reading: Recorded): Projected {
  const start = intervalStart(previous, reading);
  if (!previous) {
    // Without a beginning the amount cannot be placed in time: the reading only marks where the next one starts.
    const energy_wh = start === null ? 0 : reading.value_wh;
    return { ...reading, energy_wh, offset_wh: null, gap_ms: 0, decreased: false };
  }
  const unknown_ms = start! - previous.reading_timestamp;
  if (unknown_ms < 0) throw new IntervalOverlap(reading, previous);
  return {
    ...reading,
    energy_wh: previous.energy_wh + reading.value_wh,
    offset_wh: unknown_ms === 0 ? previous.offset_wh : null,
    gap_ms: previous.gap_ms + unknown_ms,
    decreased: false,
  };
}

function stepAbsolute(previous: Projected | null, reading: Recorded): Projected {
  if (!previous) {
    return { ...reading, energy_wh: reading.value_wh, offset_wh: 0, gap_ms: 0, decreased: false };
  }
  if (previous.offset_wh !== null) {
    const energy_wh = reading.value_wh + previous.offset_wh;
    if (energy_wh >= previous.energy_wh) {
      return {
        ...reading,
        energy_wh,
        offset_wh: previous.offset_wh,
        gap_ms: previous.gap_ms,
        decreased: false,
      };
    }
  }
  // The register went down, or the stretch since an interval cannot be told: a new segment begins here.
  return {
    ...reading,
    energy_wh: previous.energy_wh,
    offset_wh: previous.energy_wh - reading.value_wh,
    gap_ms: previous.gap_ms + reading.reading_timestamp - previous.reading_timestamp,
    decreased: previous.offset_wh !== null,
  };
}

/**
 * The next row of a meter's projection (domain: "Consumption over any period, by construction fast").
 * @param previous the row before it in time, null for the meter's first
 * @throws IntervalOverlap, EnergyOutOfRange
 */
export function step(previous: Projected | null, reading: Recorded): Projected {
  const row =
    reading.reading_type === 'relative' ? stepRelative(previous, reading) : stepAbsolute(previous, reading);
  if (!Number.isSafeInteger(row.energy_wh) || !Number.isSafeInteger(row.offset_wh ?? 0)) {
    throw new EnergyOutOfRange('the energy of this meter would leave the range of exact whole Wh');
  }
  return row;
}

/** What to add to every later row of a meter once the rows before them have changed. */
export interface Shift {
  energy_wh: number;
  gap_ms: number;
}

/**
 * Whether everything after a recomputed row moves uniformly: `step` looks at the row before only through the
 * difference of offset and energy, so where that is as it was, all later rows keep their distance to this one.
 * @returns the shift of all later rows, null if the next row must be recomputed too
 */
export function shiftAfter(stored: Projected, recomputed: Projected): Shift | null {
  const register = (row: Projected) => (row.offset_wh === null ? null : row.offset_wh - row.energy_wh);
  if (register(stored) !== register(recomputed)) return null;
  return {
    energy_wh: recomputed.energy_wh - stored.energy_wh,
    gap_ms: recomputed.gap_ms - stored.gap_ms,
  };
}
