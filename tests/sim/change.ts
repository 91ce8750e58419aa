/** Changes what the ledger holds: corrections, voids, settlements, devices, undo; and the model's judgement of each. */
import { expect } from 'vitest';
import type { CallResult } from '../support/server.ts';
import { answerOf, call, type Household, iso, names, plainly, written } from './household.ts';
import * as model from './model.ts';
import * as story from './story.ts';

const MINUTE_MS = 60_000;

/** Holds a refusal against the model's, and that it has changed nothing. */
async function refused(
  household: Household,
  { status, body }: CallResult,
  code: string,
  named: readonly model.Line[] | null = null,
): Promise<void> {
  expect({ status: status >= 500 ? body : 'refused', code: body.code }).toEqual({ status: 'refused', code });
  if (named) names(body, named);
  await written(household, []);
}

/** Holds one line that a call adds, or its refusal, against the answer. @returns whether it was added */
async function added(household: Household, answer: CallResult, line: model.Line, success: number) {
  const obstacle = model.obstacle(household.list, [line]);
  if (obstacle) {
    await refused(household, answer, obstacle.refusal, obstacle.in_the_way);
    return false;
  }
  expect(answer).toMatchObject({ status: success });
  await written(household, [line]);
  return true;
}

const pickReason = ({ random }: Household) =>
  random.percent(50) ? random.pick(['a slip', 'på begäran']) : null;
const said = (reason: string | null) => (reason === null ? {} : { reason });

/** A reading to change: mostly one in force, often one that is flagged; now and then any entry at all. */
function pickEntry({ random, list, meters }: Household): model.Line | undefined {
  if (list.length === 0) return undefined;
  if (random.percent(8)) return random.pick(list);
  if (random.percent(30)) {
    const flagged = meters
      .flatMap((meter) => model.book(list, meter.id, meter.plausibility_factor))
      .filter(({ decreased, implausible }) => decreased || implausible)
      .map(({ line }) => line);
    if (flagged.length > 0) return random.pick(flagged);
  }
  const readings = model.inForce(list).filter(model.isReading);
  return readings.length === 0 ? undefined : random.pick(readings);
}

/** Whether an entry is a reading in force; if not, the call must say so. */
async function isOpen(household: Household, answer: CallResult, line: model.Line): Promise<boolean> {
  if (!model.isReading(line)) {
    await refused(household, answer, 'not_found');
    return false;
  }
  const latest = model.trail(household.list, line).at(-1)!;
  if (latest === line) return true;
  await refused(household, answer, 'reading_superseded');
  // It names what is in force instead, if there is something.
  expect(answer.body.reading_id).toBe(model.isReading(latest) ? latest.id : undefined);
  return false;
}

/** What takes the place of a line. */
const next = (line: model.Line, changes: Partial<model.Line>): model.Line => ({
  ...line,
  ...{ id: 0, batch_id: 0, source: 'manual', supersedes: line.id },
  ...changes,
});

/** Holds the answer, a reading, against the line that was added last. */
function answersNewest(household: Household, { body }: CallResult): void {
  expect(plainly(body)).toEqual(answerOf(household, household.list.at(-1) as model.Dated));
}

async function correct(household: Household): Promise<void> {
  const { random, list } = household;
  const line = pickEntry(household);
  if (!line) return;
  const changes: Partial<model.Line> = { reason: random.pick(['a slip', 'på begäran']) };
  if (random.percent(60)) {
    const value = line.value ?? 0n;
    const another = [
      value / 10n,
      value * 3n,
      value + BigInt(random.int(0, 5000)),
      BigInt(random.int(0, 900_000)),
    ];
    changes.value = random.pick(another);
    Object.assign(changes, { rollover: null, confirmed: false });
  }
  if (random.percent(40)) {
    const apart = random.pick([
      -1,
      1,
      -MINUTE_MS,
      60 * MINUTE_MS,
      -7 * 1440 * MINUTE_MS,
      3 * 1440 * MINUTE_MS,
    ]);
    changes.at = random.percent(50) ? (line.at ?? 0) + apart : story.instantOf(random, list);
  }
  if (random.percent(30)) changes.note = random.percent(30) ? null : 'Read again';
  const { value, at, note, reason } = changes;
  const answer = await call(household, 'PATCH', `/api/readings/${line.id}`, {
    ...(value === undefined ? {} : { value: model.kwh(value) }),
    ...(at === undefined ? {} : { reading_timestamp: iso(at!) }),
    ...(note === undefined ? {} : { note }),
    reason,
  });
  if (value === undefined && at === undefined && note === undefined) {
    return refused(household, answer, 'validation_failed');
  }
  if (!(await isOpen(household, answer, line))) return;
  const corrected = next(line, changes);
  if (corrected.since !== null && corrected.since >= corrected.at!) {
    return refused(household, answer, 'validation_failed');
  }
  if (await added(household, answer, corrected, 200)) answersNewest(household, answer);
}

async function strike(household: Household): Promise<void> {
  const line = pickEntry(household);
  if (!line) return;
  const reason = pickReason(household);
  const answer = await call(
    household,
    'DELETE',
    `/api/readings/${line.id}${reason === null ? '' : `?${new URLSearchParams({ reason })}`}`,
  );
  if (!(await isOpen(household, answer, line))) return;
  const struck = model.line({ meter_id: line.meter_id, kind: 'void', supersedes: line.id, reason });
  await added(household, answer, struck, 204);
}

async function rollover(household: Household): Promise<void> {
  const { random, list, meters } = household;
  const rows = meters.flatMap((meter) => model.book(list, meter.id, meter.plausibility_factor));
  const down = rows.filter(({ decreased }) => decreased).map(({ line }) => line);
  const line = down.length > 0 && random.percent(70) ? random.pick(down) : pickEntry(household);
  if (!line) return;
  const reason = pickReason(household);
  const digits = random.percent(60) ? random.int(1, 6) : undefined;
  const answer = await call(household, 'POST', `/api/readings/${line.id}/rollover`, {
    digits,
    ...said(reason),
  });
  if (!(await isOpen(household, answer, line))) return;
  const device = model.devicesOf(list, line.meter_id).findLast(({ at }) => at === null || at < line.at!);
  const counted = digits ?? device?.digits ?? null;
  if (counted === null) return refused(household, answer, 'validation_failed');
  const settled = next(line, { rollover: 10n ** BigInt(counted + 3), reason });
  const meter = meters.find(({ id }) => id === line.meter_id)!;
  const settled_rows = model.book([...list, settled], meter.id, meter.plausibility_factor);
  const explained = settled_rows.some((row) => row.line === settled && row.rolled_over);
  if (!explained) return refused(household, answer, 'validation_failed');
  if (await added(household, answer, settled, 201)) answersNewest(household, answer);
}

async function confirm(household: Household): Promise<void> {
  const line = pickEntry(household);
  if (!line) return;
  const reason = pickReason(household);
  const answer = await call(household, 'POST', `/api/readings/${line.id}/confirm`, said(reason));
  if (!(await isOpen(household, answer, line))) return;
  const confirmed = next(line, { confirmed: true, reason });
  if (await added(household, answer, confirmed, 201)) answersNewest(household, answer);
}

/** Says what the device of a meter is, or corrects what was said. */
async function describe(household: Household): Promise<void> {
  const { random, list, meters } = household;
  // Often one of which something was said that does not hold any more.
  const struck = list.filter(
    (line) => line.kind === 'device' && model.successorOf(list, line)?.kind === 'void',
  );
  const { meter_id } =
    struck.length > 0 && random.percent(40) ? random.pick(struck) : { meter_id: random.pick(meters).id };
  const { serial_number, digits, multiplier } = story.deviceOf(random);
  const reason = pickReason(household);
  const sent = {
    ...(random.percent(50) ? { serial_number } : {}),
    ...(random.percent(60) ? { digits } : {}),
    ...(random.percent(30) ? { multiplier } : {}),
    ...said(reason),
  };
  const answer = await call(household, 'PATCH', `/api/meters/${meter_id}/device`, sent);
  if (Object.keys(sent).length === 0) return refused(household, answer, 'validation_failed');
  const current =
    model.devicesOf(list, meter_id).at(-1) ?? model.line({ meter_id, kind: 'device', multiplier: 1 });
  const described = next(current, {
    ...('serial_number' in sent ? { serial: serial_number } : {}),
    ...('digits' in sent ? { digits } : {}),
    ...('multiplier' in sent ? { multiplier } : {}),
    supersedes: current.id === 0 ? null : current.id,
    reason,
  });
  await added(household, answer, described, 200);
}

/** Records that a device was replaced. */
export async function replace(household: Household, device: model.Dated): Promise<void> {
  const { random, list } = household;
  const { meter_id, at, value, initial, serial, digits } = device;
  const before = model.devicesOf(list, meter_id).findLast((each) => each.at === null || each.at < at);
  const keeps = random.percent(40);
  const multiplier = keeps ? (before?.multiplier ?? 1) : device.multiplier;
  const reason = pickReason(household);
  const answer = await call(household, 'POST', `/api/meters/${meter_id}/replacements`, {
    replaced_at: iso(at),
    final_value: model.kwh(value),
    initial_value: model.kwh(initial),
    serial_number: serial,
    ...(digits === null && random.percent(50) ? {} : { digits }),
    ...(keeps ? {} : { multiplier }),
    ...said(reason),
  });
  await added(household, answer, { ...device, multiplier, reason }, 201);
}

/** A replacement that no plan has foreseen: between readings that are there, or at the very instant of one. */
async function replaceSomewhere(household: Household): Promise<void> {
  const { random, list, meters } = household;
  const { id: meter_id } = random.pick(meters);
  const lines = model.ofMeter(list, meter_id);
  const at = story.instantOf(random, lines);
  const { serial_number: serial, digits, multiplier } = story.deviceOf(random);
  const shown = lines.findLast((line) => line.at < at)?.value ?? 0n;
  const value = random.percent(80) ? shown + BigInt(random.int(0, 9000)) : BigInt(random.int(0, 900_000));
  const initial = BigInt(random.int(0, 90_000));
  const device = { serial, digits, multiplier, value, initial, at };
  await replace(household, model.line({ meter_id, kind: 'device', ...device }) as model.Dated);
}

async function undoReplacement(household: Household): Promise<void> {
  const { random, list } = household;
  const all = list.filter(({ kind }) => kind === 'device');
  const in_force = model.inForce(all);
  const device =
    random.percent(80) && in_force.length > 0 ? random.pick(in_force) : all.length > 0 && random.pick(all);
  if (!device) return;
  const { id, meter_id } = device;
  const answer = await call(household, 'DELETE', `/api/meters/${meter_id}/replacements/${id}`);
  if (model.successorOf(list, device)) return refused(household, answer, 'not_found');
  if (device.at === null) return refused(household, answer, 'validation_failed');
  await added(household, answer, model.line({ meter_id, kind: 'void', supersedes: id }), 204);
}

async function undo(household: Household): Promise<void> {
  const { random, list, batches, property_id } = household;
  if (batches.length === 0) return;
  const latest = batches.slice(-5);
  const voids = list.filter(({ kind }) => kind === 'void');
  const isDevice = ({ supersedes }: model.Line) =>
    list.find(({ id }) => id === supersedes)?.kind === 'device';
  const of = (lines: model.Line[]) => (lines.length === 0 ? latest : lines.map((line) => line.batch_id));
  const batch_id = random.pick(random.pick([latest, latest, batches, of(voids), of(voids.filter(isDevice))]));
  const reason = pickReason(household);
  const path = `/api/properties/${property_id}/ledger/${batch_id}/undo`;
  const answer = await call(household, 'POST', path, said(reason));
  const undone = model.undoing(list, batch_id, reason);
  if ('refusal' in undone) return refused(household, answer, undone.refusal);
  expect(answer).toMatchObject({ status: 201, body: { entry_count: undone.length, source: 'manual' } });
  await written(household, undone);
}

/** Changes from which rate on a reading is implausible. */
async function judgeOtherwise(household: Household): Promise<void> {
  const { random, meters } = household;
  const meter = random.pick(meters);
  const plausibility_factor = random.pick([null, 2, 3, 10, 1_000_000]);
  const answer = await call(household, 'PATCH', `/api/meters/${meter.id}`, { plausibility_factor });
  expect(answer).toMatchObject({ status: 200, body: { plausibility_factor } });
  meter.plausibility_factor = plausibility_factor;
  await written(household, []);
}

/** Calls that can only be refused. */
async function nonsense(household: Household): Promise<void> {
  const { random, property_id, meters, batches } = household;
  const meter_id = random.pick(meters).id;
  const [method, path, body, code] = random.pick([
    [
      'POST',
      '/api/readings',
      { meter_id, reading_timestamp: '2025-04-01T00:00:00Z', value: '0.0001' },
      'validation_failed',
    ],
    [
      'POST',
      '/api/readings',
      { meter_id, reading_timestamp: '2999-04-01T00:00:00Z', value: '1' },
      'validation_failed',
    ],
    ['POST', `/api/properties/${property_id}/ledger/${(batches.at(-1) ?? 0) + 999}/undo`, {}, 'not_found'],
    ['DELETE', '/api/readings/999999999', undefined, 'not_found'],
    ['DELETE', `/api/meters/${meter_id}/replacements/999999999`, undefined, 'not_found'],
    ['PATCH', `/api/meters/${meter_id}/device`, { digits: 10 }, 'validation_failed'],
    ['PATCH', `/api/meters/${meter_id}`, { plausibility_factor: 1 }, 'validation_failed'],
  ] as const);
  await refused(household, await call(household, method, path, body), code);
}

const CHANGES = [
  ...[correct, correct, correct, correct, strike, strike, rollover, rollover, confirm, confirm],
  ...[describe, describe, replaceSomewhere, undoReplacement, undoReplacement],
  ...[undo, undo, undo, undo, judgeOtherwise, nonsense],
];

/** Changes something, whatever it is. @returns what it was */
export async function change(household: Household): Promise<string> {
  const chosen = household.random.pick(CHANGES);
  await chosen(household);
  return chosen.name;
}
