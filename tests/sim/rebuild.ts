/** The projection as it follows from the entries in force, from the first one on. */
import type { Selectable } from 'kysely';
import { type Device, FIRST_DEVICE, type Standing, step } from '../../src/core/reading.ts';
import type { Tables } from '../../src/server/db/tables.ts';

const TYPES = ['absolute', 'relative', 'replacement'] as const;

type Row = Tables['readings'];

/** @returns the rows of all meters, in order of their ids and of time */
export function rebuild(
  meters: readonly Pick<Selectable<Tables['meters']>, 'id' | 'property_id' | 'plausibility_factor'>[],
  entries: readonly Omit<Selectable<Tables['ledger_entries']>, 'leaf_hash'>[],
): Row[] {
  const gone = new Set(entries.map(({ supersedes_id }) => supersedes_id));
  const in_force = entries.filter(({ id, kind }) => kind !== 'void' && !gone.has(id));
  const rebuilt: Row[] = [];
  for (const { id: meter_id, property_id, plausibility_factor } of meters.toSorted((a, b) => a.id - b.id)) {
    const of_meter = in_force
      .filter((entry) => entry.meter_id === meter_id)
      .sort((a, b) => (a.reading_timestamp ?? 0) - (b.reading_timestamp ?? 0));
    const said = of_meter
      .filter(({ kind }) => kind === 'device')
      .map(
        (entry): Device => ({
          installed_at: entry.reading_timestamp,
          initial_value_wh: entry.initial_value_wh,
          digits: entry.digits,
          multiplier: entry.multiplier!,
        }),
      );
    const first = said.find(({ installed_at }) => installed_at === null) ?? FIRST_DEVICE;
    const devices = [first, ...said.filter(({ installed_at }) => installed_at !== null)];
    let row: Standing | null = null;
    for (const { id: entry_id, kind, reading_timestamp, value_wh, ...entry } of of_meter) {
      if (reading_timestamp === null) continue;
      const { period_start, rollover_wh } = entry;
      const reading_type = kind === 'device' ? 'replacement' : (kind as 'absolute' | 'relative');
      const recorded = { reading_timestamp, value_wh: value_wh!, period_start, rollover_wh };
      const rules = { devices, plausibility_factor };
      row = step(row, { ...recorded, reading_type, confirmed: entry.confirmed === 1 }, rules);
      const { highest_w: _, ...stored } = row;
      rebuilt.push({
        ...{ property_id, meter_id, entry_id },
        ...stored,
        reading_type: TYPES.indexOf(reading_type),
        confirmed: Number(row.confirmed),
        is_highest: Number(row.is_highest),
        decreased: Number(row.decreased),
        rolled_over: Number(row.rolled_over),
        implausible: Number(row.implausible),
      });
    }
  }
  return rebuilt;
}
