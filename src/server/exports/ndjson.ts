/** Readings as NDJSON: the fields of an import first, then what else is known of each. */
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import { type Exported, type ExportedReading, flagsOf, pagesOf } from './rows.ts';

function objectOf(row: ExportedReading) {
  return {
    meter: row.meter_name,
    reading_timestamp: formatInstant(row.reading_timestamp),
    value: formatKwh(row.value_wh),
    reading_type: row.kind,
    period_start: row.period_start === null ? null : formatInstant(row.period_start),
    note: row.note,
    meter_type: row.meter_type,
    location: row.location,
    flags: flagsOf(row),
    source: row.source,
    recorded_by: row.recorded_by,
    recorded_at: formatInstant(row.created_at),
    reading_id: row.id,
    batch_id: row.batch_id,
  };
}

export async function* toNdjson(exported: Exported): AsyncGenerator<string> {
  for await (const rows of pagesOf(exported, exported.meters)) {
    yield rows.map((row) => `${JSON.stringify(objectOf(row))}\n`).join('');
  }
}
