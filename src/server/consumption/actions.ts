import type { Static } from 'typebox';
import type * as contract from '../../contract/consumption.ts';
import { MAX_BUCKETS, type PropertyConsumption, type Series } from '../../contract/consumption.ts';
import type { Warning } from '../../contract/readings.ts';
import * as energy from '../../core/energy.ts';
import { bucketBoundaries, formatInstant, parseInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Db } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { invalid } from '../errors.ts';
import { parsed, parsePeriod } from '../http/input.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import { openProperty } from '../properties/access.ts';
import type { MemberProperty } from '../properties/store.ts';
import { decreasedWarning } from '../readings/present.ts';
import * as store from './store.ts';

/** Everything known of a property's meters at the boundaries of a question. */
interface Question {
  property: MemberProperty;
  main: MeterRow | undefined;
  submeters: MeterRow[];
  instants_ms: number[];
  neighbours: Map<number, energy.Neighbours[]>;
  boundary: energy.Boundary;
}

async function ask(
  db: Db,
  property: MemberProperty,
  instants_ms: number[],
  boundary: energy.Boundary = 'interpolate',
): Promise<Question> {
  const meters = (await metersOf(db, property.id)).filter(
    ({ is_active, sub_meter_kind }) => is_active && sub_meter_kind !== 'virtual',
  );
  const ids = meters.map(({ id }) => id);
  return {
    property,
    main: meters.find(({ meter_type }) => meter_type === 'main_meter'),
    submeters: meters.filter(({ meter_type }) => meter_type === 'sub_meter'),
    instants_ms,
    neighbours: await store.neighboursAt(db, property.id, ids, instants_ms),
    boundary,
  };
}

const kwh = (value_wh: number | null) => (value_wh === null ? null : formatKwh(value_wh));

function figures({ consumption_wh, known_consumption_wh, coverage, estimated }: energy.Consumption) {
  return {
    consumption: kwh(consumption_wh),
    known_consumption: kwh(known_consumption_wh),
    coverage,
    estimated,
  };
}

/** The figures of the period between two of the question's boundaries. */
function between({ main, submeters, instants_ms, neighbours, boundary }: Question, from: number, to: number) {
  const of = ({ id }: MeterRow) => {
    const around = neighbours.get(id)!;
    return energy.consumption(
      { instant_ms: instants_ms[from]!, neighbours: around[from]! },
      { instant_ms: instants_ms[to]!, neighbours: around[to]! },
      boundary,
    );
  };
  const main_consumption = main ? of(main) : energy.UNKNOWN;
  const each = submeters.map((meter) => ({ meter, used: of(meter) }));
  const children = each.filter(({ meter }) => meter.parent_meter_id === main?.id).map(({ used }) => used);
  const { total_submetered_wh, unmetered_wh, imbalance_wh } = energy.unmetered(main_consumption, children);
  return {
    each,
    imbalance_wh,
    totals: {
      main_meter_consumption: kwh(main_consumption.consumption_wh),
      total_submetered_consumption: kwh(total_submetered_wh),
      unmetered_consumption: kwh(unmetered_wh),
      imbalance: kwh(imbalance_wh),
      known_consumption: kwh(main_consumption.known_consumption_wh),
      coverage: main_consumption.coverage,
      estimated: main_consumption.estimated || each.some(({ used }) => used.estimated),
    },
  };
}

/** Says why stretches of the question are unknown. */
async function decreases(db: Db, { property, main, submeters, instants_ms }: Question): Promise<Warning[]> {
  const meters = new Map([...(main ? [main] : []), ...submeters].map((meter) => [meter.id, meter]));
  const rows = await store.decreasesIn(
    db,
    property.id,
    [...meters.keys()],
    instants_ms[0]!,
    instants_ms.at(-1)!,
  );
  return rows.map(({ meter_id, entry_id, reading_timestamp }) =>
    decreasedWarning(meter_id, entry_id, meters.get(meter_id)!.name, reading_timestamp),
  );
}

function exceeding({ main }: Question, imbalance_wh: number, from_ms: number, to_ms: number): Warning {
  return {
    code: 'submeters_exceed_main',
    meter_id: main!.id,
    reading_id: null,
    detail:
      `From ${formatInstant(from_ms)} to ${formatInstant(to_ms)} the submeters measured ${formatKwh(-imbalance_wh)} kWh ` +
      'more than the main meter: look for a clock that is off, a wrong multiplier or swapped cables.',
  };
}

function valueAt(instant_ms: number, { previous }: energy.Neighbours): string | null {
  const is_register = previous?.reading_timestamp === instant_ms && previous.reading_type === 'absolute';
  return is_register ? formatKwh(previous.value_wh) : null;
}

export async function getConsumption(
  { db }: Deps,
  user_id: number,
  property_id: number,
  query: Static<typeof contract.getConsumption.query>,
): Promise<PropertyConsumption> {
  const property = await openProperty(db.read, user_id, property_id);
  const start_ms = parsed(parseInstant(query.start_timestamp));
  const end_ms = parsed(parseInstant(query.end_timestamp));
  if (start_ms >= end_ms) {
    throw invalid([{ path: 'end_timestamp', message: 'must be later than start_timestamp' }]);
  }
  const question = await ask(db.read, property, [start_ms, end_ms], query.boundary);
  const { each, totals, imbalance_wh } = between(question, 0, 1);
  const warnings = await decreases(db.read, question);
  if (imbalance_wh !== null) warnings.push(exceeding(question, imbalance_wh, start_ms, end_ms));
  return {
    property_id,
    start_timestamp: formatInstant(start_ms),
    end_timestamp: formatInstant(end_ms),
    ...totals,
    submeters: each.map(({ meter: { id, name, location, parent_meter_id }, used }) => {
      const [at_start, at_end] = question.neighbours.get(id)!;
      return {
        name,
        meter_id: id,
        location,
        parent_meter_id,
        start_value: valueAt(start_ms, at_start!),
        end_value: valueAt(end_ms, at_end!),
        ...figures(used),
      };
    }),
    warnings,
  };
}

export async function getSeries(
  { db }: Deps,
  user_id: number,
  property_id: number,
  query: Static<typeof contract.getSeries.query>,
): Promise<Series> {
  const property = await openProperty(db.read, user_id, property_id);
  const { start_ms, end_ms } = parsePeriod(query, property.timezone);
  const instants_ms = bucketBoundaries(start_ms, end_ms, query.interval, property.timezone, MAX_BUCKETS);
  if (instants_ms.length - 1 > MAX_BUCKETS) {
    const message = `gives more than ${MAX_BUCKETS} buckets: ask for a shorter period or a longer interval`;
    throw invalid([{ path: 'interval', message }]);
  }
  const question = await ask(db.read, property, instants_ms, query.boundary);
  const warnings = await decreases(db.read, question);
  const buckets = instants_ms.slice(1).map((to_ms, i) => {
    const from_ms = instants_ms[i]!;
    const { each, totals, imbalance_wh } = between(question, i, i + 1);
    if (imbalance_wh !== null) warnings.push(exceeding(question, imbalance_wh, from_ms, to_ms));
    return {
      start_timestamp: formatInstant(from_ms),
      end_timestamp: formatInstant(to_ms),
      ...totals,
      submeters: each.map(({ meter, used }) => ({ meter_id: meter.id, name: meter.name, ...figures(used) })),
    };
  });
  return {
    property_id,
    interval: query.interval,
    timezone: property.timezone,
    start_timestamp: formatInstant(start_ms),
    end_timestamp: formatInstant(end_ms),
    buckets,
    warnings,
  };
}
