/** What the ledger says of a property against what the model says of it. */
import { expect } from 'vitest';
import { answerOf, call, type Household, iso, namesOf, plainly } from './household.ts';
import * as model from './model.ts';
import { rebuild } from './rebuild.ts';
import * as story from './story.ts';

const byMeter = (a: { meter_id: number | null }, b: { meter_id: number | null }) => a.meter_id! - b.meter_id!;

type Books = Map<number, model.Row[]>;
const booksOf = ({ meters, list }: Household): Books =>
  new Map(meters.map(({ id, plausibility_factor }) => [id, model.book(list, id, plausibility_factor)]));

/** Figures of all meters over a period, as the answer must give them. */
function expected({ meters }: Household, books: Books, start: number, end: number, boundary: model.Boundary) {
  const used = meters.map((meter) => ({
    meter,
    ...model.consumption(books.get(meter.id)!, start, end, boundary),
  }));
  const below = (id: number) => used.filter(({ meter }) => meter.parent_meter_id === id);
  const restOf = (each: (typeof used)[number]) => model.rest(each, below(each.meter.id));
  const main = used[0]!;
  const { total, unmetered, imbalance } = restOf(main);
  const exceeded = used.filter((each) => restOf(each).imbalance !== null);
  return {
    exceeded: exceeded.map(
      (each) => `submeters_exceed_${each === main ? 'main' : 'parent'} ${each.meter.id} `,
    ),
    totals: {
      main_meter_consumption: model.kwh(main.consumption),
      total_submetered_consumption: model.kwh(total),
      unmetered_consumption: model.kwh(unmetered),
      imbalance: model.kwh(imbalance),
      known_consumption: model.kwh(main.known),
      coverage: main.coverage,
      estimated: used.some(({ estimated }) => estimated),
    },
    submeters: used.slice(1).map((each) => ({
      meter_id: each.meter.id,
      name: each.meter.name,
      consumption: model.kwh(each.consumption),
      known_consumption: model.kwh(each.known),
      coverage: each.coverage,
      estimated: each.estimated,
      unmetered_consumption: below(each.meter.id).length === 0 ? null : model.kwh(restOf(each).unmetered),
    })),
  };
}

const warningOf = (code: string, { meter_id, kind, id }: model.Line) =>
  kind === 'device' ? `${code} ${meter_id}  device ${id}` : `${code} ${meter_id} ${id}`;

/** The warnings of a period: for each flagged reading whose unknown stretch reaches into it. */
function expectedDecreases({ meters }: Household, books: Books, start: number, end: number): string[] {
  return meters.flatMap(({ id }) =>
    books.get(id)!.flatMap(({ line, decreased }, i, rows) => {
      const reaches = decreased && rows[i - 1]!.line.at < end && line.at > start;
      return reaches ? [warningOf('decreased', line)] : [];
    }),
  );
}

async function ask(household: Household, path: string, query: Record<string, string> = {}) {
  const { status, body } = await call(household, 'GET', `${path}?${new URLSearchParams(query)}`);
  expect({ status, problem: status === 200 ? null : body }).toEqual({ status: 200, problem: null });
  return body;
}

function periodOf({ random, list }: Household): [number, number] {
  const [a, b] = [story.instantOf(random, list), story.instantOf(random, list)];
  if (a === b) return [a, a + 1];
  return a < b ? [a, b] : [b, a];
}

export async function compareConsumption(household: Household): Promise<void> {
  const { random, property_id, meters } = household;
  const books = booksOf(household);
  const [start, end] = periodOf(household);
  const boundary = random.pick(['interpolate', 'exact'] as const);
  const body = await ask(household, `/api/readings/property/${property_id}/consumption`, {
    start_timestamp: iso(start),
    end_timestamp: iso(end),
    ...(boundary === 'interpolate' && random.percent(50) ? {} : { boundary }),
  });
  const { totals, submeters, exceeded } = expected(household, books, start, end, boundary);
  const registerAt = (meter_id: number, at: number) => {
    const line = books.get(meter_id)!.find((row) => row.line.at === at)?.line;
    return line?.kind === 'absolute' ? model.kwh(line.value) : null;
  };
  const warnings = expectedDecreases(household, books, start, end);
  warnings.push(...exceeded);
  expect({
    ...body,
    submeters: body.submeters.toSorted(byMeter),
    warnings: namesOf(body.warnings).sort(),
  }).toMatchObject({
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
export async function compareSeries(household: Household): Promise<void> {
  const { random, property_id } = household;
  const books = booksOf(household);
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
  const warnings = expectedDecreases(household, books, start, end);
  let from = start;
  for (const { start_timestamp, end_timestamp, submeters, ...totals } of body.buckets) {
    expect(start_timestamp).toBe(iso(from));
    const to = Date.parse(end_timestamp);
    const wanted = expected(household, books, from, to, boundary);
    expect(totals, `from ${start_timestamp} to ${end_timestamp}`).toMatchObject(wanted.totals);
    expect(submeters.toSorted(byMeter)).toMatchObject(wanted.submeters);
    warnings.push(...wanted.exceeded);
    from = to;
  }
  expect(iso(from)).toBe(iso(end));
  expect(namesOf(body.warnings).sort()).toEqual(warnings.sort());
  if (boundary === 'exact') return;

  const { totals, submeters } = expected(household, books, start, end, boundary);
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

export async function compareHistory(household: Household): Promise<void> {
  const { random, meters, list } = household;
  const meter = random.pick(meters);
  const limit = random.pick([1, 7, 1000]);
  const offset = random.pick([0, 0, 3]);
  const superseded = random.percent(50);
  const body = await ask(household, `/api/readings/meter/${meter.id}/history`, {
    limit: String(limit),
    offset: String(offset),
    ...(superseded || random.percent(50) ? { include_superseded: String(superseded) } : {}),
  });
  const lines = (superseded ? list : model.inForce(list))
    .filter((line) => line.meter_id === meter.id)
    .filter(model.isReading)
    .sort((a, b) => b.at - a.at || b.id - a.id);
  const { next_cursor, ...page } = body;
  expect({ ...page, items: page.items.map(plainly) }).toEqual({
    items: lines.slice(offset, offset + limit).map((line) => answerOf(household, line)),
    total: lines.length,
    limit,
    offset,
  });
  const rest = lines.slice(offset + limit);
  expect(next_cursor === null).toBe(rest.length === 0);
  if (next_cursor === null) return;
  const next = await ask(household, `/api/readings/meter/${meter.id}/history`, {
    limit: '1000',
    cursor: next_cursor,
    include_superseded: String(superseded),
  });
  expect(next.items.map(plainly)).toEqual(rest.map((line) => answerOf(household, line)));
}

/** One reading, in force or not, and everything that was ever said in its place. */
export async function compareReading(household: Household): Promise<void> {
  const { random, list } = household;
  if (list.length === 0) return;
  const line = random.pick(list);
  const reading = await call(household, 'GET', `/api/readings/${line.id}`);
  if (model.isReading(line)) expect(plainly(reading.body)).toEqual(answerOf(household, line));
  else expect(reading.status).toBe(404);
  if (line.kind === 'device') return;
  const { items } = await ask(household, `/api/readings/${line.id}/revisions`);
  const trail = model.trail(list, line);
  // A device that was struck out is no reading's trail.
  if (trail.some(({ kind }) => kind === 'device')) return;
  const meant = ({ id, kind, since, note, reason, supersedes, batch_id }: model.Line) =>
    ({
      id,
      kind,
      period_start: since === null ? null : iso(since),
      note,
      reason,
      supersedes_id: supersedes,
      batch_id,
    }) as const;
  expect(items).toMatchObject(trail.map(meant));
  expect(items).toHaveLength(trail.length);
}

export async function compareDevices(household: Household): Promise<void> {
  const { random, list, meters } = household;
  const meter = random.pick(meters);
  const rows = model.book(list, meter.id, meter.plausibility_factor);
  const devices = model.devicesOf(list, meter.id);
  const instant = (at: number | null | undefined) => (typeof at === 'number' ? iso(at) : null);
  if (devices[0]?.at !== null)
    devices.unshift(model.line({ meter_id: meter.id, kind: 'device', multiplier: 1 }));
  const items = devices.map(({ id, at, serial, digits, multiplier, initial, reason }, i) => ({
    id: id === 0 ? null : id,
    meter_id: meter.id,
    serial_number: serial,
    digits,
    multiplier,
    installed_at: instant(at),
    removed_at: instant(devices[i + 1]?.at),
    initial_value: model.kwh(initial),
    final_value: model.kwh(devices[i + 1]?.value ?? null),
    reason,
    warnings: rows
      .filter(({ line }) => line.id === id)
      .flatMap((row) => (['decreased', 'implausible'] as const).filter((flag) => row[flag]))
      .map((flag) => `${flag} ${meter.id}  device ${id}`),
  }));
  const body = await ask(household, `/api/meters/${meter.id}/devices`);
  const plain = body.items.map(({ warnings, ...rest }: { warnings: [] }) => ({
    ...rest,
    warnings: namesOf(warnings),
  }));
  expect(plain).toEqual(items);
}

/** The whole projection against the model, and against a fold of the entries in force from the first one on. */
export async function compareProjection({ server, property_id, meters, list }: Household): Promise<void> {
  const { read } = server.db;
  const of_property = ['property_id', '=', property_id] as const;
  const stored = await read
    .selectFrom('readings')
    .selectAll()
    .where(...of_property)
    .orderBy('meter_id')
    .orderBy('reading_timestamp')
    .execute();
  const wanted = meters.flatMap((meter) => model.projection(list, meter.id, meter.plausibility_factor));
  expect(stored).toEqual(wanted.map((row) => ({ property_id, ...row })));
  const entries = await read
    .selectFrom('ledger_entries')
    .selectAll()
    .where(...of_property)
    .execute();
  const rows = await read
    .selectFrom('meters')
    .selectAll()
    .where(...of_property)
    .execute();
  expect(rebuild(rows, entries)).toEqual(stored);
}

/** The chain holds, and it is as long as what was written. */
export async function compareChain(household: Household): Promise<void> {
  const { property_id, list, batches } = household;
  const body = await ask(household, `/api/properties/${property_id}/ledger/verify`);
  expect(body).toMatchObject({
    ...{ property_id, verified: true, fault: null, batches: batches.length, entries: list.length },
    head: batches.length === 0 ? null : { sequence: batches.length },
  });
  const { items, total } = await ask(household, `/api/properties/${property_id}/ledger`, { limit: '1000' });
  expect(total).toBe(batches.length);
  expect(
    items.map(({ id, sequence, entry_count }: Record<string, number>) => [id, sequence, entry_count]),
  ).toEqual(
    batches.map((id, i) => [id, i + 1, list.filter(({ batch_id }) => batch_id === id).length]).reverse(),
  );
}

/** Asks the ledger for everything there is to ask. */
export async function compareAll(household: Household): Promise<void> {
  await compareProjection(household);
  await compareConsumption(household);
  await compareSeries(household);
  await compareHistory(household);
  await compareReading(household);
  await compareDevices(household);
  await compareChain(household);
}
