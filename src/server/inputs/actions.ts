/** Readings as devices send them: they name no time, know nothing of each other, and send nothing twice. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/inputs.ts';
import type { CameraNumber, DeviceReport } from '../../contract/inputs.ts';
import type { Reading } from '../../contract/readings.ts';
import { formatInstant } from '../../core/time.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { visibleMeters } from '../meters/access.ts';
import { openProperty, requireActive } from '../properties/access.ts';
import { recordOne } from '../readings/single.ts';
import { understand } from './camera.ts';

export async function createDeviceReading(
  { db, clock }: Deps,
  caller: Caller,
  meter_id: number,
  { reading_timestamp, ...said }: Static<typeof contract.createDeviceReading.body>,
): Promise<Outcome<Reading>> {
  if (said.reading_type === 'relative' && reading_timestamp === undefined) {
    const message = 'is required with reading_type relative: sent again, the same energy would count twice';
    throw invalid([{ path: 'reading_timestamp', message }]);
  }
  const now_ms = clock();
  const at = reading_timestamp ?? formatInstant(now_ms - (now_ms % 1000));
  const author = { caller, source: 'device' as const, now_ms };
  return db.write((tx) => recordOne(tx, author, meter_id, { ...said, reading_timestamp: at }));
}

type Reported = DeviceReport['readings'][number];

const NOTHING = { meter_id: null, reading_id: null, reading_timestamp: null, value: null, code: null };

/** Records each number in a transaction of its own, so that one that is refused takes no other with it. */
export async function createDeviceReadings(
  { db, clock, log }: Deps,
  caller: Caller,
  property_id: number,
  numbers: readonly CameraNumber[],
): Promise<DeviceReport> {
  const property = await openProperty(db.read, caller, property_id);
  requireActive(property);
  const meters = await visibleMeters(db.read, property);
  const now_ms = clock();
  const author = { caller, source: 'device' as const, now_ms };

  async function take(number: CameraNumber): Promise<Reported> {
    const { name } = number;
    const understood = understand(number, meters, now_ms);
    if ('skipped' in understood) {
      return { ...NOTHING, name, outcome: 'skipped', reason: understood.skipped };
    }
    if ('refused' in understood) {
      const { refused: reason } = understood;
      return { ...NOTHING, name, outcome: 'refused', code: 'validation_failed', reason };
    }
    const { meter_id, value } = understood.reading;
    const reading_timestamp = formatInstant(understood.reading.reading_timestamp);
    try {
      const { created, body } = await db.write((tx) =>
        recordOne(tx, author, meter_id, { value, reading_timestamp }),
      );
      const outcome = created ? 'recorded' : 'unchanged';
      const recorded = { reading_id: body.id, reading_timestamp, value: body.value };
      return { name, outcome, meter_id, ...recorded, code: null, reason: null };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const { code, message: reason, reading_id = null } = error;
      return { ...NOTHING, name, outcome: 'refused', meter_id, reading_id, reading_timestamp, code, reason };
    }
  }

  const readings: Reported[] = [];
  for (const number of numbers) readings.push(await take(number));
  const those = (outcome: Reported['outcome']) => readings.filter((each) => each.outcome === outcome);
  const refused = those('refused');
  if (refused.length > 0) {
    log.warn({ property_id, refused: refused.map(({ reason }) => reason) }, 'what a device sent was refused');
  }
  return {
    property_id,
    recorded: those('recorded').length,
    unchanged: those('unchanged').length,
    skipped: those('skipped').length,
    refused: refused.length,
    readings,
  };
}
