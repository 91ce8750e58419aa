/** The readings of an export, a page at a time: what a slow client has not read yet is not in memory. */
import type { MeterType } from '../../contract/meters.ts';
import type { Db } from '../db/tables.ts';
import type { MeterRow } from '../meters/store.ts';
import { type EntryRow, range } from '../readings/store.ts';
import { usernames } from './store.ts';

const ROWS_AT_ONCE = 1000;
/** From before the first instant there can be to after the last one: years have four digits. */
export const EVERY_INSTANT = { start_ms: -Date.UTC(10_000, 0, 1), end_ms: Date.UTC(10_000, 0, 1) };

/** A reading with the name of who recorded it, and the type of its meter. */
export type ExportedReading = EntryRow & { recorded_by: string; meter_type: MeterType };

export interface Exported {
  db: Db;
  property: { id: number; display_name: string; timezone: string };
  meters: readonly MeterRow[];
  /** Included. */
  start_ms: number;
  /** Not included. */
  end_ms: number;
}

/** Pages of readings of some of the meters, oldest first, then by meter. */
export async function* pagesOf(
  { db, property, start_ms, end_ms }: Exported,
  meters: readonly MeterRow[],
): AsyncGenerator<ExportedReading[]> {
  const names = new Map<number, string>();
  const types = new Map(meters.map(({ id, meter_type }) => [id, meter_type]));
  const ranged = { property_id: property.id, meter_ids: meters.map(({ id }) => id), start_ms, end_ms };
  let after: number[] | undefined;
  for (;;) {
    const rows = await range(db, ranged, { limit: ROWS_AT_ONCE, offset: 0, after });
    const unknown = new Set(rows.map((row) => row.recorded_by_user_id).filter((id) => !names.has(id)));
    if (unknown.size > 0) for (const [id, name] of await usernames(db, [...unknown])) names.set(id, name);
    yield rows.map((row) => ({
      ...row,
      recorded_by: names.get(row.recorded_by_user_id)!,
      meter_type: types.get(row.meter_id)!,
    }));
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_AT_ONCE) return;
    after = [last.reading_timestamp, last.meter_id];
  }
}

/** The flags of a reading, as they are written in a cell. */
export function flagsOf(row: ExportedReading): string {
  return (['decreased', 'rolled_over', 'implausible'] as const).filter((flag) => row[flag]).join(' ');
}
