/** What an AI-on-the-edge camera means by one of its numbers. */
import type { CameraNumber } from '../../contract/inputs.ts';
import { parseDeviceTime } from '../../core/device-input.ts';
import { fold, tidy } from '../../core/text.ts';
import { parseKwh } from '../../core/units.ts';
import type { MeterRow } from '../meters/store.ts';

/** What the camera calls its number if nobody gives it a name. */
const ONLY_NUMBER = 'main';
const NO_ERROR = 'no error';

export type Understood =
  | { reading: { meter_id: number; reading_timestamp: number; value: string | number } }
  | { skipped: string }
  | { refused: string };

function meterNamed(name: string, meters: readonly MeterRow[]): MeterRow | undefined {
  const folded = fold(tidy(name));
  const named = meters.filter((meter) => meter.name_folded === folded);
  return (
    named.find(({ is_active }) => is_active) ??
    named[0] ??
    (folded === ONLY_NUMBER ? meters.find(({ meter_type }) => meter_type === 'main_meter') : undefined)
  );
}

/** @param meters those that the caller sees @param now_ms epoch milliseconds */
export function understand(
  { name, value, timestampLong, timestamp, error }: CameraNumber,
  meters: readonly MeterRow[],
  now_ms: number,
): Understood {
  // The timestamp is that of the last value the camera trusted: where it trusts none, it says nothing new.
  if (value === undefined || value === null || value === '') {
    return {
      skipped: `The camera has no value: ${error && error !== NO_ERROR ? error : 'it gave no reason'}.`,
    };
  }
  const meter = meterNamed(name, meters);
  if (!meter) {
    return { refused: `No meter is named ${name}: give the number on the camera the name of its meter.` };
  }
  const when = timestampLong ?? timestamp;
  if (when === undefined) return { refused: 'timestampLong is missing.' };
  const instant = parseDeviceTime(when, now_ms);
  if (!instant.ok) return { refused: `The timestamp ${instant.message}.` };
  const kwh = parseKwh(value);
  if (!kwh.ok) return { refused: `The value ${value} ${kwh.message}.` };
  return { reading: { meter_id: meter.id, reading_timestamp: instant.value, value } };
}
