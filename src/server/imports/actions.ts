import type { Readable } from 'node:stream';
import type { Static } from 'typebox';
import type * as contract from '../../contract/imports.ts';
import type { ImportReport } from '../../contract/imports.ts';
import { formatInstant } from '../../core/time.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { DomainError, forbidden, invalid } from '../errors.ts';
import { requireActiveMeter, visibleMeters } from '../meters/access.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import { openProperty, requireActive, sees } from '../properties/access.ts';
import { lockProperty } from '../properties/store.ts';
import { type NewReading, type RecordedMeter, record } from '../readings/record.ts';
import { parseCsv, parseNdjson, Upload } from './parse.ts';

/** Ends a transaction without a trace, carrying out what a dry run found. */
class DryRun extends Error {
  readonly report: ImportReport;
  constructor(report: ImportReport) {
    super('dry run');
    this.report = report;
  }
}

function reportMeter({ meter, recorded, unchanged, flagged }: RecordedMeter): ImportReport['meters'][number] {
  let first_ms: number | null = null;
  let last_ms: number | null = null;
  for (const { reading_timestamp } of [...recorded, ...unchanged]) {
    if (first_ms === null || reading_timestamp < first_ms) first_ms = reading_timestamp;
    if (last_ms === null || reading_timestamp > last_ms) last_ms = reading_timestamp;
  }
  return {
    meter_id: meter.id,
    name: meter.name,
    recorded: recorded.length,
    unchanged: unchanged.length,
    flagged,
    first_reading_timestamp: first_ms === null ? null : formatInstant(first_ms),
    last_reading_timestamp: last_ms === null ? null : formatInstant(last_ms),
  };
}

/** Names the inactive meters of an upload and where they stand in it. */
function inactive(upload: Upload): DomainError {
  const named = [...upload.inactive].map(([{ name }, { lines, count }]) => {
    const more = count > lines.length ? ` and ${count - lines.length} more` : '';
    return `${name} (line ${lines.join(', ')}${more})`;
  });
  const detail = `Inactive meters take no readings: ${named.join('; ')}. Restore them first, or leave their lines out.`;
  return new DomainError('meter_inactive', detail);
}

/** Reads the whole upload, then records it in one transaction; with `dry_run` everything but the last step. */
export async function importReadings(
  { db, clock }: Deps,
  caller: Caller,
  { property_id, dry_run = false }: Static<typeof contract.importReadings.query>,
  media_type: string,
  body: Readable,
): Promise<ImportReport> {
  const property = await openProperty(db.read, caller, property_id);
  requireActive(property);
  const upload = new Upload(await visibleMeters(db.read, property), clock());
  await (media_type === 'text/csv' ? parseCsv : parseNdjson)(upload, body);
  if (upload.errors.length > 0) throw invalid(upload.errors);
  if (upload.inactive.size > 0) throw inactive(upload);
  const pathOf = ({ name }: MeterRow, { place }: NewReading) =>
    place.toLowerCase() + (media_type === 'text/csv' ? name : 'value');

  try {
    return await db.write(async (tx) => {
      await lockProperty(tx, property_id);
      const as_it_is = await openProperty(tx, caller, property_id);
      requireActive(as_it_is);
      if ([...upload.readings.keys()].some(({ id }) => !sees(as_it_is, id))) throw forbidden('meter');
      const author = { caller, source: 'import' as const, now_ms: clock() };
      // As they are by now: somebody may have changed a meter while the file came in.
      const now = new Map((await metersOf(tx, property_id)).map((meter) => [meter.id, meter]));
      const sent = new Map([...upload.readings].map(([{ id }, readings]) => [now.get(id)!, readings]));
      for (const meter of sent.keys()) requireActiveMeter(meter);
      const { batch_id, meters } = await record(tx, property_id, author, sent, pathOf);
      const reported = meters.map(reportMeter);
      const report: ImportReport = {
        property_id,
        dry_run,
        batch_id: dry_run ? null : batch_id,
        recorded: reported.reduce((sum, meter) => sum + meter.recorded, 0),
        unchanged: reported.reduce((sum, meter) => sum + meter.unchanged, 0),
        meters: reported,
      };
      if (dry_run) throw new DryRun(report);
      return report;
    });
  } catch (error) {
    if (error instanceof DryRun) return error.report;
    throw error;
  }
}
