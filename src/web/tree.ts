/** Meters as they hang below one another. */
import type { Meter } from '../contract/meters.ts';

export interface Branch {
  meter: Meter;
  below: Branch[];
}

/** Submeters that name no parent hang below the main meter; what hangs below something out of sight stands at the top. */
export function treeOf(meters: readonly Meter[]): Branch[] {
  const main = meters.find(({ meter_type }) => meter_type === 'main_meter');
  const ids = new Set(meters.map(({ id }) => id));
  const parentOf = (meter: Meter): number | null => {
    if (meter === main) return null;
    const parent = meter.parent_meter_id ?? main?.id ?? null;
    return parent !== null && ids.has(parent) ? parent : null;
  };
  const branches = (parent: number | null): Branch[] =>
    meters
      .filter((meter) => parentOf(meter) === parent)
      .map((meter) => ({ meter, below: branches(meter.id) }));
  return branches(null);
}

/** The same without virtual meters: those are sums of others, and nobody's part. */
export function physicalTree(meters: readonly Meter[]): Branch[] {
  return treeOf(meters.filter(({ sub_meter_kind }) => sub_meter_kind !== 'virtual'));
}
