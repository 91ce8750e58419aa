/**
 * What a reading does to a meter's energy. A meter's readings in force, in order of time, are folded by `step`: each
 * row's energy follows from the row before it alone. Everything that records, corrects or rebuilds goes through here.
 */

import { scaleUp } from './units.ts';

/**
 * `absolute`: what the register showed. `relative`: energy used over the interval that ends here. `replacement`: the last
 * register of one device, and the first of the next.
 */
export type ReadingType = 'absolute' | 'relative' | 'replacement';

/** A reading as it was recorded. */
export interface Recorded {
  reading_timestamp: number;
  reading_type: ReadingType;
  value_wh: number;
  /** Where the interval of a `relative` reading begins; null: at the meter's previous reading. */
  period_start: number | null;
  /** Somebody settled a decrease as a rollover: the register counts to this and begins again; else null. */
  rollover_wh: number | null;
  /** Somebody looked at an implausible rate and said that it is right. */
  confirmed: boolean;
}

/** The physical counter at a meter from `installed_at` on, as far as energy depends on it. */
export interface Device {
  /** Null for the first one: it was there before the first reading. */
  installed_at: number | null;
  /** What its register showed when it was installed; null for the first one. */
  initial_value_wh: number | null;
  /** Digits before the decimal point; null where nobody said. */
  digits: number | null;
  /** Current-transformer ratio: energy per unit of the register. */
  multiplier: number;
}

/** A reading as people and devices record it: nothing about it has been settled yet. */
export function asRecorded(
  reading_type: 'absolute' | 'relative',
  reading_timestamp: number,
  value_wh: number,
  period_start: number | null = null,
): Recorded {
  return { reading_type, reading_timestamp, value_wh, period_start, rollover_wh: null, confirmed: false };
}

/** A reading in force with the meter's running total. */
export interface Projected extends Recorded {
  /** The meter's energy at this instant. */
  energy_wh: number;
  /** Energy minus what the register shows, or would show, from here on; null where the register is not known. */
  offset_wh: number | null;
  /** Time since the meter's first reading over which its energy is unknown. Equal at both ends: one segment. */
  gap_ms: number;
  /** The mean rate of the known part of the stretch that ends here, in whole W, rounded up; null if none is known. */
  rate_w: number | null;
  /** How many rows up to here have a rate, counted to one more than are not judged. */
  stretches: number;
  /** The rate is plausible, and higher than every plausible one before it. */
  is_highest: boolean;
  /** The register went down, and nobody has settled it: what was used since the reading before is unknown. */
  decreased: boolean;
  /** The register went past its last digit and began again. */
  rolled_over: boolean;
  /** The rate since the reading before is far above what the meter has shown. */
  implausible: boolean;
}

/** A row with what is not stored in it, so that a change of it need not be written into every row that follows. */
export interface Standing extends Projected {
  /** The highest plausible rate up to here, in W: that of the last row that is the highest. */
  highest_w: number;
}

/** What `step` needs to know beside the rows. */
export interface MeterRules {
  /** The devices of the meter, in order of their installation; the first has no `installed_at`. */
  devices: readonly Device[];
  /** How many times the highest rate so far is implausible; null switches the judgement off. */
  plausibility_factor: number | null;
}

export const FIRST_DEVICE: Device = {
  installed_at: null,
  initial_value_wh: null,
  digits: null,
  multiplier: 1,
};
export const DEFAULT_PLAUSIBILITY_FACTOR = 10;
/** Known stretches after which there is something to compare a rate with. */
export const JUDGED_AFTER = 3;
/** Rates are compared with at least this: a meter that stood still may start. */
export const LOWEST_PEAK_W = 100;
/** A rollover is believed without being told if it means at most this share of what the register counts to. */
const ROLLOVER_SHARE = 0.1;

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

/** The device whose register a reading shows: a replacement closes the one before it. */
export function deviceAt(devices: readonly Device[], instant_ms: number): Device {
  return devices.findLast(({ installed_at }) => installed_at === null || installed_at < instant_ms)!;
}

/** What a device's register counts to before it begins again, in Wh of the register; null if nobody said. */
export function registerSpan({ digits }: Pick<Device, 'digits'>): number | null {
  return digits === null ? null : 10 ** digits * 1000;
}

type Place = Pick<Projected, 'energy_wh' | 'offset_wh' | 'gap_ms' | 'decreased' | 'rolled_over'>;

function placeRelative(previous: Projected | null, reading: Recorded): Place {
  const plain = { decreased: false, rolled_over: false };
  if (!previous) {
    // Without a beginning the amount cannot be placed in time: the reading only marks where the next one starts.
    const energy_wh = reading.period_start === null ? 0 : reading.value_wh;
    return { ...plain, energy_wh, offset_wh: null, gap_ms: 0 };
  }
  const unknown_ms = (reading.period_start ?? previous.reading_timestamp) - previous.reading_timestamp;
  if (unknown_ms < 0) throw new IntervalOverlap(reading, previous);
  return {
    ...plain,
    energy_wh: previous.energy_wh + reading.value_wh,
    offset_wh: unknown_ms === 0 ? previous.offset_wh : null,
    gap_ms: previous.gap_ms + unknown_ms,
  };
}

/** How far a register that went down must have counted on, if it rolled over; null if it did not. */
function rollover(previous: Projected, reading: Recorded, device: Device, energy_wh: number): number | null {
  if (reading.rollover_wh !== null) {
    const span_wh = reading.rollover_wh * device.multiplier;
    return energy_wh + span_wh >= previous.energy_wh ? span_wh : null;
  }
  const register_wh = registerSpan(device);
  if (register_wh === null) return null;
  const span_wh = register_wh * device.multiplier;
  const used_wh = energy_wh + span_wh - previous.energy_wh;
  return used_wh >= 0 && used_wh <= span_wh * ROLLOVER_SHARE ? span_wh : null;
}

function placeRegister(previous: Projected | null, reading: Recorded, device: Device): Place {
  const register_wh = reading.value_wh * device.multiplier;
  if (!previous) {
    return { energy_wh: register_wh, offset_wh: 0, gap_ms: 0, decreased: false, rolled_over: false };
  }
  const { offset_wh, gap_ms } = previous;
  if (offset_wh !== null) {
    const energy_wh = register_wh + offset_wh;
    if (energy_wh >= previous.energy_wh) {
      return { energy_wh, offset_wh, gap_ms, decreased: false, rolled_over: false };
    }
    const span_wh = rollover(previous, reading, device, energy_wh);
    if (span_wh !== null) {
      const rolled = { energy_wh: energy_wh + span_wh, offset_wh: offset_wh + span_wh };
      return { ...rolled, gap_ms, decreased: false, rolled_over: true };
    }
  }
  // The register went down, or the stretch since an interval cannot be told: a new segment begins here.
  return {
    energy_wh: previous.energy_wh,
    offset_wh: previous.energy_wh - register_wh,
    gap_ms: gap_ms + reading.reading_timestamp - previous.reading_timestamp,
    decreased: offset_wh !== null,
    rolled_over: false,
  };
}

function rateOf(previous: Projected | null, reading: Recorded, place: Place): number | null {
  const start = previous
    ? previous.reading_timestamp + (place.gap_ms - previous.gap_ms)
    : reading.reading_type === 'relative' && reading.period_start !== null
      ? reading.period_start
      : reading.reading_timestamp;
  const known_ms = reading.reading_timestamp - start;
  if (known_ms === 0) return null;
  const used_wh = previous ? place.energy_wh - previous.energy_wh : place.energy_wh;
  // All of a meter's energy within a millisecond is a rate beyond exact integers.
  return Math.min(scaleUp(used_wh, 3_600_000, known_ms), Number.MAX_SAFE_INTEGER);
}

/** What `judge` needs to know of a row. */
export type Judged = Pick<Projected, 'rate_w' | 'stretches' | 'confirmed'>;

/** Whether a row's rate is far above the highest before it, and whether it is the highest itself. */
export function judge(
  { rate_w, stretches, confirmed }: Judged,
  highest_w: number,
  { plausibility_factor }: Pick<MeterRules, 'plausibility_factor'>,
): Pick<Projected, 'implausible' | 'is_highest'> {
  if (rate_w === null) return { implausible: false, is_highest: false };
  const implausible =
    plausibility_factor !== null &&
    !confirmed &&
    stretches > JUDGED_AFTER &&
    rate_w > plausibility_factor * Math.max(highest_w, LOWEST_PEAK_W);
  return { implausible, is_highest: !implausible && rate_w > highest_w };
}

/**
 * The next row of a meter's projection (domain: "Consumption over any period, by construction fast").
 * @param previous the row before it in time, null for the meter's first
 * @throws IntervalOverlap, EnergyOutOfRange
 */
export function step(previous: Standing | null, reading: Recorded, rules: MeterRules): Standing {
  const place =
    reading.reading_type === 'relative'
      ? placeRelative(previous, reading)
      : placeRegister(previous, reading, deviceAt(rules.devices, reading.reading_timestamp));
  if (reading.reading_type === 'replacement') {
    const next = rules.devices.find(({ installed_at }) => installed_at === reading.reading_timestamp)!;
    place.offset_wh = place.energy_wh - next.initial_value_wh! * next.multiplier;
  }
  if (!Number.isSafeInteger(place.energy_wh) || !Number.isSafeInteger(place.offset_wh ?? 0)) {
    throw new EnergyOutOfRange('the energy of this meter would leave the range of exact whole Wh');
  }
  const { highest_w = 0, stretches = 0 } = previous ?? {};
  const rate_w = rateOf(previous, reading, place);
  const row = {
    ...reading,
    ...place,
    rate_w,
    stretches: rate_w === null ? stretches : Math.min(stretches + 1, JUDGED_AFTER + 1),
  };
  const judged = judge(row, highest_w, rules);
  return { ...row, ...judged, highest_w: judged.is_highest ? rate_w! : highest_w };
}

/** What to add to every later row of a meter once the rows before them have changed. */
export interface Shift {
  energy_wh: number;
  gap_ms: number;
}

/**
 * Whether everything after a recomputed row moves uniformly: `step` looks at the row before only through the
 * difference of offset and energy, so where that is as it was, all later rows keep their distance to this one. What the
 * highest rate decides in them is another question: rejudge answers it.
 * @returns the shift of all later rows, null if the next row must be recomputed too
 */
export function shiftAfter(stored: Projected, recomputed: Projected): Shift | null {
  const register = (row: Projected) => (row.offset_wh === null ? null : row.offset_wh - row.energy_wh);
  if (register(stored) !== register(recomputed)) return null;
  if (stored.stretches !== recomputed.stretches) return null;
  return {
    energy_wh: recomputed.energy_wh - stored.energy_wh,
    gap_ms: recomputed.gap_ms - stored.gap_ms,
  };
}

/** The highest plausible rate at some place, as it is stored and as it should be, in W. */
export interface Highest {
  stored_w: number;
  recomputed_w: number;
}

/**
 * Carries a change of the highest rate on to later rows. Only those with a rate above the lower of the two can be judged
 * otherwise; once the two agree, everything after is as it was.
 * @param rows stored ones with a rate above both, in order of time; those below may be left out
 * @returns the rows that are judged otherwise than stored, and the two highest rates after the last row looked at
 */
export function rejudge<R extends Projected>(
  rows: readonly R[],
  highest: Highest,
  rules: Pick<MeterRules, 'plausibility_factor'>,
): { changed: R[]; highest: Highest } {
  let { stored_w, recomputed_w } = highest;
  const changed: R[] = [];
  for (const row of rows) {
    if (stored_w === recomputed_w) break;
    const judged = judge(row, recomputed_w, rules);
    if (judged.implausible !== row.implausible || judged.is_highest !== row.is_highest)
      changed.push({ ...row, ...judged });
    if (row.is_highest) stored_w = row.rate_w!;
    if (judged.is_highest) recomputed_w = row.rate_w!;
  }
  return { changed, highest: { stored_w, recomputed_w } };
}
