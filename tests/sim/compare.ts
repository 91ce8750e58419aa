/** What the ledger says of a property against what the model says of it. */
import { expect } from 'vitest';
import { type Projected, type Recorded, step } from '../../src/core/reading.ts';
import { type EntryIds, fieldsOf, type Household, iso, keyOf } from './household.ts';
import * as model from './model.ts';
import * as story from './story.ts';

const byMeter = (a: { meter_id: number | null }, b: { meter_id: number | null }) => a.meter_id! - b.meter_id!;

/** Figures of all meters over a period, as the answer must give them. */
function expected({ meters, list }: Household, start: number, end: number, boundary: model.Boundary) {
  const used = meters.map((meter) => ({
    meter,
    ...model.consumption(model.stretches(model.ofMeter(list, meter.id)), start, end, boundary),
  }));
  const main = used[0]!;
  const { total, unmetered, imbalance } = model.rest(
    main,
    used.filter(({ meter }) => meter.parent_meter_id === main.meter.id),
  );
  return {
    imbalance,
    totals: {
      main_meter_consumption: model.kwh(main.consumption),
      total_submetered_consumption: model.kwh(total),
      unmetered_consumption: model.kwh(unmetered),
      imbalance: model.kwh(imbalance),
      known_consumption: model.kwh(main.known),
      coverage: main.coverage,
      estimated: used.some(({ estimated }) => estimated),
    },
    submeters: used.slice(1).map(({ meter, consumption, known, coverage, estimated }) => ({
      meter_id: meter.id,
      name: meter.name,
      consumption: model.kwh(consumption),
      known_consumption: model.kwh(known),
      coverage,
      estimated,
    })),
  };
}

/** The warnings of a period: for each flagged reading whose unknown stretch reaches into it. */
function expectedDecreases({ meters, list }: Household, ids: EntryIds, start: number, end: number): string[] {
  return meters.flatMap(({ id }) =>
    model
      .decreases(model.ofMeter(list, id))
      .filter(({ from, to }) => from < end && to > start)
      .map(({ line }) => `decreased ${id} ${ids.get(keyOf(id, line.at))}`),
  );
}

const exceeding = ({ meters }: Household) => `submeters_exceed_main ${meters[0]!.id} null`;

const namesOf = (warnings: { code: string; meter_id: number; reading_id: number | null }[]) =>
  warnings.map(({ code, meter_id, reading_id }) => `${code} ${meter_id} ${reading_id}`).sort();

async function ask({ server, person }: Household, path: string, query: Record<string, string>) {
  const { status, body } = await server.call('GET', `${path}?${new URLSearchParams(query)}`, {
    token: person.token,
  });
  expect({ status, problem: status === 200 ? null : body }).toEqual({ status: 200, problem: null });
  return body;
}

function periodOf({ random, list }: Household): [number, number] {
  const [a, b] = [story.instantOf(random, list), story.instantOf(random, list)];
  if (a === b) return [a, a + 1];
  return a < b ? [a, b] : [b, a];
}

export async function compareConsumption(household: Household, ids: EntryIds): Promise<void> {
  const { random, property_id, meters, list } = household;
  const [start, end] = periodOf(household);
  const boundary = random.pick(['interpolate', 'exact'] as const);
  const body = await ask(household, `/api/readings/property/${property_id}/consumption`, {
    start_timestamp: iso(start),
    end_timestamp: iso(end),
    ...(boundary === 'interpolate' && random.percent(50) ? {} : { boundary }),
  });
  const { totals, submeters, imbalance } = expected(household, start, end, boundary);
  const registerAt = (meter_id: number, at: number) => {
    const line = list.find((each) => each.meter_id === meter_id && each.at === at);
    return line?.kind === 'absolute' ? model.kwh(line.value) : null;
  };
  const warnings = expectedDecreases(household, ids, start, end);
  if (imbalance !== null) warnings.push(exceeding(household));
  expect({
    ...body,
    submeters: body.submeters.toSorted(byMeter),
    warnings: namesOf(body.warnings),
  }).toEqual({
    property_id,
    start_timestamp: iso(start),
    end_timestamp: iso(end),
    ...totals,
    submeters: submeters.map((figures, i) => ({
      ...figures,
      location: null,
      parent_meter_id: meters[i + 1]!.parent_meter_id,
      start_value: registerAt(figures.meter_id, start),
      end_value: registerAt(figures.meter_id, end),
    })),
    warnings: warnings.sort(),
  });
}

const LONGEST_MS = { hour: 4 * 864e5, day: 60 * 864e5, week: Infinity, month: Infinity, year: Infinity };

/** Each bucket against the model, and all of them against the whole period. */
export async function compareSeries(household: Household, ids: EntryIds): Promise<void> {
  const { random, property_id } = household;
  const [start, whole_end] = periodOf(household);
  const interval = random.pick(['hour', 'day', 'week', 'month', 'year'] as const);
  const end = Math.min(whole_end, start + LONGEST_MS[interval]);
  const boundary = random.pick(['interpolate', 'exact'] as const);
  const body = await ask(household, `/api/properties/${property_id}/consumption/series`, {
    start_date: iso(start),
    end_date: iso(end),
    interval,
    boundary,
  });
  const warnings = expectedDecreases(household, ids, start, end);
  let from = start;
  for (const { start_timestamp, end_timestamp, submeters, ...totals } of body.buckets) {
    expect(start_timestamp).toBe(iso(from));
    const to = Date.parse(end_timestamp);
    const wanted = expected(household, from, to, boundary);
    expect(totals, `from ${start_timestamp} to ${end_timestamp}`).toEqual(wanted.totals);
    expect(submeters.toSorted(byMeter)).toEqual(wanted.submeters);
    if (wanted.imbalance !== null) warnings.push(exceeding(household));
    from = to;
  }
  expect(iso(from)).toBe(iso(end));
  expect(namesOf(body.warnings)).toEqual(warnings.sort());
  if (boundary === 'exact') return;

  const { totals, submeters } = expected(household, start, end, boundary);
  const sum = (parts: (string | null)[]) => {
    const known = parts.filter((part) => part !== null);
    return known.length === 0 ? null : model.kwh(known.reduce((all, part) => all + wh(part), 0n));
  };
  expect(sum(body.buckets.map((bucket: typeof totals) => bucket.known_consumption))).toBe(
    totals.known_consumption,
  );
  for (const { meter_id, known_consumption } of submeters) {
    const parts = body.buckets.map(
      (bucket: { submeters: typeof submeters }) =>
        bucket.submeters.find((figures) => figures.meter_id === meter_id)!.known_consumption,
    );
    expect(sum(parts)).toBe(known_consumption);
  }
}

/** kWh as it is written on the wire, in Wh. */
function wh(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(3, '0'));
}

export async function compareHistory(household: Household, ids: EntryIds): Promise<void> {
  const { random, property_id, meters, list } = household;
  const meter = random.pick(meters);
  const limit = random.pick([1, 7, 1000]);
  const offset = random.pick([0, 0, 3]);
  const body = await ask(household, `/api/readings/meter/${meter.id}/history`, {
    limit: String(limit),
    offset: String(offset),
  });
  const lines = model.ofMeter(list, meter.id);
  const down = model.decreases(lines).map(({ line }) => line);
  const items = lines.reverse().map((line) => {
    const id = ids.get(keyOf(meter.id, line.at));
    const is_down = down.includes(line);
    return {
      id,
      property_id,
      meter_id: meter.id,
      meter_name: meter.name,
      period_start: null,
      ...fieldsOf(line),
      flags: is_down ? ['decreased'] : [],
      warnings: is_down ? [`decreased ${meter.id} ${id}`] : [],
    };
  });
  expect({
    ...body,
    items: body.items.map((item: Record<string, unknown>) => {
      const { note, source, recorded_by_user_id, created_at, batch_id, warnings, ...rest } = item;
      return { ...rest, warnings: namesOf(warnings as never) };
    }),
  }).toEqual({ items: items.slice(offset, offset + limit), total: items.length, limit, offset });
}

/** The whole projection against the model, and against a fold of the ledger from its first entry on. */
export async function compareProjection({
  server,
  property_id,
  meters,
  list,
  batches,
}: Household): Promise<void> {
  const { read } = server.db;
  const stored = await read
    .selectFrom('readings')
    .selectAll()
    .where('property_id', '=', property_id)
    .orderBy('meter_id')
    .orderBy('reading_timestamp')
    .execute();
  const wanted = meters.flatMap(({ id }) => model.projection(model.ofMeter(list, id)));
  expect(stored.map(({ property_id: _, entry_id: __, ...row }) => row)).toEqual(wanted);

  const entries = await read
    .selectFrom('ledger_entries')
    .selectAll()
    .where('property_id', '=', property_id)
    .orderBy('meter_id')
    .orderBy('reading_timestamp')
    .execute();
  const previous = new Map<number, Projected>();
  const rebuilt = entries.map(({ id: entry_id, meter_id, is_relative, batch_id: _, note: __, ...entry }) => {
    const { property_id, ...read } = entry;
    const reading_type = is_relative ? ('relative' as const) : ('absolute' as const);
    const { reading_timestamp, value_wh, period_start } = read;
    const recorded: Recorded = { reading_timestamp, value_wh, period_start, reading_type };
    const row = step(previous.get(meter_id) ?? null, recorded);
    previous.set(meter_id, row);
    const { reading_type: ___, decreased, ...columns } = row;
    return { property_id, meter_id, entry_id, is_relative, ...columns, decreased: decreased ? 1 : 0 };
  });
  expect(rebuilt).toEqual(stored);

  // Every batch was written whole: its number follows the one before, and all its entries are there.
  const written = await read
    .selectFrom('batches')
    .selectAll()
    .where('property_id', '=', property_id)
    .orderBy('sequence')
    .execute();
  expect(written.map(({ sequence }) => sequence)).toEqual(Array.from({ length: batches }, (_, i) => i + 1));
  for (const { id, entry_count } of written) {
    expect(entries.filter(({ batch_id }) => batch_id === id)).toHaveLength(entry_count);
  }
}
