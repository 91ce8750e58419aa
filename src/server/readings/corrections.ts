/** Corrections: a new entry supersedes the one in force and keeps who, when and why. Nothing is overwritten. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/readings.ts';
import type { Reading } from '../../contract/readings.ts';
import { deviceAt, type Recorded, registerSpan } from '../../core/reading.ts';
import { tidy } from '../../core/text.ts';
import { formatInstant, parseInstant } from '../../core/time.ts';
import { formatKwh, parseKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid, notFound } from '../errors.ts';
import { parsed } from '../http/input.ts';
import * as ledger from '../ledger/store.ts';
import { type Draft, draft, writeBatch } from '../ledger/write.ts';
import { type OpenMeter, openMeter, requireRecordable } from '../meters/access.ts';
import { project, rulesOf } from '../projection/project.ts';
import * as projection from '../projection/store.ts';
import { presentReading } from './present.ts';
import { entriesById } from './store.ts';

/** A reading in force, with its meter. */
interface Correctable extends OpenMeter {
  entry: ledger.EntryRow & { reading_timestamp: number; value_wh: number };
}

function isReading(entry: ledger.EntryRow): entry is Correctable['entry'] {
  return entry.kind === 'absolute' || entry.kind === 'relative';
}

async function openCorrectable(tx: Tx, caller: Caller, reading_id: number): Promise<Correctable> {
  await ledger.lockPropertyOfEntry(tx, reading_id);
  const entry = await ledger.findEntry(tx, reading_id);
  if (!entry || !isReading(entry)) throw notFound('such reading');
  const opened = await openMeter(tx, caller, entry.meter_id);
  requireRecordable(opened, 'reading_id');
  await requireInForce(tx, reading_id);
  return { ...opened, entry };
}

/** Throws reading_superseded, which names the entry that is in force instead, if there is one. */
async function requireInForce(tx: Tx, reading_id: number): Promise<void> {
  const latest_id = (await ledger.lineage(tx, reading_id)).at(-1)!;
  if (latest_id === reading_id) return;
  const latest = (await ledger.findEntry(tx, latest_id))!;
  if (isReading(latest)) {
    const detail = `Reading ${reading_id} was corrected by reading ${latest_id}: correct that one.`;
    throw new DomainError('reading_superseded', detail, { reading_id: latest_id });
  }
  throw new DomainError('reading_superseded', `Reading ${reading_id} was voided: record it anew.`);
}

/** The part of an entry that the projection is made of. */
export function toRecorded(entry: Draft | ledger.EntryRow): Recorded {
  return {
    reading_type: entry.kind as 'absolute' | 'relative',
    reading_timestamp: entry.reading_timestamp!,
    value_wh: entry.value_wh!,
    period_start: entry.period_start,
    rollover_wh: entry.rollover_wh,
    confirmed: entry.confirmed === 1,
  };
}

async function requireFree(tx: Tx, { meter, property }: OpenMeter, instant_ms: number): Promise<void> {
  const there = await projection.readingAt(tx, property.id, meter.id, instant_ms);
  if (!there) return;
  throw new DomainError(
    'reading_conflict',
    `${meter.name} has the value ${formatKwh(there.value_wh)} kWh at ${formatInstant(instant_ms)} already ` +
      `(entry ${there.entry_id}): void that one first, or choose another time.`,
    { reading_id: there.entry_id },
  );
}

/** Writes the entry that supersedes a reading. @param changes null to void it */
async function supersede(
  { clock }: Deps,
  tx: Tx,
  caller: Caller,
  correctable: Correctable,
  changes: Partial<Draft> | null,
  reason: string | null | undefined,
): Promise<number> {
  const { entry, meter, property } = correctable;
  const { id: supersedes_id, property_id: _, batch_id: __, leaf_hash: ___, ...as_it_was } = entry;
  const why = { supersedes_id, reason: reason ? tidy(reason) : null };
  const next =
    changes === null
      ? draft({ meter_id: meter.id, kind: 'void', ...why })
      : { ...as_it_was, ...changes, ...why };
  const moved = changes !== null && next.reading_timestamp !== entry.reading_timestamp;
  if (moved) await requireFree(tx, correctable, next.reading_timestamp!);
  const author = { caller, source: 'manual' as const, now_ms: clock() };
  const { entries } = await writeBatch(tx, property.id, author, [next]);
  const { id: entry_id } = entries[0]!;
  const added = changes === null ? [] : [{ ...toRecorded(next), entry_id }];
  await project(tx, { meter, added, removed: [entry.reading_timestamp] });
  return entry_id;
}

async function present(tx: Tx, reading_id: number): Promise<Reading> {
  const [row] = await entriesById(tx, [reading_id]);
  return presentReading(row!);
}

export async function correctReading(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { value, reading_timestamp, note, reason }: Static<typeof contract.correctReading.body>,
): Promise<Reading> {
  if (value === undefined && reading_timestamp === undefined && note === undefined) {
    throw invalid([{ path: 'body', message: 'must name a value, a reading_timestamp or a note to correct' }]);
  }
  return deps.db.write(async (tx) => {
    const correctable = await openCorrectable(tx, caller, reading_id);
    const { entry } = correctable;
    const instant_ms =
      reading_timestamp === undefined ? entry.reading_timestamp : parsed(parseInstant(reading_timestamp));
    if (entry.period_start !== null && entry.period_start >= instant_ms) {
      throw invalid([
        { path: 'reading_timestamp', message: 'must be later than the period_start of the reading' },
      ]);
    }
    const changes = {
      reading_timestamp: instant_ms,
      // What somebody settled was about the value as it was.
      ...(value === undefined ? {} : { value_wh: parsed(parseKwh(value)), rollover_wh: null, confirmed: 0 }),
      ...(note === undefined ? {} : { note: note && tidy(note) }),
    };
    return present(tx, await supersede(deps, tx, caller, correctable, changes, reason));
  });
}

export async function voidReading(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { reason }: Static<typeof contract.voidReading.query>,
): Promise<void> {
  await deps.db.write(async (tx) => {
    await supersede(deps, tx, caller, await openCorrectable(tx, caller, reading_id), null, reason);
  });
}

/** What to say where no rollover explains a reading: the register did not go down, or counts further than was said. */
function notARollover({ kind }: ledger.EntryRow, rollover_wh: number): DomainError {
  const message =
    kind === 'relative'
      ? 'a relative reading is an amount of energy: it has no register that could roll over'
      : `the register did not go down here, or showed more than ${formatKwh(rollover_wh)} kWh before: nothing rolled over`;
  return invalid([{ path: 'digits', message }]);
}

export async function settleRollover(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { digits, reason }: Static<typeof contract.settleRollover.body>,
): Promise<Reading> {
  return deps.db.write(async (tx) => {
    const correctable = await openCorrectable(tx, caller, reading_id);
    const { entry, meter } = correctable;
    const { devices } = await rulesOf(tx, meter);
    const device = deviceAt(devices, entry.reading_timestamp);
    const rollover_wh = registerSpan(digits === undefined ? device : { ...device, digits });
    if (rollover_wh === null) {
      throw invalid([{ path: 'digits', message: 'is required: nobody said how many digits the device has' }]);
    }
    const id = await supersede(deps, tx, caller, correctable, { rollover_wh }, reason);
    const { rolled_over } = (await projection.readingAt(
      tx,
      meter.property_id,
      meter.id,
      entry.reading_timestamp,
    ))!;
    if (!rolled_over) throw notARollover(entry, rollover_wh);
    return present(tx, id);
  });
}

export async function confirmReading(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { reason }: Static<typeof contract.confirmReading.body>,
): Promise<Reading> {
  return deps.db.write(async (tx) => {
    const correctable = await openCorrectable(tx, caller, reading_id);
    return present(tx, await supersede(deps, tx, caller, correctable, { confirmed: 1 }, reason));
  });
}
