import type { Reading, Warning } from '../../contract/readings.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { EntryRow } from './store.ts';

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
    detail:
      `The register of ${meter_name} went down at ${formatInstant(at_ms)}, so its consumption since the reading before ` +
      'is unknown. Settle it: correct the reading, record a replacement of the device, or record a rollover.',
  };
}

export function presentReading(row: EntryRow): Reading {
  return {
    id: row.id,
    property_id: row.property_id,
    meter_id: row.meter_id,
    meter_name: row.meter_name,
    reading_timestamp: formatInstant(row.reading_timestamp),
    value: formatKwh(row.value_wh),
    reading_type: row.is_relative ? 'relative' : 'absolute',
    period_start: row.period_start === null ? null : formatInstant(row.period_start),
    note: row.note,
    source: row.source,
    flags: row.decreased ? ['decreased'] : [],
    recorded_by_user_id: row.recorded_by_user_id,
    created_at: formatInstant(row.created_at),
    batch_id: row.batch_id,
    warnings: row.decreased
      ? [decreasedWarning(row.meter_id, row.id, row.meter_name, row.reading_timestamp)]
      : [],
  };
}
