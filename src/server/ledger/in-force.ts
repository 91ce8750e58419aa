import type { EntryRow, InForce } from './store.ts';
import type { Draft } from './write.ts';

/** The row of the projection that an entry stands for; null for voids and for first devices. */
export function toInForce(entry: Draft | EntryRow, entry_id: number): InForce | null {
  const { kind, reading_timestamp, value_wh, period_start, rollover_wh, confirmed } = entry;
  if (kind === 'void' || reading_timestamp === null) return null;
  return {
    reading_type: kind === 'device' ? 'replacement' : (kind as 'absolute' | 'relative'),
    reading_timestamp,
    value_wh: value_wh!,
    period_start,
    rollover_wh,
    confirmed: confirmed === 1,
    entry_id,
  };
}
