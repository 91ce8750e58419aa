/** All of a user's properties at a glance: as many questions to the database for a hundred as for one. */
import type { Dashboard } from '../../contract/users.ts';
import { formatInstant, monthAround } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import { findAttention } from '../attention/find.ts';
import type { Caller } from '../auth/caller.ts';
import { askAll, between, type Question } from '../consumption/question.ts';
import type { Deps } from '../deps.ts';
import { type MeterRow, metersOfEach } from '../meters/store.ts';
import { sees } from '../properties/access.ts';
import { activeProperties, type MemberProperty } from '../properties/store.ts';
import * as store from './store.ts';

/** A property of the user with its active meters. */
interface Home {
  property: MemberProperty;
  /** All that it has, active or not, seen or not. */
  meters: readonly MeterRow[];
  seen: readonly MeterRow[];
  /** The main meter and the submeters that its unmetered rest is made of, where the user may see such figures. */
  house: readonly MeterRow[];
  month: ReturnType<typeof monthAround>;
}

function homeOf(property: MemberProperty, meters: readonly MeterRow[], now_ms: number): Home {
  const active = meters.filter(({ is_active }) => is_active);
  const { main_meter_id } = property;
  const house = active.filter(
    ({ id, parent_meter_id, sub_meter_kind }) =>
      id === main_meter_id || (parent_meter_id === main_meter_id && sub_meter_kind === 'physical'),
  );
  return {
    property,
    meters,
    seen: active.filter(({ id }) => sees(property, id)),
    house: property.view.totals && main_meter_id !== null ? house : [],
    month: monthAround(now_ms, property.timezone),
  };
}

type LastRead = ReadonlyMap<number, store.MeterMonth>;

/** The last instant in the month at which all that the unmetered rest is made of is known; null if there is none. */
function restKnownUntil({ house, month }: Home, read: LastRead, now_ms: number): number | null {
  if (house.length === 0) return null;
  const last_ms = house.map(({ id }) => read.get(id)?.latest_ms ?? month.start_ms);
  const until_ms = Math.min(now_ms, ...last_ms);
  return until_ms > month.start_ms ? until_ms : null;
}

/** The figures of the house itself, null for those who may not see them. */
function figuresOf(
  question: Question,
  { property, month }: Home,
  rest_until_ms: number | null,
  now_ms: number,
) {
  const kwh = (value_wh: number | null) =>
    value_wh === null || !property.view.totals ? null : formatKwh(value_wh);
  const at = (instant_ms: number) => question.instants_ms.indexOf(instant_ms);
  const used = (from_ms: number, to_ms: number) =>
    kwh(between(question, at(from_ms), at(to_ms)).main_used.known_consumption_wh);
  return {
    consumption_this_month: used(month.start_ms, now_ms),
    consumption_previous_month: used(month.previous_ms, month.start_ms),
    unmetered_this_month:
      rest_until_ms === null
        ? null
        : kwh(between(question, at(month.start_ms), at(rest_until_ms)).rest.unmetered_wh),
  };
}

function latestOf(meters: readonly MeterRow[], read: LastRead): number | null {
  const instants_ms = meters.flatMap(({ id }) => read.get(id)?.latest_ms ?? []);
  return instants_ms.length === 0 ? null : Math.max(...instants_ms);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
const instant = (at_ms: number | null) => (at_ms === null ? null : formatInstant(at_ms));

export async function getDashboard({ db: { read: db }, clock }: Deps, caller: Caller): Promise<Dashboard> {
  const now_ms = clock();
  const properties = await activeProperties(db, caller);
  const meters = await metersOfEach(
    db,
    properties.map(({ id }) => id),
  );
  const homes = properties.map((property) => homeOf(property, meters.get(property.id) ?? [], now_ms));
  const read = await store.monthOf(
    db,
    homes.flatMap(({ property, seen, house, month: { start_ms, end_ms } }) =>
      [...new Set([...seen, ...house])].map(({ id }) => ({
        property_id: property.id,
        meter_id: id,
        start_ms,
        end_ms,
      })),
    ),
  );
  const attention = await findAttention(db, homes, now_ms);
  const rest_until = homes.map((home) => restKnownUntil(home, read, now_ms));
  const questions = await askAll(
    db,
    homes.map(({ property, meters, month }, i) => {
      const instants_ms = new Set([month.previous_ms, month.start_ms, rest_until[i] ?? now_ms, now_ms]);
      return { property, meters, instants_ms: [...instants_ms] };
    }),
  );
  const properties_summary = homes.map((home, i) => ({
    id: home.property.id,
    name: home.property.display_name,
    meters_count: home.seen.length,
    latest_reading: instant(latestOf(home.seen, read)),
    ...figuresOf(questions[i]!, home, rest_until[i]!, now_ms),
    attention_count: attention.get(home.property.id)!.length,
  }));
  const seen = homes.flatMap((home) => home.seen);
  return {
    properties_count: homes.length,
    meters_count: seen.length,
    readings_this_month: sum(seen.map(({ id }) => read.get(id)!.readings)),
    latest_reading_date: instant(latestOf(seen, read)),
    attention_count: sum(properties_summary.map(({ attention_count }) => attention_count)),
    properties_summary,
  };
}
