import type { Device } from '../../contract/devices.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Db } from '../db/tables.ts';
import * as ledger from '../ledger/store.ts';
import type { MeterRow } from '../meters/store.ts';
import * as projection from '../projection/store.ts';
import { replacementWarnings } from '../readings/present.ts';

/** The devices of a meter, in the order of their installation. */
export async function presentDevices(db: Db, meter: MeterRow): Promise<Device[]> {
  const entries = await ledger.devicesOf(db, meter.id);
  const devices: Device[] = [];
  const open = { meter_id: meter.id, removed_at: null, final_value: null };
  if (entries[0]?.reading_timestamp !== null) {
    const unsaid = { id: null, serial_number: null, digits: null, multiplier: 1, reason: null };
    devices.push({ ...open, ...unsaid, installed_at: null, initial_value: null, warnings: [] });
  }
  for (const entry of entries) {
    const { id, serial_number, digits, reading_timestamp, value_wh, initial_value_wh, reason } = entry;
    const closed = devices.at(-1);
    const row =
      reading_timestamp === null
        ? undefined
        : await projection.readingAt(db, meter.property_id, meter.id, reading_timestamp);
    if (closed && reading_timestamp !== null) {
      closed.removed_at = formatInstant(reading_timestamp);
      closed.final_value = formatKwh(value_wh!);
    }
    devices.push({
      ...open,
      id,
      serial_number,
      digits,
      multiplier: entry.multiplier!,
      installed_at: reading_timestamp === null ? null : formatInstant(reading_timestamp),
      initial_value: initial_value_wh === null ? null : formatKwh(initial_value_wh),
      reason,
      warnings: row ? replacementWarnings(row, id, meter) : [],
    });
  }
  return devices;
}

/** One device of a meter. */
export async function presentDevice(db: Db, meter: MeterRow, device_id: number): Promise<Device> {
  return (await presentDevices(db, meter)).find(({ id }) => id === device_id)!;
}
