/** Corrections of devices: a new entry supersedes the one in force, as with readings. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/devices.ts';
import type { Device } from '../../contract/devices.ts';
import { tidy } from '../../core/text.ts';
import { formatInstant, parseInstant } from '../../core/time.ts';
import { parseKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { invalid } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { parsed } from '../http/input.ts';
import { toInForce } from '../ledger/in-force.ts';
import { type Draft, writeBatch } from '../ledger/write.ts';
import { FOREVER_MS, project } from '../projection/project.ts';
import * as projection from '../projection/store.ts';
import { nothingToConfirm, requireFree } from '../readings/corrections.ts';
import { type OpenDevice, openDevice } from './access.ts';
import { presentDevice } from './present.ts';
import { requireDigits } from './register.ts';

type Correction = Static<typeof contract.correctDevice.body>;

const OF_REPLACEMENTS = ['installed_at', 'final_value', 'initial_value'] as const;

/** Writes the entry that supersedes a device and brings the projection up to date. @returns its id */
async function supersede(
  { clock }: Deps,
  tx: Tx,
  caller: Caller,
  opened: OpenDevice,
  changes: Partial<Draft>,
  reason: string | undefined,
): Promise<number> {
  const { device, meter, property } = opened;
  const { id: supersedes_id, property_id: _, batch_id: __, leaf_hash: ___, ...as_it_was } = device;
  const next = { ...as_it_was, ...changes, supersedes_id, reason: reason ? tidy(reason) : null };
  const author = { caller, source: 'manual' as const, now_ms: clock() };
  const { entries } = await writeBatch(tx, property.id, author, [next]);
  const { id } = entries[0]!;
  const is_first = device.reading_timestamp === null;
  const counts_alike = next.multiplier === device.multiplier && next.digits === device.digits;
  await project(tx, {
    meter,
    added: is_first ? [] : [toInForce(next, id)!],
    removed: is_first ? [] : [device.reading_timestamp!],
    ...(is_first ? { from_ms: -FOREVER_MS } : {}),
    // What counts otherwise concerns every reading of the device.
    ...(is_first || !counts_alike ? { until_ms: FOREVER_MS } : {}),
  });
  return id;
}

/** What is said of a device once it is corrected. @throws validation_failed for what a first device does not have */
function corrected({ device }: OpenDevice, body: Correction): Draft {
  if (device.reading_timestamp === null) {
    const message = 'goes with a replacement only: this is the first device of the meter';
    const errors = OF_REPLACEMENTS.filter((path) => body[path] !== undefined).map((path) => ({
      path,
      message,
    }));
    if (errors.length > 0) throw invalid(errors);
  }
  const { serial_number, digits, multiplier, installed_at, final_value, initial_value } = body;
  const next: Draft = {
    ...device,
    ...(serial_number === undefined ? {} : { serial_number: serial_number && tidy(serial_number) }),
    ...(digits === undefined ? {} : { digits }),
    ...(multiplier === undefined ? {} : { multiplier }),
    ...(installed_at === undefined ? {} : { reading_timestamp: parsed(parseInstant(installed_at)) }),
    ...(final_value === undefined ? {} : { value_wh: parsed(parseKwh(final_value)) }),
    ...(initial_value === undefined ? {} : { initial_value_wh: parsed(parseKwh(initial_value)) }),
  };
  const is_as_confirmed =
    next.reading_timestamp === device.reading_timestamp && next.value_wh === device.value_wh;
  return is_as_confirmed ? next : { ...next, confirmed: 0 };
}

/** Throws validation_failed where a replacement would pass another one: their registers belong to their neighbours. */
function requireInOrder({ before, after }: OpenDevice, installed_ms: number): void {
  const from_ms = before?.reading_timestamp ?? null;
  const to_ms = after?.reading_timestamp ?? null;
  if ((from_ms === null || installed_ms > from_ms) && (to_ms === null || installed_ms < to_ms)) return;
  const other = from_ms !== null && installed_ms <= from_ms ? from_ms : to_ms!;
  const message =
    `passes the replacement at ${formatInstant(other)}: the registers of both would belong to other devices; ` +
    'undo one of them and record it anew';
  throw invalid([{ path: 'installed_at', message }]);
}

export async function correctDevice(
  deps: Deps,
  caller: Caller,
  params: Static<typeof contract.correctDevice.params>,
  body: Correction,
): Promise<Device> {
  const { reason, ...named } = body;
  if (Object.keys(named).length === 0) {
    throw invalid([{ path: 'body', message: 'must name what to correct of the device' }]);
  }
  return deps.db.write(async (tx) => {
    const opened = await openDevice(tx, caller, params);
    const { device, meter } = opened;
    const { serial_number, digits, multiplier, reading_timestamp, value_wh, initial_value_wh, confirmed } =
      corrected(opened, body);
    const moved = reading_timestamp !== device.reading_timestamp;
    if (moved) {
      requireInOrder(opened, reading_timestamp!);
      await requireFree(tx, opened, reading_timestamp!);
    }
    const changes = {
      ...{ serial_number, digits, multiplier, reading_timestamp, value_wh, initial_value_wh, confirmed },
    };
    const id = await supersede(deps, tx, caller, opened, changes, reason);
    const recounted = digits !== device.digits;
    const initial_path = body.initial_value === undefined ? 'digits' : 'initial_value';
    await requireDigits(tx, meter, id, {
      final_value: value_wh !== device.value_wh ? 'final_value' : null,
      initial_value: recounted || initial_value_wh !== device.initial_value_wh ? initial_path : null,
      digits: moved ? 'installed_at' : recounted ? 'digits' : null,
    });
    return presentDevice(tx, meter, id);
  });
}

export async function confirmDevice(
  deps: Deps,
  caller: Caller,
  params: Static<typeof contract.confirmDevice.params>,
  { reason }: Static<typeof contract.confirmDevice.body>,
): Promise<Outcome<Device>> {
  return deps.db.write(async (tx) => {
    const opened = await openDevice(tx, caller, params);
    const { device, meter } = opened;
    if (device.confirmed === 1) return { created: false, body: await presentDevice(tx, meter, device.id) };
    const row =
      device.reading_timestamp === null
        ? undefined
        : await projection.readingAt(tx, meter.property_id, meter.id, device.reading_timestamp);
    if (!row?.implausible) throw nothingToConfirm('device_id');
    const id = await supersede(deps, tx, caller, opened, { confirmed: 1 }, reason);
    return { created: true, body: await presentDevice(tx, meter, id) };
  });
}
