/** The meters of an archive: whether they fit together, and how they come into an empty property. */
import type { ArchivedMeter } from '../../contract/archive.ts';
import { findCycle, parseFactor, type Term } from '../../core/formula.ts';
import { fold, tidy } from '../../core/text.ts';
import { parseInstant } from '../../core/time.ts';
import type { Tx } from '../db/tables.ts';
import { parsed } from '../http/input.ts';
import { findMeter, insertMeter, type MeterRow, updateMeter } from '../meters/store.ts';
import { unreadable } from './refused.ts';

function termsOf({ formula }: ArchivedMeter): Term[] {
  return (formula ?? []).map(({ meter_id, factor }) => ({
    meter_id,
    factor_milli: parsed(parseFactor(factor)),
  }));
}

/** The main meter that is in use; of several that were, the last. */
function mainOf(meters: readonly ArchivedMeter[]): ArchivedMeter | undefined {
  const mains = meters.filter(({ meter_type }) => meter_type === 'main_meter');
  return mains.find(({ is_active }) => is_active) ?? mains.at(-1);
}

/** What is wrong with one meter among the others; null if nothing. */
function faultOf(meter: ArchivedMeter, by_id: ReadonlyMap<number, ArchivedMeter>): string | null {
  const { meter_type, sub_meter_kind, parent_meter_id, formula, is_active } = meter;
  const is_main = meter_type === 'main_meter';
  if (is_main !== (sub_meter_kind === null))
    return 'has a sub_meter_kind that does not go with its meter_type';
  if (is_main !== (parent_meter_id === null))
    return 'has a parent_meter_id that does not go with its meter_type';
  if (formula !== null && sub_meter_kind !== 'virtual') return 'has a formula, and is not virtual';
  if (parent_meter_id !== null) {
    const parent = by_id.get(parent_meter_id);
    if (!parent || parent.sub_meter_kind === 'virtual') return 'hangs below what is no meter of the archive';
    if (is_active && !parent.is_active) return 'is active, and hangs below a meter that is not';
  }
  const named = (formula ?? []).map(({ meter_id }) => meter_id);
  if (named.some((id) => !by_id.has(id))) return 'has a formula with a meter that is not in the archive';
  return new Set(named).size === named.length ? null : 'has a formula that names a meter twice';
}

/** Throws validation_failed unless the meters are those of a property. */
export function checkMeters(meters: readonly ArchivedMeter[]): void {
  const by_id = new Map(meters.map((meter) => [meter.id, meter]));
  const formulas = new Map(meters.map((meter) => [meter.id, termsOf(meter)]));
  const names = new Set<string>();
  let active_mains = 0;
  for (const [i, meter] of meters.entries()) {
    const refuse = (message: string) => unreadable(`meters.${i}`, message);
    const fault = faultOf(meter, by_id);
    if (fault) throw refuse(fault);
    if (by_id.get(meter.id) !== meter) throw refuse('has the id of another one');
    if (findCycle(formulas, meter.id)) throw refuse('has a formula that leads back to itself');
    let above: ArchivedMeter | undefined = meter;
    for (let steps = 0; above?.parent_meter_id != null; steps++) {
      if (steps > meters.length) throw refuse('hangs below itself');
      above = by_id.get(above.parent_meter_id);
    }
    if (!meter.is_active) continue;
    if (meter.meter_type === 'main_meter') active_mains += 1;
    const folded = fold(tidy(meter.name));
    if (names.has(folded)) throw refuse('has the name of another active meter');
    names.add(folded);
  }
  if (!mainOf(meters) || active_mains > 1) throw unreadable('meters', 'has not exactly one main meter');
}

/**
 * Creates the meters of an archive in a property that has nothing but its main meter, which becomes that of the archive.
 * @param meters that checkMeters has let pass
 * @returns the rows by the ids of the archive
 */
export async function restoreMeters(
  tx: Tx,
  { id: property_id, main_meter_id }: { id: number; main_meter_id: number },
  meters: readonly ArchivedMeter[],
): Promise<Map<number, MeterRow>> {
  const ids = new Map<number, number>();
  const main = mainOf(meters)!;
  let waiting = [main, ...meters.filter((meter) => meter !== main)];
  while (waiting.length > 0) {
    const ready = waiting.filter(({ parent_meter_id: parent }) => parent === null || ids.has(parent));
    for (const meter of ready) {
      const name = tidy(meter.name);
      const row = {
        parent_meter_id: meter.parent_meter_id && ids.get(meter.parent_meter_id)!,
        ...{ name, name_folded: fold(name), location: meter.location },
        ...{ meter_type: meter.meter_type, sub_meter_kind: meter.sub_meter_kind },
        plausibility_factor: meter.plausibility_factor,
        is_active: Number(meter.is_active),
        created_at: parsed(parseInstant(meter.created_at)),
      };
      if (meter === main) await updateMeter(tx, main_meter_id, row);
      ids.set(meter.id, meter === main ? main_meter_id : (await insertMeter(tx, { ...row, property_id })).id);
    }
    waiting = waiting.filter((meter) => !ready.includes(meter));
  }
  const rows = new Map<number, MeterRow>();
  for (const meter of meters) {
    const id = ids.get(meter.id)!;
    if (meter.formula !== null) {
      const terms = termsOf(meter).map((term) => ({ ...term, meter_id: ids.get(term.meter_id)! }));
      await updateMeter(tx, id, { formula: JSON.stringify(terms) });
    }
    rows.set(meter.id, (await findMeter(tx, id))!);
  }
  return rows;
}
