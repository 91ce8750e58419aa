/** Whether a device can show a register value at all (domain: "device", digits before the decimal point). */
import { type Device, registerSpan } from '../../core/reading.ts';
import { formatKwh } from '../../core/units.ts';

type Digits = Pick<Device, 'digits'>;

/** Whether a value has more digits before the decimal point than the device; false where nobody said how many it has. */
export function exceedsRegister(device: Digits, value_wh: number): boolean {
  const span_wh = registerSpan(device);
  return span_wh !== null && value_wh >= span_wh;
}

/** What is wrong with a value that has too many digits. */
export function tooManyDigits(meter_name: string, { digits }: Digits, value_wh: number): string {
  const shown = String(Math.floor(value_wh / 1000)).length;
  return (
    `${formatKwh(value_wh)} has ${shown} digits before the decimal point, the device of ${meter_name} has ${digits}: ` +
    'check the value; if it is right, correct the digits of the device or record its replacement first'
  );
}
