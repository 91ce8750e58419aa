import type { Static } from 'typebox';
import type * as contract from '../../contract/attention.ts';
import { ATTENTION_CODES, type Attention } from '../../contract/attention.ts';
import { usualInterval } from '../../core/interval.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import { ask, between, type Excess, exceeding } from '../consumption/question.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Db } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import { READING_TYPES } from '../projection/store.ts';
import { openProperty } from '../properties/access.ts';
import type { PropertyRow } from '../properties/store.ts';
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
async function overdueItem(
  db: Db,
  property_id: number,
  meter: MeterRow,
  now_ms: number,
): Promise<Attention | null> {
  const instants = await store.lastInstants(db, property_id, meter.id, JUDGED_INTERVALS + 1);
  const usual_ms = usualInterval(instants);
  const last_ms = instants[0];
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

/** Submeters against the meter above them, over the time before the main meter's last reading. */
async function excessItems(db: Db, property: PropertyRow, main: MeterRow): Promise<Attention[]> {
  const [end_ms] = await store.lastInstants(db, property.id, main.id, 1);
  if (end_ms === undefined) return [];
  const start_ms = end_ms - COMPARED_MS;
  const { excesses } = between(await ask(db, property, [start_ms, end_ms]), 0, 1);
  return excesses.map((excess) => excessItem(excess, start_ms, end_ms));
}

export async function listAttention(
  { db, clock }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.listAttention.query>,
): Promise<Listed<Attention>> {
  const property = await openProperty(db.read, caller, property_id);
  const meters = (await metersOf(db.read, property_id)).filter(
    ({ is_active, sub_meter_kind }) => is_active && sub_meter_kind !== 'virtual',
  );
  const by_id = new Map(meters.map((meter) => [meter.id, meter]));
  const items = (await store.flagged(db.read, property_id, [...by_id.keys()])).map((row) =>
    flaggedItem(row, by_id.get(row.meter_id)!),
  );
  const main = meters.find(({ meter_type }) => meter_type === 'main_meter');
  if (main) items.push(...(await excessItems(db.read, property, main)));
  for (const meter of meters) {
    const item = await overdueItem(db.read, property_id, meter, clock());
    if (item) items.push(item);
  }
  // Sorting keeps the order within a code: newest first.
  items.sort((a, b) => ATTENTION_CODES.indexOf(a.code) - ATTENTION_CODES.indexOf(b.code));
  const { limit, offset } = query;
  return listed(items.slice(offset, offset! + limit!), items.length, query);
}
