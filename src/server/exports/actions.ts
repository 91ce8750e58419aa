import type { Static } from 'typebox';
import type * as contract from '../../contract/exports.ts';
import { formatInstant, parseDateOrInstant } from '../../core/time.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { invalid } from '../errors.ts';
import { parsed } from '../http/input.ts';
import { visibleMeters } from '../meters/access.ts';
import type { MeterRow } from '../meters/store.ts';
import { openProperty } from '../properties/access.ts';
import { toCsv } from './csv.ts';
import { toGreenButton } from './green-button.ts';
import { toNdjson } from './ndjson.ts';
import { EVERY_INSTANT, type Exported } from './rows.ts';
import { toXlsx } from './xlsx.ts';

type Query = Static<typeof contract.exportReadings.query>;

/** A file as it streams. */
export interface ExportFile {
  format: contract.ExportFormat;
  name: string;
  body: AsyncGenerator<string | Buffer>;
}

const EXTENSION = { csv: 'csv', xlsx: 'xlsx', ndjson: 'ndjson', greenbutton: 'xml' } as const;

function periodOf({ start_date, end_date }: Query, timezone: string) {
  const at = (text: string | undefined, otherwise: number) =>
    text === undefined ? otherwise : parsed(parseDateOrInstant(text, timezone));
  const period = {
    start_ms: at(start_date, EVERY_INSTANT.start_ms),
    end_ms: at(end_date, EVERY_INSTANT.end_ms),
  };
  if (period.start_ms < period.end_ms) return period;
  throw invalid([{ path: 'end_date', message: 'must be later than start_date' }]);
}

/** The meters to export: the one asked for, active or not, or the active ones that can be read. */
function chosen(meters: readonly MeterRow[], meter_id: number | undefined): MeterRow[] {
  if (meter_id === undefined)
    return meters.filter(({ is_active, sub_meter_kind }) => is_active === 1 && sub_meter_kind !== 'virtual');
  const found = meters.filter(({ id }) => id === meter_id);
  if (found.length > 0) return found;
  throw invalid([{ path: 'meter_id', message: 'is no meter of this property that you can see' }]);
}

function bodyOf(exported: Exported, { format, locale, sheets }: Query, now_ms: number) {
  switch (format!) {
    case 'csv':
      return toCsv(exported, locale!);
    case 'ndjson':
      return toNdjson(exported);
    case 'xlsx':
      return toXlsx(exported, sheets === 'per_meter');
    case 'greenbutton':
      return toGreenButton(exported, formatInstant(now_ms));
  }
}

export async function exportReadings(
  { db, clock }: Deps,
  caller: Caller,
  property_id: number,
  query: Query,
): Promise<ExportFile> {
  const property = await openProperty(db.read, caller, property_id);
  const period = periodOf(query, property.timezone);
  const meters = chosen(await visibleMeters(db.read, property), query.meter_id);
  const format = query.format!;
  return {
    format,
    name: `${property.display_name} readings.${EXTENSION[format]}`,
    body: bodyOf({ db: db.read, property, meters, ...period }, query, clock()),
  };
}
