/** A question about a property's consumption: every meter's energy at its boundaries, from one statement. */
import type { Warning } from '../../contract/readings.ts';
import * as energy from '../../core/energy.ts';
import { type Formulas, metersBehind, virtualConsumption } from '../../core/formula.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Db } from '../db/tables.ts';
import { formulasOf } from '../meters/formulas.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import { sees } from '../properties/access.ts';
import type { MemberProperty } from '../properties/store.ts';
import * as store from './store.ts';

/** Everything known of a property's meters at the boundaries of a question. */
export interface Question {
  property: MemberProperty;
  main: MeterRow | undefined;
  /** Active submeters that whoever asks sees, physical and virtual. */
  submeters: MeterRow[];
  /** Active physical submeters by the meter they hang under, seen or not. */
  children: ReadonlyMap<number, MeterRow[]>;
  /** The meters that were looked up: those above, and what virtual ones are computed from, active or not. */
  physical: MeterRow[];
  formulas: Formulas;
  instants_ms: number[];
  neighbours: Map<number, energy.Neighbours[]>;
  boundary: energy.Boundary;
}

/** What is asked about one property: its meters are all that it has, seen or not. */
export interface Asked {
  property: MemberProperty;
  meters: readonly MeterRow[];
  instants_ms: number[];
}

type Unanswered = Omit<Question, 'neighbours' | 'boundary'>;

/** What the answer to a member needs, and no more: the meters they see, and what their figures are made of. */
function prepare({ property, meters, instants_ms }: Asked): Unanswered {
  const active = meters.filter(({ is_active }) => is_active);
  const formulas = formulasOf(meters);
  const children = Map.groupBy(
    active.filter(({ sub_meter_kind }) => sub_meter_kind === 'physical'),
    ({ parent_meter_id }) => parent_meter_id!,
  );
  const main = active.find(({ meter_type }) => meter_type === 'main_meter');
  const seen = active.filter(({ id }) => sees(property, id));
  const house = property.view.totals && main ? [main, ...(children.get(main.id) ?? [])] : [];
  const needed = new Set([...seen, ...house].map(({ id }) => id));
  for (const { id } of seen)
    if (formulas.has(id)) for (const each of metersBehind(formulas, id)) needed.add(each);
  return {
    property,
    main,
    submeters: seen.filter(({ meter_type }) => meter_type === 'sub_meter'),
    children,
    physical: meters.filter(({ id }) => !formulas.has(id) && needed.has(id)),
    formulas,
    instants_ms,
  };
}

/** Questions about many properties, looked up by one statement; in the order in which they were asked. */
export async function askAll(
  db: Db,
  asked: readonly Asked[],
  boundary: energy.Boundary = 'interpolate',
): Promise<Question[]> {
  const unanswered = asked.map(prepare);
  const neighbours = await store.neighboursAt(
    db,
    unanswered.map(({ property, physical, instants_ms }) => ({
      property_id: property.id,
      meter_ids: physical.map(({ id }) => id),
      instants_ms,
    })),
  );
  return unanswered.map((question) => ({ ...question, neighbours, boundary }));
}

export async function ask(
  db: Db,
  property: MemberProperty,
  instants_ms: number[],
  boundary?: energy.Boundary,
): Promise<Question> {
  const meters = await metersOf(db, property.id);
  const [question] = await askAll(db, [{ property, meters, instants_ms }], boundary);
  return question!;
}

/** What the children of a meter measured more than the meter itself. */
export interface Excess {
  parent: MeterRow;
  imbalance_wh: number;
}

/** The figures of the period between two of the question's boundaries. */
export function between(question: Question, from: number, to: number) {
  const { property, main, submeters, formulas, instants_ms, neighbours, boundary } = question;
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
  const childrenOf = ({ id }: MeterRow) => question.children.get(id) ?? [];

  const excesses: Excess[] = [];
  const restOf = (parent: MeterRow) => {
    const rest = energy.unmetered(of(parent), childrenOf(parent).map(of));
    if (rest.imbalance_wh !== null) excesses.push({ parent, imbalance_wh: rest.imbalance_wh });
    return rest;
  };
  const main_used = main ? of(main) : energy.UNKNOWN;
  const rest = main ? restOf(main) : energy.unmetered(energy.UNKNOWN, []);
  const rest_estimated =
    main !== undefined && [main, ...childrenOf(main)].some((meter) => of(meter).estimated);
  const each = submeters.map((meter) => {
    const below = childrenOf(meter);
    // Not a part of them: the rest would tell what the others used.
    const has_rest = below.length > 0 && below.every(({ id }) => sees(property, id));
    return { meter, used: of(meter), unmetered_wh: has_rest ? restOf(meter).unmetered_wh : null };
  });
  return { main_used, rest, rest_estimated, each, excesses };
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
