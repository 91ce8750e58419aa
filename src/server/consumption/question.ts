/** A question about a property's consumption: every meter's energy at its boundaries, from one statement. */
import type { Warning } from '../../contract/readings.ts';
import * as energy from '../../core/energy.ts';
import { type Formulas, metersBehind, virtualConsumption } from '../../core/formula.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Db } from '../db/tables.ts';
import { formulasOf } from '../meters/formulas.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import type { PropertyRow } from '../properties/store.ts';
import * as store from './store.ts';

/** Everything known of a property's meters at the boundaries of a question. */
export interface Question {
  property_id: number;
  main: MeterRow | undefined;
  /** Active submeters, physical and virtual. */
  submeters: MeterRow[];
  /** The meters that were looked up: those above, and what virtual ones are computed from, active or not. */
  physical: MeterRow[];
  formulas: Formulas;
  instants_ms: number[];
  neighbours: Map<number, energy.Neighbours[]>;
  boundary: energy.Boundary;
}

export async function ask(
  db: Db,
  property: PropertyRow,
  instants_ms: number[],
  boundary: energy.Boundary = 'interpolate',
): Promise<Question> {
  const meters = await metersOf(db, property.id);
  const active = meters.filter(({ is_active }) => is_active);
  const formulas = formulasOf(meters);
  const virtual = active.filter(({ id }) => formulas.has(id));
  const behind = new Set(virtual.flatMap(({ id }) => metersBehind(formulas, id)));
  const physical = meters.filter(({ id, is_active }) => !formulas.has(id) && (is_active || behind.has(id)));
  const ids = physical.map(({ id }) => id);
  return {
    property_id: property.id,
    main: active.find(({ meter_type }) => meter_type === 'main_meter'),
    submeters: active.filter(({ meter_type }) => meter_type === 'sub_meter'),
    physical,
    formulas,
    instants_ms,
    neighbours: await store.neighboursAt(db, property.id, ids, instants_ms),
    boundary,
  };
}

/** What the children of a meter measured more than the meter itself. */
export interface Excess {
  parent: MeterRow;
  imbalance_wh: number;
}

/** The figures of the period between two of the question's boundaries. */
export function between(question: Question, from: number, to: number) {
  const { main, submeters, formulas, instants_ms, neighbours, boundary } = question;
  const known = new Map<number, energy.Consumption>();
  const used = (meter_id: number): energy.Consumption => {
    const before = known.get(meter_id);
    if (before) return before;
    const around = neighbours.get(meter_id);
    const found = around
      ? energy.consumption(
          { instant_ms: instants_ms[from]!, neighbours: around[from]! },
          { instant_ms: instants_ms[to]!, neighbours: around[to]! },
          boundary,
        )
      : energy.UNKNOWN;
    known.set(meter_id, found);
    return found;
  };
  const of = ({ id }: MeterRow) =>
    formulas.get(id)?.length ? virtualConsumption(formulas, id, used) : used(id);
  const children = ({ id }: MeterRow) =>
    submeters.filter((meter) => meter.parent_meter_id === id && meter.sub_meter_kind === 'physical').map(of);

  const excesses: Excess[] = [];
  const restOf = (parent: MeterRow, below: energy.Consumption[]) => {
    const rest = energy.unmetered(of(parent), below);
    if (rest.imbalance_wh !== null) excesses.push({ parent, imbalance_wh: rest.imbalance_wh });
    return rest;
  };
  const main_used = main ? of(main) : energy.UNKNOWN;
  const rest = main ? restOf(main, children(main)) : energy.unmetered(energy.UNKNOWN, []);
  const each = submeters.map((meter) => {
    const below = children(meter);
    return {
      meter,
      used: of(meter),
      unmetered_wh: below.length > 0 ? restOf(meter, below).unmetered_wh : null,
    };
  });
  return { main_used, rest, each, excesses };
}

/** The warning for children that measured more than their parent. */
export function exceeding({ parent, imbalance_wh }: Excess, from_ms: number, to_ms: number): Warning {
  const is_main = parent.meter_type === 'main_meter';
  return {
    code: is_main ? 'submeters_exceed_main' : 'submeters_exceed_parent',
    meter_id: parent.id,
    reading_id: null,
    device_id: null,
    detail:
      `From ${formatInstant(from_ms)} to ${formatInstant(to_ms)} the submeters measured ${formatKwh(-imbalance_wh)} kWh ` +
      `more than ${is_main ? 'the main meter' : parent.name}: look for a clock that is off, a wrong multiplier or ` +
      'swapped cables.',
  };
}
