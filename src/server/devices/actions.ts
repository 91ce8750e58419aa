import type { Static } from 'typebox';
import type * as contract from '../../contract/devices.ts';
import type { Device } from '../../contract/devices.ts';
import { tidy } from '../../core/text.ts';
import { parseInstant } from '../../core/time.ts';
import { parseKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid } from '../errors.ts';
import { parsed } from '../http/input.ts';
import { toInForce } from '../ledger/in-force.ts';
import * as ledger from '../ledger/store.ts';
import { draft, writeBatch } from '../ledger/write.ts';
import { openMeter } from '../meters/access.ts';
import { FOREVER_MS, project } from '../projection/project.ts';
import { requireFree } from '../readings/corrections.ts';
import { openDevice, openForDevices } from './access.ts';
import { presentDevice, presentDevices } from './present.ts';
import { requireDigits } from './register.ts';

export async function listDevices(
  { db }: Deps,
  caller: Caller,
  meter_id: number,
  query: Static<typeof contract.listDevices.query>,
): Promise<Listed<Device>> {
  const { meter } = await openMeter(db.read, caller, meter_id);
  const devices = await presentDevices(db.read, meter);
  const { limit, offset } = query;
  return listed(devices.slice(offset, offset! + limit!), devices.length, query);
}

export async function describeDevice(
  { db, clock }: Deps,
  caller: Caller,
  meter_id: number,
  { serial_number, digits, multiplier, reason }: Static<typeof contract.describeDevice.body>,
): Promise<Device> {
  return db.write(async (tx) => {
    const { meter, property } = await openForDevices(tx, caller, meter_id);
    const [first] = await ledger.devicesOf(tx, meter_id);
    if (first?.reading_timestamp === null) {
      const detail = `The first device of ${meter.name} is described already (device ${first.id}): correct it with PATCH.`;
      throw new DomainError('device_described', detail, { device_id: first.id });
    }
    const next = draft({
      meter_id,
      kind: 'device',
      serial_number: serial_number ? tidy(serial_number) : null,
      digits: digits ?? null,
      multiplier: multiplier ?? 1,
      reason: reason ? tidy(reason) : null,
    });
    const author = { caller, source: 'manual' as const, now_ms: clock() };
    const { entries } = await writeBatch(tx, property.id, author, [next]);
    const { id } = entries[0]!;
    await project(tx, { meter, added: [], removed: [], from_ms: -FOREVER_MS, until_ms: FOREVER_MS });
    await requireDigits(tx, meter, id, { final_value: null, initial_value: null, digits: 'digits' });
    return presentDevice(tx, meter, id);
  });
}

export async function replaceDevice(
  { db, clock }: Deps,
  caller: Caller,
  meter_id: number,
  body: Static<typeof contract.replaceDevice.body>,
): Promise<Device> {
  const replaced_ms = parsed(parseInstant(body.replaced_at));
  return db.write(async (tx) => {
    const opened = await openForDevices(tx, caller, meter_id);
    const { meter, property } = opened;
    await requireFree(tx, opened, replaced_ms);
    const before = (await ledger.devicesOf(tx, meter_id)).findLast(
      ({ reading_timestamp }) => (reading_timestamp ?? -FOREVER_MS) < replaced_ms,
    );
    const next = draft({
      meter_id,
      kind: 'device',
      reading_timestamp: replaced_ms,
      value_wh: parsed(parseKwh(body.final_value)),
      initial_value_wh: parsed(parseKwh(body.initial_value)),
      serial_number: body.serial_number ? tidy(body.serial_number) : null,
      digits: body.digits ?? null,
      multiplier: body.multiplier ?? before?.multiplier ?? 1,
      reason: body.reason ? tidy(body.reason) : null,
    });
    const author = { caller, source: 'manual' as const, now_ms: clock() };
    const { entries } = await writeBatch(tx, property.id, author, [next]);
    const { id } = entries[0]!;
    // Another multiplier, or other digits, concern every reading of the new device.
    const same = next.multiplier === (before?.multiplier ?? 1) && next.digits === (before?.digits ?? null);
    const added = [toInForce(next, id)!];
    await project(tx, { meter, added, removed: [], ...(same ? {} : { until_ms: FOREVER_MS }) });
    await requireDigits(tx, meter, id, {
      final_value: 'final_value',
      initial_value: 'initial_value',
      digits: 'digits',
    });
    return presentDevice(tx, meter, id);
  });
}

export async function undoReplacement(
  { db, clock }: Deps,
  caller: Caller,
  params: Static<typeof contract.undoReplacement.params>,
  { reason }: Static<typeof contract.undoReplacement.query>,
): Promise<void> {
  await db.write(async (tx) => {
    const { meter, property, device } = await openDevice(tx, caller, params);
    if (device.reading_timestamp === null) {
      throw invalid([
        { path: 'device_id', message: 'is the first device of the meter: it replaced nothing' },
      ]);
    }
    const next = draft({ meter_id: meter.id, kind: 'void', supersedes_id: device.id, reason: tidy(reason) });
    await writeBatch(tx, property.id, { caller, source: 'manual', now_ms: clock() }, [next]);
    await project(tx, { meter, added: [], removed: [device.reading_timestamp], until_ms: FOREVER_MS });
  });
}
