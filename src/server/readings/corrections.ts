/** Corrections: a new entry supersedes the one in force and keeps who, when and why. Nothing is overwritten. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/readings.ts';
import type { Reading } from '../../contract/readings.ts';
import { deviceAt, registerSpan } from '../../core/reading.ts';
import { tidy } from '../../core/text.ts';
import { formatInstant, parseInstant } from '../../core/time.ts';
import { formatKwh, parseKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, inTheWay, invalid, notFound } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { parsed } from '../http/input.ts';
import { toInForce } from '../ledger/in-force.ts';
import * as ledger from '../ledger/store.ts';
import { type Draft, draft, writeBatch } from '../ledger/write.ts';
import { type OpenMeter, openMeter, requireRecordable } from '../meters/access.ts';
import { project, rulesOf } from '../projection/project.ts';
import * as projection from '../projection/store.ts';
import { reaches, requireRole } from '../properties/access.ts';
import type { MemberProperty } from '../properties/store.ts';
import { presentReading } from './present.ts';
import { exceedsRegister, tooManyDigits } from './register.ts';
import { entriesById } from './store.ts';

type ReadingEntry = ledger.EntryRow & { reading_timestamp: number; value_wh: number };

/** A reading in force, with its meter. */
interface Correctable extends OpenMeter {
  entry: ReadingEntry;
}

function isReading(entry: ledger.EntryRow): entry is ReadingEntry {
  return entry.kind === 'absolute' || entry.kind === 'relative';
}

const SAID = ['kind', 'reading_timestamp', 'value_wh', 'period_start'] as const;

/** Whether two entries say the same of a meter, whatever was settled about it. */
function saysTheSame(a: Draft, b: Draft): boolean {
  return SAID.every((column) => a[column] === b[column]);
}

/** Says which entry is in force instead of a reading, if there is one. */
function superseded(reading_id: number, latest: ledger.EntryRow): DomainError {
  if (!isReading(latest)) {
    return new DomainError('reading_superseded', `Reading ${reading_id} was voided: record it anew.`);
  }
  const detail = `Reading ${reading_id} was corrected by reading ${latest.id}: correct that one.`;
  return new DomainError('reading_superseded', detail, { reading_id: latest.id });
}

/**
 * @param isSettled tells whether an entry is what the call would make of the reading: a call that is repeated then finds
 *   what it did, also under the id that the reading had before
 * @throws reading_superseded where another entry is in force
 */
async function openCorrectable(
  { checkVersion }: Deps,
  tx: Tx,
  caller: Caller,
  reading_id: number,
  isSettled: (entry: ReadingEntry) => boolean = () => false,
): Promise<Correctable> {
  await ledger.lockPropertyOfEntry(tx, reading_id);
  const entry = await ledger.findEntry(tx, reading_id);
  if (!entry || !isReading(entry)) throw notFound('such reading');
  const opened = await openMeter(tx, caller, entry.meter_id);
  await requireOwn(tx, caller, opened.property, entry);
  await checkVersion(tx);
  requireRecordable(opened, 'reading_id');
  const latest_id = (await ledger.lineage(tx, reading_id)).at(-1)!;
  if (latest_id === reading_id) return { ...opened, entry };
  const latest = (await ledger.findEntry(tx, latest_id))!;
  if (isReading(latest) && saysTheSame(entry, latest) && isSettled(latest))
    return { ...opened, entry: latest };
  throw superseded(reading_id, latest);
}

/** Throws role_too_low where somebody below an editor would change what somebody else recorded. */
async function requireOwn(
  tx: Tx,
  caller: Caller,
  property: MemberProperty,
  { id, batch_id }: ledger.EntryRow,
): Promise<void> {
  if (reaches(property.role, 'editor')) return;
  const batch = (await ledger.findBatch(tx, batch_id))!;
  if (batch.recorded_by_user_id === caller.user_id) return;
  requireRole(property, 'editor', `Reading ${id} was recorded by somebody else: changing it`);
}

/** Throws reading_conflict where something stands at an instant already. */
export async function requireFree(tx: Tx, { meter, property }: OpenMeter, instant_ms: number): Promise<void> {
  const there = await projection.readingAt(tx, property.id, meter.id, instant_ms);
  if (!there) return;
  const at = formatInstant(instant_ms);
  const what =
    there.reading_type === 'replacement'
      ? `The device of ${meter.name} was replaced at ${at} already (device ${there.entry_id})`
      : `${meter.name} has the value ${formatKwh(there.value_wh)} kWh at ${at} already (reading ${there.entry_id})`;
  throw new DomainError(
    'reading_conflict',
    `${what}: choose another time, or take that one back first.`,
    inTheWay(there),
  );
}

/** Writes the entry that supersedes a reading. @param changes null to void it */
async function supersede(
  { clock }: Deps,
  tx: Tx,
  caller: Caller,
  correctable: Correctable,
  changes: Partial<Draft> | null,
  reason: string | undefined,
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
  const added = toInForce(next, entry_id);
  await project(tx, { meter, added: added ? [added] : [], removed: [entry.reading_timestamp] });
  return entry_id;
}

async function present(tx: Tx, reading_id: number): Promise<Reading> {
  const [row] = await entriesById(tx, [reading_id]);
  return presentReading(row!);
}

type Correction = Static<typeof contract.correctReading.body>;

/** What a reading says once it is corrected. @throws validation_failed where its interval would not be one */
function corrected(
  entry: ReadingEntry,
  { value, reading_timestamp, period_start, note, photo_sha256 }: Correction,
): Draft {
  if (period_start !== undefined && entry.kind === 'absolute') {
    throw invalid([
      { path: 'period_start', message: 'goes with relative readings only: a register has no period' },
    ]);
  }
  const next: Draft = {
    ...entry,
    ...(value === undefined ? {} : { value_wh: parsed(parseKwh(value)) }),
    ...(reading_timestamp === undefined
      ? {}
      : { reading_timestamp: parsed(parseInstant(reading_timestamp)) }),
    ...(period_start === undefined
      ? {}
      : { period_start: period_start === null ? null : parsed(parseInstant(period_start)) }),
    ...(note === undefined ? {} : { note: note && tidy(note) }),
    ...(photo_sha256 === undefined ? {} : { photo_sha256 }),
  };
  if (next.period_start !== null && next.period_start >= next.reading_timestamp!) {
    throw invalid([
      period_start
        ? { path: 'period_start', message: 'must be earlier than the reading_timestamp' }
        : { path: 'reading_timestamp', message: 'must be later than the period_start of the reading' },
    ]);
  }
  // What somebody settled was about the reading as it was.
  return saysTheSame(entry, next) ? next : { ...next, rollover_wh: null, confirmed: 0 };
}

export async function correctReading(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  body: Correction,
): Promise<Reading> {
  const { reason, ...named } = body;
  if (Object.keys(named).length === 0) {
    const message =
      'must name a value, a reading_timestamp, a period_start, a note or a photo_sha256 to correct';
    throw invalid([{ path: 'body', message }]);
  }
  return deps.db.write(async (tx) => {
    const correctable = await openCorrectable(deps, tx, caller, reading_id);
    const { entry, meter } = correctable;
    const next = corrected(entry, body);
    const { reading_timestamp, value_wh, period_start, rollover_wh, confirmed, note, photo_sha256 } = next;
    const said = { reading_timestamp, value_wh, period_start, note, photo_sha256 };
    const changes = { ...said, rollover_wh, confirmed };
    const id = await supersede(deps, tx, caller, correctable, changes, reason);
    if (entry.kind === 'absolute' && !saysTheSame(entry, { ...entry, ...changes })) {
      const device = deviceAt((await rulesOf(tx, meter)).devices, reading_timestamp!);
      if (exceedsRegister(device, value_wh!)) {
        const path = body.value === undefined ? 'reading_timestamp' : 'value';
        throw invalid([{ path, message: tooManyDigits(meter.name, device, value_wh!) }]);
      }
    }
    return present(tx, id);
  });
}

export async function voidReading(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { reason }: Static<typeof contract.voidReading.query>,
): Promise<void> {
  await deps.db.write(async (tx) => {
    await supersede(deps, tx, caller, await openCorrectable(deps, tx, caller, reading_id), null, reason);
  });
}

/** What to say where no rollover explains a reading: the register did not go down, or counts further than was said. */
function notARollover({ kind, value_wh }: ReadingEntry, rollover_wh: number): DomainError {
  const span = `${formatKwh(rollover_wh)} kWh`;
  const of_register =
    value_wh >= rollover_wh
      ? `the register shows ${formatKwh(value_wh)} kWh, and would begin again at ${span}: say how many digits it has`
      : `the register did not go down here, or showed more than ${span} before: nothing rolled over`;
  const message =
    kind === 'relative'
      ? 'a relative reading is an amount of energy: it has no register that could roll over'
      : of_register;
  return invalid([{ path: 'digits', message }]);
}

export async function settleRollover(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { digits, reason }: Static<typeof contract.settleRollover.body>,
): Promise<Outcome<Reading>> {
  return deps.db.write(async (tx) => {
    const said_wh = digits === undefined ? null : registerSpan({ digits });
    const correctable = await openCorrectable(
      deps,
      tx,
      caller,
      reading_id,
      (entry) => entry.rollover_wh !== null && (said_wh === null || entry.rollover_wh === said_wh),
    );
    const { entry, meter } = correctable;
    const { devices } = await rulesOf(tx, meter);
    const device_wh = registerSpan(deviceAt(devices, entry.reading_timestamp));
    const rollover_wh = said_wh ?? device_wh;
    const rowNow = () => projection.readingAt(tx, meter.property_id, meter.id, entry.reading_timestamp);
    const before = (await rowNow())!;
    if (before.rolled_over && (digits === undefined || (entry.rollover_wh ?? device_wh) === rollover_wh)) {
      return { created: false, body: await present(tx, entry.id) };
    }
    if (rollover_wh === null) {
      throw invalid([{ path: 'digits', message: 'is required: nobody said how many digits the device has' }]);
    }
    if (entry.value_wh >= rollover_wh) throw notARollover(entry, rollover_wh);
    const id = await supersede(deps, tx, caller, correctable, { rollover_wh }, reason);
    if (!(await rowNow())!.rolled_over) throw notARollover(entry, rollover_wh);
    return { created: true, body: await present(tx, id) };
  });
}

/** Why there is nothing to confirm. */
export function nothingToConfirm(path: string): DomainError {
  const message = 'is not flagged implausible: there is nothing to confirm';
  return invalid([{ path, message }]);
}

export async function confirmReading(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  { reason }: Static<typeof contract.confirmReading.body>,
): Promise<Outcome<Reading>> {
  return deps.db.write(async (tx) => {
    const correctable = await openCorrectable(
      deps,
      tx,
      caller,
      reading_id,
      ({ confirmed }) => confirmed === 1,
    );
    const { entry, meter } = correctable;
    if (entry.confirmed === 1) return { created: false, body: await present(tx, entry.id) };
    const row = await projection.readingAt(tx, meter.property_id, meter.id, entry.reading_timestamp);
    if (!row!.implausible) throw nothingToConfirm('reading_id');
    const id = await supersede(deps, tx, caller, correctable, { confirmed: 1 }, reason);
    return { created: true, body: await present(tx, id) };
  });
}
