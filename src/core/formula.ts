/** Virtual meters: linear formulas over other meters, exact to the Wh at every instant. */
import type { Consumption } from './energy.ts';
import type { Parsed } from './units.ts';

/** One term: a meter of the property, counted `factor_milli` thousandths times. */
export interface Term {
  meter_id: number;
  factor_milli: number;
}

const FACTOR = /^-?\d{1,6}(?:\.\d{1,3})?$/;

/** Parses a factor, a decimal with at most three decimals, into thousandths. Zero is refused: it counts nothing. */
export function parseFactor(input: unknown): Parsed<number> {
  const text = typeof input === 'number' ? String(input) : input;
  if (typeof text !== 'string' || !FACTOR.test(text)) {
    return { ok: false, message: 'must be a decimal with at most three decimals, for example "1" or "-0.5"' };
  }
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = Number(whole) * 1000 + Number(fraction.padEnd(3, '0'));
  if (magnitude === 0) return { ok: false, message: 'must not be zero' };
  return { ok: true, value: text.startsWith('-') ? -magnitude : magnitude };
}

/** Formats thousandths as a decimal without trailing zeros: -500 → "-0.5". */
export function formatFactor(factor_milli: number): string {
  return String(factor_milli / 1000);
}

/** Formulas by the id of the virtual meter they belong to. */
export type Formulas = ReadonlyMap<number, readonly Term[]>;

/** The meters that lead from a virtual meter back to itself; null if none do. */
export function findCycle(formulas: Formulas, from: number): number[] | null {
  const visit = (meter_id: number, trail: readonly number[]): number[] | null => {
    if (trail.includes(meter_id)) return meter_id === from ? [...trail, meter_id] : null;
    for (const term of formulas.get(meter_id) ?? []) {
      const found = visit(term.meter_id, [...trail, meter_id]);
      if (found) return found;
    }
    return null;
  };
  return visit(from, []);
}

/** A physical meter's share in a virtual one: `factor / 1000 ** depth`. */
interface Share {
  meter_id: number;
  factor: bigint;
  depth: number;
}

/** What a formula comes down to, once the virtual meters in it are spelled out. The formulas have no cycle. */
function spellOut(formulas: Formulas, meter_id: number, factor = 1n, depth = 0): Share[] {
  const terms = formulas.get(meter_id);
  if (!terms) return [{ meter_id, factor, depth }];
  return terms.flatMap((term) =>
    spellOut(formulas, term.meter_id, factor * BigInt(term.factor_milli), depth + 1),
  );
}

/** The physical meters that a virtual meter is computed from. */
export function metersBehind(formulas: Formulas, meter_id: number): number[] {
  return [...new Set(spellOut(formulas, meter_id).map((share) => share.meter_id))];
}

/** Σ factor × energy, rounded half up to the Wh. */
function evaluate(shares: readonly Share[], energy_wh: (meter_id: number) => number): number {
  const depth = Math.max(...shares.map((share) => share.depth));
  const scale = 1000n ** BigInt(depth);
  const sum = shares.reduce(
    (total, share) =>
      total + share.factor * 1000n ** BigInt(depth - share.depth) * BigInt(energy_wh(share.meter_id)),
    0n,
  );
  const doubled = 2n * sum + scale;
  const quotient = doubled / (2n * scale);
  return Number(doubled < 0n && quotient * 2n * scale !== doubled ? quotient - 1n : quotient);
}

/**
 * Consumption of a virtual meter over a period: the difference of its energy at the two ends, so that the buckets of a
 * period add up to the period. Known only where every meter behind it is.
 * @param used consumption of a physical meter over the same period
 */
export function virtualConsumption(
  formulas: Formulas,
  meter_id: number,
  used: (meter_id: number) => Consumption,
): Consumption {
  const shares = spellOut(formulas, meter_id);
  const parts = shares.map((share) => used(share.meter_id));
  const estimated = parts.some((part) => part.estimated);
  if (parts.some((part) => part.ends === null || part.consumption_wh === null)) {
    return {
      consumption_wh: null,
      known_consumption_wh: null,
      coverage: 0,
      estimated,
      ends: null,
      uncertainty_wh: 0,
    };
  }
  const start_wh = evaluate(shares, (id) => used(id).ends!.start_wh);
  const end_wh = evaluate(shares, (id) => used(id).ends!.end_wh);
  const uncertainty_wh = evaluate(
    shares.map((share) => ({ ...share, factor: share.factor < 0n ? -share.factor : share.factor })),
    (id) => used(id).uncertainty_wh,
  );
  const consumption_wh = end_wh - start_wh;
  const ends = { start_wh, end_wh };
  return {
    consumption_wh,
    known_consumption_wh: consumption_wh,
    coverage: 1,
    estimated,
    ends,
    uncertainty_wh,
  };
}
