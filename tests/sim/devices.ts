/** Changes what is said of devices: descriptions, corrections, replacements, their undo. */
import { expect } from 'vitest';
import { call, type Household, iso, written } from './household.ts';
import { added, next, pickReason, refused, said } from './judge.ts';
import * as model from './model.ts';
import * as story from './story.ts';

/** Says what the device of a meter is, or corrects what was said. */
export async function describe(household: Household): Promise<void> {
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
  const answer = await call(household, 'POST', `/api/meters/${meter_id}/devices`, sent);
  if (Object.keys(sent).length === 0) return refused(household, answer, 'validation_failed');
  const described = model.line({
    ...{ meter_id, kind: 'device', reason },
    serial: sent.serial_number ?? null,
    digits: sent.digits ?? null,
    multiplier: sent.multiplier ?? 1,
  });
  const is_too_long = model.showsTooMuch([...list, described], described);
  await added(household, answer, described, 201, is_too_long);
}

/** A device in force to change, now and then one that is not, or none at all. */
function pickDevice({ random, list }: Household): model.Line | undefined {
  const all = list.filter(({ kind }) => kind === 'device');
  const in_force = model.inForce(all);
  if (in_force.length > 0 && random.percent(80)) return random.pick(in_force);
  return all.length === 0 ? undefined : random.pick(all);
}

export async function correctDevice(household: Household): Promise<void> {
  const { random, list } = household;
  const device = pickDevice(household);
  if (!device) return;
  const { serial_number: serial, digits, multiplier } = story.deviceOf(random);
  const is_dated = device.at !== null || random.percent(5);
  const value = device.value ?? 0n;
  const changes: Partial<model.Line> = {
    ...(random.percent(20) ? { serial } : {}),
    ...(random.percent(30) ? { digits } : {}),
    ...(random.percent(20) ? { multiplier } : {}),
    ...(is_dated && random.percent(30) ? { value: value + BigInt(random.int(0, 5000)) } : {}),
    ...(is_dated && random.percent(30) ? { initial: BigInt(random.int(0, 90_000)) } : {}),
    ...(is_dated && random.percent(30) ? { at: story.instantOf(random, list) } : {}),
  };
  const reason = random.pick(['a slip', 'på begäran']);
  const answer = await call(household, 'PATCH', `/api/meters/${device.meter_id}/devices/${device.id}`, {
    ...('serial' in changes ? { serial_number: serial } : {}),
    ...('digits' in changes ? { digits } : {}),
    ...('multiplier' in changes ? { multiplier } : {}),
    ...(changes.value === undefined ? {} : { final_value: model.kwh(changes.value) }),
    ...(changes.initial === undefined ? {} : { initial_value: model.kwh(changes.initial!) }),
    ...(changes.at === undefined ? {} : { installed_at: iso(changes.at!) }),
    reason,
  });
  if (Object.keys(changes).length === 0) return refused(household, answer, 'validation_failed');
  if (model.successorOf(list, device)) return refused(household, answer, 'not_found');
  const corrected = next(device, { ...changes, reason });
  if (device.at === null && ['value', 'initial', 'at'].some((field) => field in changes)) {
    return refused(household, answer, 'validation_failed');
  }
  const together = [...list, corrected];
  const before = model.devicesOf(list, device.meter_id);
  const after = model.devicesOf(together, device.meter_id);
  if (before.indexOf(device) !== after.indexOf(corrected)) {
    return refused(household, answer, 'validation_failed');
  }
  const moved = corrected.at !== device.at;
  if (moved || corrected.value !== device.value) corrected.confirmed = false;
  const recounted = corrected.digits !== device.digits;
  const previous = after[after.indexOf(corrected) - 1];
  const is_too_long =
    (corrected.value !== device.value && model.isTooLong(corrected.value, previous)) ||
    ((recounted || corrected.initial !== device.initial) && model.isTooLong(corrected.initial, corrected)) ||
    ((moved || recounted) && model.showsTooMuch(together, corrected)) ||
    (moved && previous !== undefined && model.showsTooMuch(together, previous));
  await added(household, answer, corrected, 200, is_too_long);
}

export async function confirmDevice(household: Household): Promise<void> {
  const { list, meters } = household;
  const device = pickDevice(household);
  if (!device) return;
  const reason = pickReason(household);
  const path = `/api/meters/${device.meter_id}/devices/${device.id}/confirm`;
  const answer = await call(household, 'POST', path, said(reason));
  if (model.successorOf(list, device)) return refused(household, answer, 'not_found');
  if (device.confirmed) {
    expect(answer).toMatchObject({ status: 200, body: { id: device.id } });
    return written(household, []);
  }
  const meter = meters.find(({ id }) => id === device.meter_id)!;
  const rows = model.book(list, meter.id, meter.plausibility_factor);
  if (!rows.some(({ line, implausible }) => line === device && implausible)) {
    return refused(household, answer, 'validation_failed');
  }
  await added(household, answer, next(device, { confirmed: true, reason }), 201);
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
  const line = { ...device, multiplier, reason };
  const together = [...list, line];
  const previous = model.deviceAt(together, meter_id, at);
  const is_too_long =
    model.isTooLong(value, previous) || model.isTooLong(initial, line) || model.showsTooMuch(together, line);
  await added(household, answer, line, 201, is_too_long);
}

/** A replacement that no plan has foreseen: between readings that are there, or at the very instant of one. */
export async function replaceSomewhere(household: Household): Promise<void> {
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

export async function undoReplacement(household: Household): Promise<void> {
  const { list } = household;
  const device = pickDevice(household);
  if (!device) return;
  const { id, meter_id } = device;
  const reason = pickReason(household);
  const query = reason === null ? '' : `?${new URLSearchParams({ reason })}`;
  const answer = await call(household, 'DELETE', `/api/meters/${meter_id}/replacements/${id}${query}`);
  if (reason === null) return refused(household, answer, 'validation_failed');
  if (model.successorOf(list, device)) return refused(household, answer, 'not_found');
  if (device.at === null) return refused(household, answer, 'validation_failed');
  await added(household, answer, model.line({ meter_id, kind: 'void', supersedes: id, reason }), 204);
}
