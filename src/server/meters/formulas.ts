/** Formulas of virtual meters: by name on the wire, by id in the database, so that a rename changes nothing. */
import { type Formulas, findCycle, formatFactor, parseFactor, type Term } from '../../core/formula.ts';
import { fold, tidy } from '../../core/text.ts';
import { invalid } from '../errors.ts';
import { parsed } from '../http/input.ts';
import type { MeterRow } from './store.ts';

/** The formulas of a property's virtual meters. */
export function formulasOf(meters: readonly MeterRow[]): Formulas {
  return new Map(
    meters
      .filter(({ sub_meter_kind }) => sub_meter_kind === 'virtual')
      .map(({ id, formula }) => [id, formula === null ? [] : (JSON.parse(formula) as Term[])]),
  );
}

/** @param meters of the property, whose names are the ones of today */
export function presentFormula(formula: string | null, meters: readonly MeterRow[]) {
  if (formula === null) return null;
  const names = new Map(meters.map(({ id, name }) => [id, name]));
  return (JSON.parse(formula) as Term[]).map(({ meter_id, factor_milli }) => ({
    meter: names.get(meter_id)!,
    factor: formatFactor(factor_milli),
  }));
}

/**
 * Reads a formula as it was sent.
 * @param own the virtual meter it belongs to, null for one that does not exist yet
 * @throws validation_failed for unknown names and for cycles
 */
export function readFormula(
  sent: readonly { meter: string; factor: string | number }[],
  meters: readonly MeterRow[],
  own: MeterRow | null,
): string {
  const active = new Map(
    meters.filter((meter) => meter.is_active).map((meter) => [meter.name_folded, meter]),
  );
  const wrong: { path: string; message: string }[] = [];
  const terms = sent.flatMap(({ meter: name, factor }, i): Term[] => {
    const meter = active.get(fold(tidy(name)));
    if (meter) return [{ meter_id: meter.id, factor_milli: parsed(parseFactor(factor)) }];
    wrong.push({
      path: `formula.${i}.meter`,
      message: `names ${name}, which is no active meter of this property`,
    });
    return [];
  });
  const repeated = terms.findIndex(({ meter_id }, i) => terms.findIndex((t) => t.meter_id === meter_id) < i);
  if (repeated >= 0)
    wrong.push({ path: `formula.${repeated}.meter`, message: 'stands in the formula already' });
  if (wrong.length > 0) throw invalid(wrong);
  if (own) {
    const cycle = findCycle(new Map([...formulasOf(meters), [own.id, terms]]), own.id);
    const names = new Map(meters.map(({ id, name }) => [id, name]));
    if (cycle) {
      const trail = cycle.map((id) => names.get(id)).join(' → ');
      throw invalid([{ path: 'formula', message: `leads back to the meter itself: ${trail}` }]);
    }
  }
  return JSON.stringify(terms);
}
