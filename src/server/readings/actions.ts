import type { Static } from 'typebox';
import type * as contract from '../../contract/readings.ts';
import type { Reading, Revision, Summary } from '../../contract/readings.ts';
import { asRecorded } from '../../core/reading.ts';
import { fold, tidy } from '../../core/text.ts';
import { formatInstant, parseInstant } from '../../core/time.ts';
import { formatKwh, parseKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Db } from '../db/tables.ts';
import { together } from '../db/together.ts';
import type { Deps } from '../deps.ts';
import { invalid, notFound } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { type CursorListed, cursorPage, startOf } from '../http/cursor.ts';
import { parsed, parsePeriod } from '../http/input.ts';
import { findEntry, lineage } from '../ledger/store.ts';
import { openMeter, requireRecordable, visibleMeters } from '../meters/access.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import { openProperty, openPropertyOf, requireActive, sees } from '../properties/access.ts';
import { lockProperty, type MemberProperty } from '../properties/store.ts';
import { presentReading, presentRevision } from './present.ts';
import { type NewReading, record } from './record.ts';
import { presentRecorded, recordOne } from './single.ts';
import * as store from './store.ts';

export async function createReading(
  { db, clock }: Deps,
  caller: Caller,
  { meter_id, ...said }: Static<typeof contract.createReading.body>,
): Promise<Outcome<Reading>> {
  const author = { caller, source: 'manual' as const, now_ms: clock() };
  return db.write((tx) => recordOne(tx, author, meter_id, said));
}

/** The meter that a name in a round means. */
function namedMeter(property: MemberProperty, meters: readonly MeterRow[], name: string): MeterRow {
  const folded = fold(tidy(name));
  const named = meters.filter((meter) => meter.name_folded === folded && meter.meter_type === 'sub_meter');
  const meter = named.find(({ is_active }) => is_active) ?? named[0];
  if (!meter) throw notFound(`submeter named ${name} in ${property.display_name}`);
  requireRecordable({ meter, property }, `submeter_readings.${name}`);
  return meter;
}

export async function createReadings(
  { db, clock }: Deps,
  caller: Caller,
  body: Static<typeof contract.createReadings.body>,
): Promise<Outcome<Listed<Reading>>> {
  const reading_timestamp = parsed(parseInstant(body.reading_timestamp));
  const reading_type = body.reading_type ?? 'absolute';
  const toNew = (value: string | number): NewReading => ({
    ...asRecorded(reading_type, reading_timestamp, parsed(parseKwh(value))),
    note: null,
    place: '',
  });
  return db.write(async (tx) => {
    const [, property, meters] = await together([
      lockProperty(tx, body.property_id),
      openProperty(tx, caller, body.property_id),
      metersOf(tx, body.property_id),
    ]);
    requireActive(property);
    const main = meters.find(({ id }) => id === property.main_meter_id);
    if (!main) throw notFound(`main meter in ${property.display_name}`);
    const round = new Map([[main, [toNew(body.main_meter_value)]]]);
    const paths = new Map([[main, 'main_meter_value']]);
    for (const [name, value] of Object.entries(body.submeter_readings)) {
      const meter = namedMeter(property, meters, name);
      if (round.has(meter)) {
        throw invalid([{ path: `submeter_readings.${name}`, message: `names ${meter.name} a second time` }]);
      }
      round.set(meter, [toNew(value)]);
      paths.set(meter, `submeter_readings.${name}`);
    }
    const author = { caller, source: 'manual' as const, now_ms: clock() };
    const recorded = await record(tx, property.id, author, round, (meter) => paths.get(meter)!);
    const items = await presentRecorded(tx, author, recorded);
    return { created: recorded.batch_id !== null, body: listed(items, items.length, {}) };
  });
}

export async function getReading({ db }: Deps, caller: Caller, reading_id: number): Promise<Reading> {
  const [row] = await store.entriesById(db.read, [reading_id]);
  if (!row || row.kind === 'void') throw notFound('such reading');
  await openPropertyOf(db.read, caller, row, 'reading');
  return presentReading(row);
}

/** What a member may see of what the meters of a property showed at one instant. */
function summarise(
  property: MemberProperty,
  meters: readonly MeterRow[],
  instant_ms: number,
  rows: readonly store.EntryRow[],
): Summary {
  const at = new Map(rows.map((row) => [row.meter_id, row]));
  const value = ({ meter_id, meter_name, location, value_wh, id }: store.EntryRow) => ({
    meter_id,
    name: meter_name,
    location,
    value: formatKwh(value_wh),
    reading_id: id,
  });
  const main = property.main_meter_id === null ? undefined : at.get(property.main_meter_id);
  const children = meters.filter(
    (meter) =>
      meter.parent_meter_id === property.main_meter_id &&
      meter.is_active &&
      meter.sub_meter_kind === 'physical',
  );
  const child_rows = children.map(({ id }) => at.get(id));
  const comparable = main && child_rows.every((row) => row?.kind === main.kind);
  const rest_wh = comparable ? child_rows.reduce((rest, row) => rest - row!.value_wh, main.value_wh) : -1;
  const { totals } = property.view;
  const submeters = rows.filter(
    ({ meter_id }) => meter_id !== property.main_meter_id && sees(property, meter_id),
  );
  return {
    property_id: property.id,
    reading_timestamp: formatInstant(instant_ms),
    main_meter: main && (totals || sees(property, main.meter_id)) ? value(main) : null,
    submeters: submeters.map(value),
    unmetered: totals && rest_wh >= 0 ? formatKwh(rest_wh) : null,
  };
}

export async function getSummary(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.getSummary.query>,
): Promise<Summary> {
  const property = await openProperty(db.read, caller, property_id);
  const instant_ms = parsed(parseInstant(query.reading_timestamp));
  const rows = await store.entriesAt(db.read, property_id, instant_ms);
  return summarise(property, await metersOf(db.read, property_id), instant_ms, rows);
}

export async function getLatest({ db }: Deps, caller: Caller, property_id: number): Promise<Summary> {
  const property = await openProperty(db.read, caller, property_id);
  const meters = await metersOf(db.read, property_id);
  const read = meters.filter(({ id, is_active }) => is_active && sees(property, id)).map(({ id }) => id);
  const instant_ms = await store.latestInstant(db.read, property_id, read);
  if (instant_ms === null) {
    return { property_id, reading_timestamp: null, main_meter: null, submeters: [], unmetered: null };
  }
  const rows = await store.entriesAt(db.read, property_id, instant_ms);
  return summarise(property, meters, instant_ms, rows);
}

/** Newest first; of entries at one instant the one recorded last. */
function newestFirst(a: store.EntryRow, b: store.EntryRow): number {
  return b.reading_timestamp - a.reading_timestamp || b.id - a.id;
}

export async function getHistory(
  { db }: Deps,
  caller: Caller,
  meter_id: number,
  query: Static<typeof contract.getHistory.query>,
): Promise<CursorListed<Reading>> {
  const { meter } = await openMeter(db.read, caller, meter_id);
  const { property_id } = meter;
  const { include_superseded = false } = query;
  const question = ['history', meter_id, include_superseded];
  const start = startOf(query, question, 2);
  const [limit, offset] = [query.limit! + 1, query.offset!];
  const keyOf = ({ reading_timestamp, id }: store.EntryRow) => [reading_timestamp, id];
  const after = start?.key;
  if (!include_superseded) {
    const rows = await store.history(db.read, property_id, meter_id, { limit, offset, after });
    const total = start?.total ?? (await store.countHistory(db.read, property_id, meter_id));
    return cursorPage(rows, total, query, question, keyOf, presentReading);
  }
  // Few are superseded: they are put among those in force here. At the cursor's instant there may be more of them.
  const from = after && [after[0]! + 1];
  const slice = { limit: limit + offset + 1, offset: 0, after: from };
  const in_force = await store.history(db.read, property_id, meter_id, slice);
  const old = await store.supersededEntries(db.read, meter_id);
  const isAfter = ({ reading_timestamp, id }: store.EntryRow) =>
    !after || reading_timestamp < after[0]! || (reading_timestamp === after[0] && id < after[1]!);
  const total = start?.total ?? (await store.countHistory(db.read, property_id, meter_id)) + old.length;
  const rows = [...in_force, ...old]
    .filter(isAfter)
    .sort(newestFirst)
    .slice(offset, offset + limit);
  return cursorPage(rows, total, query, question, keyOf, presentReading);
}

export async function listRevisions(
  { db }: Deps,
  caller: Caller,
  reading_id: number,
  { limit, offset }: Static<typeof contract.listRevisions.query>,
): Promise<Listed<Revision>> {
  const entry = await findEntry(db.read, reading_id);
  if (!entry || entry.kind === 'device') throw notFound('such reading');
  await openPropertyOf(db.read, caller, entry, 'reading');
  const rows = await store.entriesById(db.read, await lineage(db.read, reading_id));
  return listed(rows.slice(offset, offset! + limit!).map(presentRevision), rows.length, {
    limit: limit!,
    offset: offset!,
  });
}

/** @param what names the question, for the cursor */
async function rangeOf(
  db: Db,
  ranged: store.Ranged,
  query: Static<typeof contract.getMeterRange.query>,
  what: unknown[],
): Promise<CursorListed<Reading>> {
  const question = ['range', ...what, ranged.start_ms, ranged.end_ms];
  const start = startOf(query, question, 2);
  const slice = { limit: query.limit! + 1, offset: query.offset!, after: start?.key };
  const rows = await store.range(db, ranged, slice);
  const total = start?.total ?? (await store.countRange(db, ranged));
  const keyOf = ({ reading_timestamp, meter_id }: store.EntryRow) => [reading_timestamp, meter_id];
  return cursorPage(rows, total, query, question, keyOf, presentReading);
}

export async function getMeterRange(
  { db }: Deps,
  caller: Caller,
  meter_id: number,
  query: Static<typeof contract.getMeterRange.query>,
): Promise<CursorListed<Reading>> {
  const { property } = await openMeter(db.read, caller, meter_id);
  const period = parsePeriod(query, property.timezone);
  const ranged = { property_id: property.id, meter_ids: [meter_id], ...period };
  return rangeOf(db.read, ranged, query, ['meter', meter_id]);
}

export async function getPropertyRange(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.getPropertyRange.query>,
): Promise<CursorListed<Reading>> {
  const property = await openProperty(db.read, caller, property_id);
  const period = parsePeriod(query, property.timezone);
  const meters = (await visibleMeters(db.read, property)).filter(({ is_active }) => is_active);
  const meter_ids = meters.map(({ id }) => id);
  return rangeOf(db.read, { property_id, meter_ids, ...period }, query, ['property', property_id]);
}
