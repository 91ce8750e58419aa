/** A property on the real server, and the list of what its ledger must hold. */
import { expect } from 'vitest';
import type { CallResult, Person, TestServer } from '../support/server.ts';
import * as model from './model.ts';
import type { Random } from './random.ts';
import * as story from './story.ts';

interface Meter {
  id: number;
  name: string;
  parent_meter_id: number | null;
  plausibility_factor: number | null;
}

export interface Household {
  server: TestServer;
  person: Person;
  random: Random;
  property_id: number;
  /** The main meter first. */
  meters: Meter[];
  /** What the ledger must hold, in the order in which it was written. */
  list: model.Line[];
  /** The batches that it was written in. */
  batches: number[];
}

export const iso = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');
const instant = (at: number | null) => (at === null ? null : iso(at));

/** Calls the server as the person who keeps the household. */
export function call(
  { server, person: { token } }: Household,
  method: string,
  path: string,
  body?: unknown,
): Promise<CallResult> {
  return server.call(method, path, { token, body });
}

export async function furnish(server: TestServer, person: Person, random: Random): Promise<Household> {
  const { id: property_id, main_meter_id } = await person.client.createProperty({
    body: { display_name: 'A house', timezone: random.pick(story.ZONES) },
  });
  const main = await person.client.getMeter({ meter_id: main_meter_id! });
  const household = { server, person, random, property_id, meters: [main], list: [], batches: [] };
  for (let i = random.percent(10) ? 0 : random.int(1, 4); i > 0; i--) {
    // Often below the main meter, sometimes below another submeter.
    const parent = random.percent(60) ? main : random.pick(household.meters);
    const device = random.percent(40) ? story.deviceOf(random) : null;
    const body = { property_id, name: `Submeter ${i}`, parent_meter_id: parent.id };
    const meter = await person.client.createSubmeter({ body: device ? { ...body, device } : body });
    household.meters.push(meter);
    if (device) {
      const { serial_number, ...said } = device;
      const first = model.line({ meter_id: meter.id, kind: 'device', serial: serial_number, ...said });
      await written(household, [first]);
    }
  }
  return household;
}

const meaning = (line: model.Line) => ({ ...line, id: 0, batch_id: 0 });
const inOrder = (a: model.Line, b: model.Line) =>
  a.meter_id - b.meter_id || (a.at ?? 0) - (b.at ?? 0) || (a.supersedes ?? 0) - (b.supersedes ?? 0);

/**
 * Holds what a call has written against what it must have written, to the last column: one batch with these lines, or
 * nothing at all. The list takes them over, with their numbers.
 */
export async function written(household: Household, lines: readonly model.Line[]): Promise<void> {
  const { server, property_id, list, batches } = household;
  const { read } = server.db;
  const of_property = ['property_id', '=', property_id] as const;
  const new_batches = await read
    .selectFrom('batches')
    .selectAll()
    .where(...of_property)
    .where('sequence', '>', batches.length)
    .execute();
  const rows = await read
    .selectFrom('ledger_entries')
    .selectAll()
    .where(...of_property)
    .where('id', '>', list.at(-1)?.id ?? 0)
    .orderBy('id')
    .execute();
  const added = rows.map(
    (row): model.Line => ({
      id: row.id,
      batch_id: row.batch_id,
      source: new_batches.find(({ id }) => id === row.batch_id)!.source as 'manual',
      meter_id: row.meter_id,
      kind: row.kind as model.Line['kind'],
      at: row.reading_timestamp,
      value: row.value_wh === null ? null : BigInt(row.value_wh),
      since: row.period_start,
      rollover: row.rollover_wh === null ? null : BigInt(row.rollover_wh),
      confirmed: row.confirmed === 1,
      initial: row.initial_value_wh === null ? null : BigInt(row.initial_value_wh),
      serial: row.serial_number,
      digits: row.digits,
      multiplier: row.multiplier,
      note: row.note,
      supersedes: row.supersedes_id,
      reason: row.reason,
    }),
  );
  expect(added.toSorted(inOrder).map(meaning)).toEqual(lines.toSorted(inOrder).map(meaning));
  expect(new_batches.map(({ sequence, entry_count }) => ({ sequence, entry_count }))).toEqual(
    lines.length === 0 ? [] : [{ sequence: batches.length + 1, entry_count: lines.length }],
  );
  list.push(...added);
  batches.push(...new_batches.map(({ id }) => id));
}

/** A refusal names one of the readings or devices that stand in the way. */
export function names(
  problem: { reading_id?: number; device_id?: number },
  in_the_way: readonly model.Line[],
): void {
  const { reading_id, device_id } = problem;
  const there = in_the_way.map(({ id, kind }) =>
    kind === 'device' ? { device_id: id } : { reading_id: id },
  );
  expect(there).toContainEqual(reading_id === undefined ? { device_id } : { reading_id });
}

/** A line as requests carry it. */
export const fieldsOf = ({ at, kind, value, since, note }: model.Dated) => ({
  reading_timestamp: iso(at),
  value: model.kwh(value)!,
  reading_type: kind,
  ...(since === null ? {} : { period_start: iso(since) }),
  ...(note === null ? {} : { note }),
});

/** A reading as answers carry it, in force or not; warnings by their codes. */
export function answerOf({ list, meters, person, property_id }: Household, line: model.Dated) {
  const meter = meters.find(({ id }) => id === line.meter_id)!;
  const row = model.book(list, meter.id, meter.plausibility_factor).find((each) => each.line.id === line.id);
  const flags = (['decreased', 'rolled_over', 'implausible'] as const).filter((flag) => row?.[flag]);
  return {
    id: line.id,
    property_id,
    meter_id: meter.id,
    meter_name: meter.name,
    reading_timestamp: iso(line.at),
    value: model.kwh(line.value),
    reading_type: line.kind,
    period_start: instant(line.since),
    note: line.note,
    photo_sha256: null,
    source: line.source,
    flags,
    recorded_by_user_id: person.id,
    recorded_by_api_key_id: null,
    batch_id: line.batch_id,
    supersedes_id: line.supersedes,
    superseded_by_id: model.successorOf(list, line)?.id ?? null,
    reason: line.reason,
    warnings: flags.filter((flag) => flag !== 'rolled_over').map((code) => `${code} ${meter.id} ${line.id}`),
  };
}

interface Warned {
  code: string;
  meter_id: number | null;
  reading_id: number | null;
  device_id: number | null;
}
export const namesOf = (warnings: readonly Warned[]) =>
  warnings.map(({ code, meter_id, reading_id, device_id }) =>
    [code, meter_id, reading_id, ...(device_id === null ? [] : ['device', device_id])].join(' '),
  );

/** An answer in the form of answerOf. */
export function plainly({ created_at, warnings, ...rest }: { created_at: string; warnings: Warned[] }) {
  return { ...rest, warnings: namesOf(warnings) };
}
