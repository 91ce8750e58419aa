import { FLAGS, type Reading, type Revision, type Warning } from '../../contract/readings.ts';
import type { Projected } from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { EntryRow, NamedEntry } from './store.ts';

/** What an unsettled decrease means, and the ways out of it (domain: "What may be recorded", 4). */
export function decreasedWarning(
  meter_id: number,
  reading_id: number,
  meter_name: string,
  at_ms: number,
): Warning {
  return {
    code: 'decreased',
    meter_id,
    reading_id,
    device_id: null,
    detail:
      `The register of ${meter_name} went down at ${formatInstant(at_ms)}, so its consumption since the reading before ` +
      'is unknown. Settle it: correct the reading, record a replacement of the device, or record a rollover.',
  };
}

/** The same for the last register of a device that was replaced; `device_id` is the one that took its place. */
export function replacementWarning(
  meter_id: number,
  device_id: number,
  meter_name: string,
  at_ms: number,
): Warning {
  return {
    code: 'decreased',
    meter_id,
    reading_id: null,
    device_id,
    detail:
      `The last register of the device of ${meter_name} that was replaced at ${formatInstant(at_ms)} is less than what ` +
      'was read before, so consumption up to then is unknown. Correct that register (final_value) or the reading ' +
      'before it, or undo the replacement.',
  };
}

export function implausibleWarning(
  meter_id: number,
  reading_id: number,
  meter_name: string,
  at_ms: number,
): Warning {
  return {
    code: 'implausible',
    meter_id,
    reading_id,
    device_id: null,
    detail:
      `${meter_name} would have used far more before ${formatInstant(at_ms)} than it ever has. Correct the reading or ` +
      'void it if it is wrong; confirm it if it is right.',
  };
}

/** The same for the rate up to a replacement. */
export function implausibleReplacementWarning(
  meter_id: number,
  device_id: number,
  meter_name: string,
  at_ms: number,
): Warning {
  return {
    code: 'implausible',
    meter_id,
    reading_id: null,
    device_id,
    detail:
      `${meter_name} would have used far more before its device was replaced at ${formatInstant(at_ms)} than it ever ` +
      'has. Correct the last register (final_value) or undo the replacement if it is wrong; confirm it if it is right.',
  };
}

/** The warnings for a flagged replacement, the most important first. */
export function replacementWarnings(
  {
    decreased,
    implausible,
    reading_timestamp,
  }: Pick<Projected, 'decreased' | 'implausible' | 'reading_timestamp'>,
  device_id: number,
  meter: { id: number; name: string },
): Warning[] {
  const about = [meter.id, device_id, meter.name, reading_timestamp] as const;
  return [
    ...(decreased ? [replacementWarning(...about)] : []),
    ...(implausible ? [implausibleReplacementWarning(...about)] : []),
  ];
}

function warningsOf(row: EntryRow): Warning[] {
  const about = [row.meter_id, row.id, row.meter_name, row.reading_timestamp] as const;
  return [
    ...(row.decreased ? [decreasedWarning(...about)] : []),
    ...(row.implausible ? [implausibleWarning(...about)] : []),
  ];
}

export function presentReading(row: EntryRow): Reading {
  return {
    id: row.id,
    property_id: row.property_id,
    meter_id: row.meter_id,
    meter_name: row.meter_name,
    reading_timestamp: formatInstant(row.reading_timestamp),
    value: formatKwh(row.value_wh),
    reading_type: row.kind as Reading['reading_type'],
    period_start: row.period_start === null ? null : formatInstant(row.period_start),
    note: row.note,
    photo_sha256: row.photo_sha256,
    source: row.source,
    flags: FLAGS.filter((flag) => row[flag] === 1),
    recorded_by_user_id: row.recorded_by_user_id,
    recorded_by_api_key_id: row.recorded_by_api_key_id,
    created_at: formatInstant(row.created_at),
    batch_id: row.batch_id,
    supersedes_id: row.supersedes_id,
    superseded_by_id: row.superseded_by_id,
    reason: row.reason,
    warnings: warningsOf(row),
  };
}

/** One step of a reading's trail: as it was recorded, corrected, or voided. */
export function presentRevision(row: NamedEntry): Revision {
  return {
    id: row.id,
    kind: row.kind as Revision['kind'],
    reading_timestamp: row.reading_timestamp === null ? null : formatInstant(row.reading_timestamp),
    value: row.value_wh === null ? null : formatKwh(row.value_wh),
    period_start: row.period_start === null ? null : formatInstant(row.period_start),
    note: row.note,
    photo_sha256: row.photo_sha256,
    reason: row.reason,
    source: row.source,
    recorded_by_user_id: row.recorded_by_user_id,
    recorded_by: row.recorded_by,
    recorded_by_api_key_id: row.recorded_by_api_key_id,
    created_at: formatInstant(row.created_at),
    batch_id: row.batch_id,
    supersedes_id: row.supersedes_id,
    superseded_by_id: row.superseded_by_id,
  };
}
