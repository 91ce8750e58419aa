/** What a person should look at: found for many properties at once, so that it is counted as it is listed. */
import { ATTENTION_CODES, type Attention } from '../../contract/attention.ts';
import { usualInterval } from '../../core/interval.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import { askAll, between, type Excess, exceeding } from '../consumption/question.ts';
import type { Db } from '../db/tables.ts';
import type { MeterRow } from '../meters/store.ts';
import { READING_TYPES } from '../projection/store.ts';
import { sees } from '../properties/access.ts';
import type { MemberProperty } from '../properties/store.ts';
import {
  decreasedWarning,
  implausibleReplacementWarning,
  implausibleWarning,
  replacementWarning,
} from '../readings/present.ts';
import * as store from './store.ts';

const DAY_MS = 86_400_000;
/** How far back submeters are held against the meter above them. */
const COMPARED_MS = 31 * DAY_MS;
/** A meter is overdue after this many of its usual intervals. */
const OVERDUE_AFTER = 2;
const JUDGED_INTERVALS = 12;

const NO_FIGURES = {
  value: null,
  previous_value: null,
  consumption: null,
  imbalance: null,
  days: null,
  usual_days: null,
};

type Call = Attention['actions'][number];

/** What settles a flagged reading. */
function settlingReading(meter_id: number, reading_id: number, is_decrease: boolean): Call[] {
  const url = `/api/readings/${reading_id}`;
  const correct = [
    { operation: 'correctReading', method: 'PATCH', url },
    { operation: 'voidReading', method: 'DELETE', url },
  ];
  if (!is_decrease)
    return [...correct, { operation: 'confirmReading', method: 'POST', url: `${url}/confirm` }];
  return [
    ...correct,
    { operation: 'replaceDevice', method: 'POST', url: `/api/meters/${meter_id}/replacements` },
    { operation: 'settleRollover', method: 'POST', url: `${url}/rollover` },
  ];
}

/** What settles a flagged replacement. */
function settlingReplacement(meter_id: number, device_id: number, is_decrease: boolean): Call[] {
  const url = `/api/meters/${meter_id}/devices/${device_id}`;
  const correct = [
    { operation: 'correctDevice', method: 'PATCH', url },
    {
      operation: 'undoReplacement',
      method: 'DELETE',
      url: `/api/meters/${meter_id}/replacements/${device_id}`,
    },
  ];
  if (is_decrease) return correct;
  return [...correct, { operation: 'confirmDevice', method: 'POST', url: `${url}/confirm` }];
}

function flaggedItem(row: store.FlaggedRow, meter: MeterRow): Attention {
  const { entry_id, reading_timestamp, value_wh, previous_value_wh } = row;
  const is_decrease = row.decreased === 1;
  const is_replacement = READING_TYPES[row.reading_type] === 'replacement';
  const of_reading = is_decrease ? decreasedWarning : implausibleWarning;
  const of_replacement = is_decrease ? replacementWarning : implausibleReplacementWarning;
  const warning = is_replacement ? of_replacement : of_reading;
  const { reading_id, device_id, detail } = warning(meter.id, entry_id, meter.name, reading_timestamp);
  const settling = is_replacement ? settlingReplacement : settlingReading;
  return {
    code: is_decrease ? 'decreased' : 'implausible',
    meter_id: meter.id,
    meter_name: meter.name,
    reading_id,
    device_id,
    start_timestamp: row.previous_timestamp === null ? null : formatInstant(row.previous_timestamp),
    end_timestamp: formatInstant(reading_timestamp),
    figures: {
      ...NO_FIGURES,
      value: formatKwh(value_wh),
      previous_value: previous_value_wh === null ? null : formatKwh(previous_value_wh),
      consumption:
        is_decrease || row.previous_energy_wh === null
          ? null
          : formatKwh(row.energy_wh - row.previous_energy_wh),
    },
    detail,
    actions: settling(meter.id, entry_id, is_decrease),
  };
}

function excessItem(excess: Excess, from_ms: number, to_ms: number): Attention {
  const { code, detail } = exceeding(excess, from_ms, to_ms);
  const { id, name } = excess.parent;
  return {
    code: code as Attention['code'],
    meter_id: id,
    meter_name: name,
    reading_id: null,
    device_id: null,
    start_timestamp: formatInstant(from_ms),
    end_timestamp: formatInstant(to_ms),
    figures: { ...NO_FIGURES, imbalance: formatKwh(excess.imbalance_wh) },
    detail,
    actions: [
      { operation: 'listDevices', method: 'GET', url: `/api/meters/${id}/devices` },
      { operation: 'getHistory', method: 'GET', url: `/api/readings/meter/${id}/history` },
    ],
  };
}

/** A meter that usually would have been read by now; null if it is not overdue, or nobody can tell. */
function overdueItem(meter: MeterRow, instants_ms: readonly number[], now_ms: number): Attention | null {
  const usual_ms = usualInterval(instants_ms);
  const last_ms = instants_ms[0];
  if (usual_ms === null || last_ms === undefined || now_ms - last_ms <= OVERDUE_AFTER * usual_ms) return null;
  const days = (ms: number) => Math.round((ms / DAY_MS) * 10) / 10;
  return {
    code: 'overdue',
    meter_id: meter.id,
    meter_name: meter.name,
    reading_id: null,
    device_id: null,
    start_timestamp: formatInstant(last_ms),
    end_timestamp: null,
    figures: { ...NO_FIGURES, days: days(now_ms - last_ms), usual_days: days(usual_ms) },
    detail:
      `${meter.name} was last read ${days(now_ms - last_ms)} days ago, and usually is every ${days(usual_ms)} days: ` +
      'read it, or look after the device that should have sent a reading.',
    actions: [{ operation: 'createReading', method: 'POST', url: '/api/readings' }],
  };
}

/** A property as a member sees it, with all its meters, seen or not. */
export interface Watched {
  property: MemberProperty;
  meters: readonly MeterRow[];
}

const isMain = ({ meter_type }: MeterRow) => meter_type === 'main_meter';

/** Active meters with readings of their own that the member sees. */
function watchedMeters({ property, meters }: Watched): MeterRow[] {
  return meters.filter(
    ({ id, is_active, sub_meter_kind }) => is_active && sub_meter_kind !== 'virtual' && sees(property, id),
  );
}

/** Submeters against the meter above them, over the time before the main meter's last reading. */
async function excessItems(
  db: Db,
  watched: readonly Watched[],
  last: ReadonlyMap<number, readonly number[]>,
): Promise<Map<number, Attention[]>> {
  const asked = watched.flatMap(({ property, meters }) => {
    const main = meters.find((meter) => meter.is_active && isMain(meter));
    const end_ms = main && last.get(main.id)?.[0];
    // Where the main meter stands against its submeters is only for those who see all of them.
    if (end_ms === undefined || property.view.meter_ids !== null) return [];
    return [{ property, meters, instants_ms: [end_ms - COMPARED_MS, end_ms] }];
  });
  const questions = await askAll(db, asked);
  return new Map(
    questions.map((question) => {
      const [start_ms, end_ms] = question.instants_ms as [number, number];
      const { excesses } = between(question, 0, 1);
      return [question.property.id, excesses.map((excess) => excessItem(excess, start_ms, end_ms))];
    }),
  );
}

/**
 * Asks the database the same number of times, however many properties, meters and readings there are.
 * @returns for each property id, the most important first
 */
export async function findAttention(
  db: Db,
  watched: readonly Watched[],
  now_ms: number,
): Promise<Map<number, Attention[]>> {
  const all = watched.flatMap(watchedMeters);
  const by_id = new Map(all.map((meter) => [meter.id, meter]));
  const ids = all.map(({ id: meter_id, property_id }) => ({ property_id, meter_id }));
  const property_ids = watched.map(({ property }) => property.id);
  const flagged = (await store.flagged(db, property_ids)).filter(({ meter_id }) => by_id.has(meter_id));
  const flagged_of = Map.groupBy(flagged, ({ property_id }) => property_id);
  const last = await store.lastInstants(db, ids, JUDGED_INTERVALS + 1);
  const excesses = await excessItems(db, watched, last);
  const found = watched.map((each): [number, Attention[]] => {
    const { id } = each.property;
    const overdue = watchedMeters(each).map((meter) => overdueItem(meter, last.get(meter.id) ?? [], now_ms));
    const items = [
      ...(flagged_of.get(id) ?? []).map((row) => flaggedItem(row, by_id.get(row.meter_id)!)),
      ...(excesses.get(id) ?? []),
      ...overdue.filter((item) => item !== null),
    ];
    // Sorting keeps the order within a code: newest first.
    items.sort((a, b) => ATTENTION_CODES.indexOf(a.code) - ATTENTION_CODES.indexOf(b.code));
    return [id, items];
  });
  return new Map(found);
}
