import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import { notFound } from '../errors.ts';
import * as ledger from '../ledger/store.ts';
import { type OpenMeter, openMeter, requireRecordable } from '../meters/access.ts';
import { lockPropertyOfMeter } from '../properties/store.ts';

/** A meter whose devices may be spoken of, locked. */
export async function openForDevices(tx: Tx, caller: Caller, meter_id: number): Promise<OpenMeter> {
  await lockPropertyOfMeter(tx, meter_id);
  const opened = await openMeter(tx, caller, meter_id);
  requireRecordable(opened, 'meter_id');
  return opened;
}

/** A device in force, with those that stand before and after it. */
export interface OpenDevice extends OpenMeter {
  device: ledger.EntryRow;
  before: ledger.EntryRow | undefined;
  after: ledger.EntryRow | undefined;
}

export async function openDevice(
  tx: Tx,
  caller: Caller,
  { meter_id, device_id }: { meter_id: number; device_id: number },
): Promise<OpenDevice> {
  const opened = await openForDevices(tx, caller, meter_id);
  const devices = await ledger.devicesOf(tx, meter_id);
  const at = devices.findIndex(({ id }) => id === device_id);
  const device = devices[at];
  if (!device)
    throw notFound('such device at this meter; a corrected device has another id, see its meter’s devices');
  return { ...opened, device, before: devices[at - 1], after: devices[at + 1] };
}
