/** Holds what is said of a device against what was read off it. */
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Tx } from '../db/tables.ts';
import { invalid } from '../errors.ts';
import * as ledger from '../ledger/store.ts';
import type { MeterRow } from '../meters/store.ts';
import { FOREVER_MS } from '../projection/project.ts';
import { exceedsRegister, tooManyDigits } from '../readings/register.ts';
import { highestRegister } from './store.ts';

/** What a call said of a device, by the field to name where it cannot be; null: it said nothing of it. */
export interface Said {
  final_value: 'final_value' | null;
  initial_value: 'initial_value' | 'digits' | null;
  /** The digits, or from when to when they hold. */
  digits: 'digits' | 'installed_at' | 'replaced_at' | null;
}

/** Throws validation_failed where a device has fewer digits than a register value of its time. */
async function requireShowable(
  tx: Tx,
  meter: MeterRow,
  devices: ledger.EntryRow[],
  at: number,
  path: string,
) {
  const device = devices[at];
  if (!device || device.digits === null) return;
  const from_ms = device.reading_timestamp ?? -FOREVER_MS;
  const until_ms = devices[at + 1]?.reading_timestamp ?? FOREVER_MS;
  const highest = await highestRegister(tx, meter.property_id, meter.id, from_ms, until_ms);
  if (!highest || !exceedsRegister(device, highest.value_wh)) return;
  const message =
    `leaves ${formatKwh(highest.value_wh)} kWh at ${formatInstant(highest.reading_timestamp)} to a device with ` +
    `${device.digits} digits before the decimal point: correct that value first, or the digits`;
  throw invalid([{ path, message }]);
}

/**
 * Throws validation_failed where a value has more digits than its device, after all was written.
 * @param entry_id the device that the call was about
 */
export async function requireDigits(tx: Tx, meter: MeterRow, entry_id: number, said: Said): Promise<void> {
  const devices = await ledger.devicesOf(tx, meter.id);
  const at = devices.findIndex(({ id }) => id === entry_id);
  const device = devices[at]!;
  const before = devices[at - 1];
  const errors = [];
  if (said.final_value && before && exceedsRegister(before, device.value_wh!)) {
    errors.push({ path: said.final_value, message: tooManyDigits(meter.name, before, device.value_wh!) });
  }
  if (
    said.initial_value &&
    device.initial_value_wh !== null &&
    exceedsRegister(device, device.initial_value_wh)
  ) {
    const message = tooManyDigits(meter.name, device, device.initial_value_wh);
    errors.push({ path: said.initial_value, message });
  }
  if (errors.length > 0) throw invalid(errors);
  if (!said.digits) return;
  await requireShowable(tx, meter, devices, at, said.digits);
  if (said.digits === 'installed_at') await requireShowable(tx, meter, devices, at - 1, said.digits);
}
