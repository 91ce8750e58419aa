import type { ImportProgress, ImportReport } from '../../contract/imports.ts';
import { DEFAULT_PLAUSIBILITY_FACTOR } from '../../core/reading.ts';
import { fold } from '../../core/text.ts';
import type { Caller } from '../auth/caller.ts';
import type { Db, Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, forbidden } from '../errors.ts';
import { requireActiveMeter, visibleMeters } from '../meters/access.ts';
import { insertMeter, type MeterRow, metersOf } from '../meters/store.ts';
import { openProperty, requireActive, requireRole, sees } from '../properties/access.ts';
import { lockProperty, type MemberProperty } from '../properties/store.ts';
import { Findings } from './findings.ts';
import { presentReport } from './present.ts';
import { type Query, readQuestion } from './question.ts';
import { type Received, receive } from './receive.ts';
import { Recorder } from './record.ts';
import { Staging } from './store.ts';
import { type Target, Targets } from './targets.ts';

const MIB = 1024 * 1024;

/** A file on its way. */
export interface Sent {
  bytes: AsyncIterable<Uint8Array>;
  /** Null where the request does not say. */
  size: number | null;
  progress: (progress: ImportProgress) => void;
}

/** The property, if its meters may be read in, and created where that is asked for. */
async function openToImport(db: Db, caller: Caller, { property_id, create_missing }: Query) {
  const property = await openProperty(db, caller, property_id);
  requireActive(property);
  if (create_missing) {
    requireRole(property, 'editor', 'Creating meters');
    if (caller.api_key)
      throw new DomainError(
        'insufficient_scope',
        'An API key creates no meters: sign in for create_missing.',
      );
  }
  return property;
}

/** What a meter is like that an import creates. */
function newMeter(property: MemberProperty, { name }: Target, created_at: number): Omit<MeterRow, 'id'> {
  if (property.main_meter_id === null) {
    const detail = `The property has no main meter that ${name} could hang under: create it first.`;
    throw new DomainError('meter_inactive', detail);
  }
  return {
    property_id: property.id,
    parent_meter_id: property.main_meter_id,
    ...{ name, name_folded: fold(name), location: null, meter_type: 'sub_meter', sub_meter_kind: 'physical' },
    ...{ formula: null, plausibility_factor: DEFAULT_PLAUSIBILITY_FACTOR },
    ...{ is_active: 1, deleted_with_property: 0, created_at },
  };
}

/** The meters as they are by now: somebody may have changed one, or created it, while the file came in. */
async function settleMeters(
  tx: Tx,
  property: MemberProperty,
  targets: readonly Target[],
  now_ms: number,
): Promise<{ target: Target; meter: MeterRow }[]> {
  const now = await metersOf(tx, property.id);
  const settled: { target: Target; meter: MeterRow }[] = [];
  for (const target of targets) {
    const known = target.meter
      ? now.find(({ id }) => id === target.meter!.id)!
      : now.find(({ is_active, name_folded }) => is_active && name_folded === fold(target.name));
    if (known && !sees(property, known.id)) throw forbidden('meter');
    if (known) requireActiveMeter(known);
    if (known?.sub_meter_kind === 'virtual')
      throw new DomainError(
        'meter_inactive',
        `${known.name} is a virtual meter by now: it takes no readings.`,
      );
    // Only a meter of this import's own counts as created.
    if (known) target.meter = known;
    settled.push({ target, meter: known ?? (await insertMeter(tx, newMeter(property, target, now_ms))) });
  }
  return settled;
}

/** Says what would come of an upload; writes nothing, and holds nobody up. */
async function preview(
  { db, clock }: Deps,
  caller: Caller,
  query: Query,
  from: { staging: Staging; findings: Findings; targets: readonly Target[]; received: Received; sent: Sent },
): Promise<ImportReport> {
  const property = await openToImport(db.read, caller, query);
  const now_ms = clock();
  const wanted = from.targets.map((target) => ({
    target,
    meter: target.meter ?? { ...newMeter(property, target, now_ms), id: 0 },
  }));
  const author = { caller, source: 'import' as const, now_ms };
  const into = { db: db.read, tx: null, property_id: property.id, author };
  const recorder = new Recorder(into, from, from.received, from.sent.progress);
  return presentReport(property.id, from.findings, from.received, await recorder.record(wanted));
}

/**
 * Reads the whole upload, then records it in one transaction, in pages; with `dry_run` only says what would happen.
 * @throws validation_failed, reading_conflict, interval_overlap, meter_inactive; a dry run lists them instead
 */
export async function importReadings(
  deps: Deps,
  caller: Caller,
  query: Query,
  sent: Sent,
): Promise<ImportReport> {
  const { db, clock, config } = deps;
  const property = await openToImport(db.read, caller, query);
  const { wishes, meter_names } = readQuestion(query);
  const { property_id, dry_run = false, create_missing = false } = query;
  const findings = new Findings(dry_run);
  const naming = { meters: await visibleMeters(db.read, property), meter_names, create_missing };
  const targets = new Targets(naming, findings);
  const staging = new Staging();
  try {
    const upload = {
      ...sent,
      ...{ wishes, timezone: property.timezone, max_bytes: config.MAX_IMPORT_MIB * MIB },
    };
    const received = await receive(upload, { staging, targets, findings }, clock());
    const with_readings = targets.all.filter(({ count }) => count > 0);
    const from = { staging, findings, targets: with_readings, received, sent };
    if (dry_run) return await preview(deps, caller, query, from);
    return await db.write(async (tx) => {
      await lockProperty(tx, property_id);
      const as_it_is = await openToImport(tx, caller, query);
      const author = { caller, source: 'import' as const, now_ms: clock() };
      const meters = await settleMeters(tx, as_it_is, with_readings, author.now_ms);
      // The pages yield to the event loop in between: nothing else runs in this transaction, and reads go on beside it.
      const recorder = new Recorder({ db: tx, tx, property_id, author }, from, received, sent.progress);
      return presentReport(property_id, findings, received, await recorder.record(meters));
    });
  } finally {
    staging.close();
  }
}
