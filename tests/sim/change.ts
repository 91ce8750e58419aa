/** Changes what the ledger holds: corrections, voids, settlements, devices, undo; and the model's judgement of each. */
import { expect } from 'vitest';
import type { CallResult } from '../support/server.ts';
import * as devices from './devices.ts';
import { answerOf, call, type Household, iso, plainly, written } from './household.ts';
import { added, next, pickReason, refused, said } from './judge.ts';
import * as model from './model.ts';
import * as story from './story.ts';

const MINUTE_MS = 60_000;

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

const saysTheSame = (a: model.Line, b: model.Line) =>
  a.kind === b.kind && a.at === b.at && a.value === b.value && a.since === b.since;

/**
 * Whether a call that settles something finds that it was settled already: of the entry itself, or of the one that took
 * its place and says the same otherwise. Then it changes nothing, and answers with what is in force.
 */
async function wasSettled(
  household: Household,
  answer: CallResult,
  line: model.Line,
  isSettled: (latest: model.Line) => boolean,
): Promise<boolean> {
  if (!model.isReading(line)) return false;
  const latest = model.trail(household.list, line).at(-1)!;
  if (!saysTheSame(line, latest) || !isSettled(latest)) return false;
  expect(answer.status).toBe(200);
  await written(household, []);
  expect(plainly(answer.body)).toEqual(answerOf(household, latest as model.Dated));
  return true;
}

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
  if (random.percent(line.kind === 'relative' ? 30 : 3)) {
    const length = random.pick([-1, 1, 60 * MINUTE_MS, 1440 * MINUTE_MS]);
    changes.since = random.percent(30) ? null : (line.at ?? 0) - length;
  }
  const { value, at, since, note, reason } = changes;
  const answer = await call(household, 'PATCH', `/api/readings/${line.id}`, {
    ...(value === undefined ? {} : { value: model.kwh(value) }),
    ...(at === undefined ? {} : { reading_timestamp: iso(at!) }),
    ...(since === undefined ? {} : { period_start: since === null ? null : iso(since) }),
    ...(note === undefined ? {} : { note }),
    reason,
  });
  if (value === undefined && at === undefined && since === undefined && note === undefined) {
    return refused(household, answer, 'validation_failed');
  }
  if (!(await isOpen(household, answer, line))) return;
  const corrected = next(line, changes);
  const is_other = !saysTheSame(line, corrected);
  // What was settled was about the reading as it was.
  if (is_other) Object.assign(corrected, { rollover: null, confirmed: false });
  if (since !== undefined && line.kind === 'absolute') return refused(household, answer, 'validation_failed');
  if (corrected.since !== null && corrected.since >= corrected.at!) {
    return refused(household, answer, 'validation_failed');
  }
  const device = model.deviceAt(list, line.meter_id, corrected.at!);
  const is_too_long = is_other && line.kind === 'absolute' && model.isTooLong(corrected.value, device);
  if (await added(household, answer, corrected, 200, is_too_long)) answersNewest(household, answer);
}

async function strike(household: Household): Promise<void> {
  const line = pickEntry(household);
  if (!line) return;
  const reason = pickReason(household);
  const query = reason === null ? '' : `?${new URLSearchParams({ reason })}`;
  const answer = await call(household, 'DELETE', `/api/readings/${line.id}${query}`);
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
  const rowOf = (each: model.Line) => rows.find((row) => row.line === each);
  const device = model.isReading(line) ? model.deviceAt(list, line.meter_id, line.at) : undefined;
  const spanOf = (counted: number | null | undefined) =>
    counted == null ? null : 10n ** BigInt(counted + 3);
  const span = spanOf(digits ?? device?.digits);
  const isSettled = (latest: model.Line) => {
    if (!rowOf(latest)?.rolled_over) return false;
    if (latest !== line && latest.rollover === null) return false;
    return digits === undefined || (latest.rollover ?? spanOf(device?.digits)) === span;
  };
  if (await wasSettled(household, answer, line, isSettled)) return;
  // An entry that took its place and says the same is as good, where the same was said of it that explains nothing now.
  const latest = model.isReading(line) ? model.trail(list, line).at(-1)! : line;
  const stands_in =
    saysTheSame(line, latest) &&
    latest.rollover !== null &&
    (digits === undefined || latest.rollover === span);
  if (!stands_in && !(await isOpen(household, answer, line))) return;
  if (span === null || latest.value! >= span) return refused(household, answer, 'validation_failed');
  const settled = next(latest, { rollover: span, reason });
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
  if (await wasSettled(household, answer, line, ({ confirmed }) => confirmed)) return;
  if (!(await isOpen(household, answer, line))) return;
  const meter = household.meters.find(({ id }) => id === line.meter_id)!;
  const rows = model.book(household.list, meter.id, meter.plausibility_factor);
  if (!rows.some((row) => row.line === line && row.implausible)) {
    return refused(household, answer, 'validation_failed');
  }
  const confirmed = next(line, { confirmed: true, reason });
  if (await added(household, answer, confirmed, 201)) answersNewest(household, answer);
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
  if (reason === null) return refused(household, answer, 'validation_failed');
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
    [
      'POST',
      `/api/properties/${property_id}/ledger/${(batches.at(-1) ?? 0) + 999}/undo`,
      { reason: 'x' },
      'not_found',
    ],
    ['DELETE', '/api/readings/999999999?reason=x', undefined, 'not_found'],
    ['DELETE', `/api/meters/${meter_id}/replacements/999999999?reason=x`, undefined, 'not_found'],
    ['POST', `/api/meters/${meter_id}/devices`, { digits: 10 }, 'validation_failed'],
    ['PATCH', `/api/meters/${meter_id}`, { plausibility_factor: 1 }, 'validation_failed'],
  ] as const);
  await refused(household, await call(household, method, path, body), code);
}

const CHANGES = [
  ...[correct, correct, correct, correct, strike, strike, rollover, rollover, confirm, confirm],
  ...[devices.describe, devices.correctDevice, devices.correctDevice, devices.confirmDevice],
  ...[devices.replaceSomewhere, devices.undoReplacement, devices.undoReplacement],
  ...[undo, undo, undo, undo, judgeOtherwise, nonsense],
];

/** Changes something, whatever it is. @returns what it was */
export async function change(household: Household): Promise<string> {
  const chosen = household.random.pick(CHANGES);
  await chosen(household);
  return chosen.name;
}
