/** Whether what an archive says was recorded could have been: a chain that holds may still be one that somebody made up. */
import { type Static, Type } from 'typebox';
import { Closed, Id, Note, Nullable, OneOf, Text } from '../../contract/schema.ts';
import { MAX_INSTANT_MS, MIN_INSTANT_MS } from '../../core/time.ts';
import { MAX_REGISTER_WH } from '../../core/units.ts';

const InstantMs = Type.Integer({ minimum: MIN_INSTANT_MS, maximum: MAX_INSTANT_MS });
const Register = Type.Integer({ minimum: 0, maximum: MAX_REGISTER_WH });

/** An entry of a ledger, field by field. */
export const ArchivedEntry = Closed({
  id: Id,
  property_id: Id,
  batch_id: Id,
  meter_id: Id,
  kind: OneOf(['absolute', 'relative', 'device', 'void']),
  reading_timestamp: Nullable(InstantMs),
  value_wh: Nullable(Register),
  period_start: Nullable(InstantMs),
  rollover_wh: Nullable(Type.Integer({ minimum: 1, maximum: MAX_REGISTER_WH + 1 })),
  confirmed: Type.Integer({ minimum: 0, maximum: 1 }),
  initial_value_wh: Nullable(Register),
  serial_number: Nullable(Text(100)),
  digits: Nullable(Type.Integer({ minimum: 1, maximum: 9 })),
  multiplier: Nullable(Type.Integer({ minimum: 1, maximum: 9000 })),
  note: Nullable(Note(2000)),
  supersedes_id: Nullable(Id),
  reason: Nullable(Note(500)),
  photo_sha256: Nullable(Type.String({ pattern: '^[0-9a-f]{64}$' })),
});
export type ArchivedEntry = Static<typeof ArchivedEntry>;

type Field = keyof ArchivedEntry;
const OF_READINGS = ['period_start', 'rollover_wh', 'note', 'photo_sha256'] as const;
const OF_DEVICES = ['initial_value_wh', 'serial_number', 'digits', 'multiplier'] as const;
const MEASURED = ['reading_timestamp', 'value_wh'] as const;
/** What an entry of each kind says, and what it does not. */
const KINDS: Record<ArchivedEntry['kind'], { says: readonly Field[]; leaves_out: readonly Field[] }> = {
  absolute: { says: MEASURED, leaves_out: [...OF_DEVICES, 'period_start'] },
  relative: { says: MEASURED, leaves_out: [...OF_DEVICES, 'rollover_wh'] },
  device: { says: ['multiplier'], leaves_out: OF_READINGS },
  void: { says: ['supersedes_id'], leaves_out: [...MEASURED, ...OF_READINGS, ...OF_DEVICES] },
};

/** What is wrong with an entry whose fields are each in their range; null if nothing. @param latest_ms when it is now */
export function faultOf(entry: ArchivedEntry, latest_ms: number): string | null {
  const { kind, reading_timestamp, value_wh, initial_value_wh, period_start } = entry;
  const { says, leaves_out } = KINDS[kind];
  const missing = says.find((field) => entry[field] === null);
  if (missing) return `a ${kind} entry without ${missing}`;
  const surplus = leaves_out.find((field) => entry[field] !== null);
  if (surplus) return `a ${kind} entry with ${surplus}`;
  const of_replacement = [reading_timestamp, value_wh, initial_value_wh].filter((field) => field !== null);
  if (kind === 'device' && of_replacement.length % 3 !== 0)
    return 'a device that is neither the first one nor a replacement';
  if (reading_timestamp !== null && reading_timestamp > latest_ms) return 'a reading in the future';
  if (period_start !== null && period_start >= reading_timestamp!)
    return 'an interval that ends before it begins';
  return null;
}
