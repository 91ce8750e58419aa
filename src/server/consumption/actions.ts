import type { Static } from 'typebox';
import type * as contract from '../../contract/consumption.ts';
import { MAX_BUCKETS, type PropertyConsumption, type Series } from '../../contract/consumption.ts';
import type { Warning } from '../../contract/readings.ts';
import type * as energy from '../../core/energy.ts';
import { bucketBoundaries, formatInstant, parseInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { invalid } from '../errors.ts';
import { parsed, parsePeriod } from '../http/input.ts';
import { READING_TYPES } from '../projection/store.ts';
import { openProperty, sees } from '../properties/access.ts';
import { decreasedWarning, replacementWarning } from '../readings/present.ts';
import { ask, between, exceeding, type Question } from './question.ts';
import * as store from './store.ts';

const kwh = (value_wh: number | null) => (value_wh === null ? null : formatKwh(value_wh));

function figures({ consumption_wh, known_consumption_wh, coverage, estimated }: energy.Consumption) {
  return {
    consumption: kwh(consumption_wh),
    known_consumption: kwh(known_consumption_wh),
    coverage,
    estimated,
  };
}

type Answer = ReturnType<typeof between>;

/** The figures of the house, as far as whoever asks may see them. */
function totals({ property, main }: Question, { main_used, rest, rest_estimated, each }: Answer) {
  const sees_all = property.view.meter_ids === null;
  const { totals: sees_totals } = property.view;
  const sees_main = sees_totals || (main !== undefined && sees(property, main.id));
  return {
    main_meter_consumption: sees_main ? kwh(main_used.consumption_wh) : null,
    total_submetered_consumption: sees_all ? kwh(rest.total_submetered_wh) : null,
    unmetered_consumption: sees_totals ? kwh(rest.unmetered_wh) : null,
    imbalance: sees_all ? kwh(rest.imbalance_wh) : null,
    unmetered_uncertainty: sees_all ? kwh(rest.uncertainty_wh) : null,
    known_consumption: sees_main ? kwh(main_used.known_consumption_wh) : null,
    coverage: sees_main ? main_used.coverage : null,
    estimated:
      (sees_totals ? rest_estimated : sees_main && main_used.estimated) ||
      each.some(({ used }) => used.estimated),
  };
}

/** Warnings of submeters that exceed the meter above them, for whoever sees all of them. */
function excessWarnings(
  { property }: Question,
  { excesses }: Answer,
  from_ms: number,
  to_ms: number,
): Warning[] {
  const seen = excesses.filter(
    ({ parent }) => property.view.meter_ids === null || parent.meter_type === 'sub_meter',
  );
  return seen.map((excess) => exceeding(excess, from_ms, to_ms));
}

/** Says why stretches of the question are unknown. */
async function decreases(db: Db, { property, physical, instants_ms }: Question): Promise<Warning[]> {
  const seen = physical.filter(({ id }) => sees(property, id));
  const names = new Map(seen.map(({ id, name }) => [id, name]));
  const ids = [...names.keys()];
  const rows = await store.decreasesIn(db, property.id, ids, instants_ms[0]!, instants_ms.at(-1)!);
  return rows.map(({ meter_id, entry_id, reading_timestamp, reading_type }) => {
    const warning = READING_TYPES[reading_type] === 'replacement' ? replacementWarning : decreasedWarning;
    return warning(meter_id, entry_id, names.get(meter_id)!, reading_timestamp);
  });
}

function valueAt(instant_ms: number, neighbours: energy.Neighbours | undefined): string | null {
  const previous = neighbours?.previous;
  const is_register = previous?.reading_timestamp === instant_ms && previous.reading_type === 'absolute';
  return is_register ? formatKwh(previous.value_wh) : null;
}

export async function getConsumption(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.getConsumption.query>,
): Promise<PropertyConsumption> {
  const property = await openProperty(db.read, caller, property_id);
  const start_ms = parsed(parseInstant(query.start_timestamp));
  const end_ms = parsed(parseInstant(query.end_timestamp));
  if (start_ms >= end_ms) {
    throw invalid([{ path: 'end_timestamp', message: 'must be later than start_timestamp' }]);
  }
  const question = await ask(db.read, property, [start_ms, end_ms], query.boundary);
  const found = between(question, 0, 1);
  const warnings = await decreases(db.read, question);
  warnings.push(...excessWarnings(question, found, start_ms, end_ms));
  return {
    property_id,
    start_timestamp: formatInstant(start_ms),
    end_timestamp: formatInstant(end_ms),
    ...totals(question, found),
    submeters: found.each.map(({ meter, used, unmetered_wh }) => {
      const [at_start, at_end] = question.neighbours.get(meter.id) ?? [];
      return {
        name: meter.name,
        meter_id: meter.id,
        location: meter.location,
        parent_meter_id: sees(property, meter.parent_meter_id!) ? meter.parent_meter_id : null,
        sub_meter_kind: meter.sub_meter_kind!,
        start_value: valueAt(start_ms, at_start),
        end_value: valueAt(end_ms, at_end),
        ...figures(used),
        unmetered_consumption: kwh(unmetered_wh),
      };
    }),
    warnings,
  };
}

export async function getSeries(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.getSeries.query>,
): Promise<Series> {
  const property = await openProperty(db.read, caller, property_id);
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
    const found = between(question, i, i + 1);
    warnings.push(...excessWarnings(question, found, from_ms, to_ms));
    return {
      start_timestamp: formatInstant(from_ms),
      end_timestamp: formatInstant(to_ms),
      ...totals(question, found),
      submeters: found.each.map(({ meter, used, unmetered_wh }) => ({
        meter_id: meter.id,
        name: meter.name,
        ...figures(used),
        unmetered_consumption: kwh(unmetered_wh),
      })),
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
