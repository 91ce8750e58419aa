import type { Static } from 'typebox';
import type * as contract from '../../contract/devices.ts';
import type { Device } from '../../contract/devices.ts';
import { tidy } from '../../core/text.ts';
import { formatInstant, parseInstant } from '../../core/time.ts';
import { formatKwh, parseKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Db, Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid, notFound } from '../errors.ts';
import { parsed } from '../http/input.ts';
import * as ledger from '../ledger/store.ts';
import { draft, writeBatch } from '../ledger/write.ts';
import { openMeter, requireRecordable } from '../meters/access.ts';
import type { MeterRow } from '../meters/store.ts';
import { FOREVER_MS, project } from '../projection/project.ts';
import * as projection from '../projection/store.ts';
import { lockPropertyOfMeter } from '../properties/store.ts';
import { replacementWarning } from '../readings/present.ts';

async function present(db: Db, meter: MeterRow): Promise<Device[]> {
  const entries = await ledger.devicesOf(db, meter.id);
  const devices: Device[] = [];
  const unsaid = { id: null, serial_number: null, digits: null, multiplier: 1, installed_at: null };
  if (entries[0]?.reading_timestamp !== null) {
    devices.push({
      ...unsaid,
      meter_id: meter.id,
      removed_at: null,
      initial_value: null,
      final_value: null,
      reason: null,
      warnings: [],
    });
  }
  for (const {
    id,
    serial_number,
    digits,
    multiplier,
    reading_timestamp,
    value_wh,
    initial_value_wh,
    reason,
  } of entries) {
    const closed = devices.at(-1);
    const row =
      reading_timestamp === null
        ? undefined
        : await projection.readingAt(db, meter.property_id, meter.id, reading_timestamp);
    if (closed && reading_timestamp !== null) {
      closed.removed_at = formatInstant(reading_timestamp);
      closed.final_value = formatKwh(value_wh!);
    }
    devices.push({
      id,
      meter_id: meter.id,
      serial_number,
      digits,
      multiplier: multiplier!,
      installed_at: reading_timestamp === null ? null : formatInstant(reading_timestamp),
      removed_at: null,
      initial_value: initial_value_wh === null ? null : formatKwh(initial_value_wh),
      final_value: null,
      reason,
      warnings: row?.decreased ? [replacementWarning(meter.id, id, meter.name, reading_timestamp!)] : [],
    });
  }
  return devices;
}

export async function listDevices(
  { db }: Deps,
  caller: Caller,
  meter_id: number,
  query: Static<typeof contract.listDevices.query>,
): Promise<Listed<Device>> {
  const { meter } = await openMeter(db.read, caller, meter_id);
  const devices = await present(db.read, meter);
  const { limit, offset } = query;
  return listed(devices.slice(offset, offset! + limit!), devices.length, query);
}

/** A meter whose device may be spoken of, locked. */
async function open(tx: Tx, caller: Caller, meter_id: number) {
  await lockPropertyOfMeter(tx, meter_id);
  const opened = await openMeter(tx, caller, meter_id);
  requireRecordable(opened, 'meter_id');
  return opened;
}

export async function describeDevice(
  { db, clock }: Deps,
  caller: Caller,
  meter_id: number,
  { serial_number, digits, multiplier, reason }: Static<typeof contract.describeDevice.body>,
): Promise<Device> {
  return db.write(async (tx) => {
    const { meter, property } = await open(tx, caller, meter_id);
    const current = (await ledger.devicesOf(tx, meter_id)).at(-1);
    const next = draft({
      meter_id,
      kind: 'device',
      reading_timestamp: current?.reading_timestamp ?? null,
      value_wh: current?.value_wh ?? null,
      initial_value_wh: current?.initial_value_wh ?? null,
      serial_number:
        serial_number === undefined ? (current?.serial_number ?? null) : serial_number && tidy(serial_number),
      digits: digits === undefined ? (current?.digits ?? null) : digits,
      multiplier: multiplier ?? current?.multiplier ?? 1,
      supersedes_id: current?.id ?? null,
      reason: reason ? tidy(reason) : null,
    });
    const { entries } = await writeBatch(tx, property.id, { caller, source: 'manual', now_ms: clock() }, [
      next,
    ]);
    const from_ms = next.reading_timestamp ?? -FOREVER_MS;
    // The row of a replacement stands for the entry that is in force.
    const added =
      next.reading_timestamp === null
        ? []
        : [
            {
              reading_type: 'replacement' as const,
              reading_timestamp: next.reading_timestamp,
              value_wh: next.value_wh!,
              period_start: null,
              rollover_wh: null,
              confirmed: false,
              entry_id: entries[0]!.id,
            },
          ];
    await project(tx, { meter, added, removed: [], from_ms, until_ms: FOREVER_MS });
    return (await present(tx, meter)).at(-1)!;
  });
}

export async function replaceDevice(
  { db, clock }: Deps,
  caller: Caller,
  meter_id: number,
  body: Static<typeof contract.replaceDevice.body>,
): Promise<Device> {
  const replaced_ms = parsed(parseInstant(body.replaced_at));
  const final_wh = parsed(parseKwh(body.final_value));
  return db.write(async (tx) => {
    const { meter, property } = await open(tx, caller, meter_id);
    const there = await projection.readingAt(tx, property.id, meter_id, replaced_ms);
    if (there) {
      const what = there.reading_type === 'replacement' ? 'was replaced' : 'has a reading';
      throw new DomainError(
        'reading_conflict',
        `${meter.name} ${what} at ${formatInstant(replaced_ms)} already (entry ${there.entry_id}): ` +
          'record the replacement a minute before or after, or void that one first.',
        { reading_id: there.entry_id },
      );
    }
    const before = (await ledger.devicesOf(tx, meter_id)).findLast(
      ({ reading_timestamp }) => (reading_timestamp ?? -FOREVER_MS) < replaced_ms,
    );
    const next = draft({
      meter_id,
      kind: 'device',
      reading_timestamp: replaced_ms,
      value_wh: final_wh,
      initial_value_wh: parsed(parseKwh(body.initial_value)),
      serial_number: body.serial_number ? tidy(body.serial_number) : null,
      digits: body.digits ?? null,
      multiplier: body.multiplier ?? before?.multiplier ?? 1,
      reason: body.reason ? tidy(body.reason) : null,
    });
    const { entries } = await writeBatch(tx, property.id, { caller, source: 'manual', now_ms: clock() }, [
      next,
    ]);
    const replacement = {
      reading_type: 'replacement' as const,
      reading_timestamp: replaced_ms,
      value_wh: final_wh,
      period_start: null,
      rollover_wh: null,
      confirmed: false,
      entry_id: entries[0]!.id,
    };
    // Another multiplier, or other digits, concern every reading of the new device.
    const same = next.multiplier === (before?.multiplier ?? 1) && next.digits === (before?.digits ?? null);
    await project(tx, {
      meter,
      added: [replacement],
      removed: [],
      ...(same ? {} : { until_ms: FOREVER_MS }),
    });
    return (await present(tx, meter)).find(({ id }) => id === entries[0]!.id)!;
  });
}

export async function undoReplacement(
  { db, clock }: Deps,
  caller: Caller,
  { meter_id, device_id }: Static<typeof contract.undoReplacement.params>,
  { reason }: Static<typeof contract.undoReplacement.query>,
): Promise<void> {
  await db.write(async (tx) => {
    const { meter, property } = await open(tx, caller, meter_id);
    const device = (await ledger.devicesOf(tx, meter_id)).find(({ id }) => id === device_id);
    if (!device) throw notFound('such device at this meter');
    if (device.reading_timestamp === null) {
      throw invalid([
        { path: 'device_id', message: 'is the first device of the meter: it replaced nothing' },
      ]);
    }
    const next = draft({
      meter_id,
      kind: 'void',
      supersedes_id: device_id,
      reason: reason ? tidy(reason) : null,
    });
    await writeBatch(tx, property.id, { caller, source: 'manual', now_ms: clock() }, [next]);
    await project(tx, { meter, added: [], removed: [device.reading_timestamp], until_ms: FOREVER_MS });
  });
}
