import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import { DomainError, invalid, notFound } from '../errors.ts';
import { openPropertyOf, requireActive, sees } from '../properties/access.ts';
import type { MemberProperty } from '../properties/store.ts';
import { findMeter, type MeterRow, metersOf } from './store.ts';

export interface OpenMeter {
  meter: MeterRow;
  property: MemberProperty;
}

/** @returns the meter and its property, as openProperty does; a meter that a tenant does not see is somebody else's */
export async function openMeter(db: Db, caller: Caller, meter_id: number): Promise<OpenMeter> {
  const meter = await findMeter(db, meter_id);
  if (!meter) throw notFound('such meter');
  const { id, property_id } = meter;
  return { meter, property: await openPropertyOf(db, caller, { property_id, meter_id: id }, 'meter') };
}

/** The meters of a property that a member sees, the main meter first, then the submeters by name. */
export async function visibleMeters(db: Db, property: MemberProperty): Promise<MeterRow[]> {
  return (await metersOf(db, property.id)).filter(({ id }) => sees(property, id));
}

/** Throws where a meter takes no readings (domain: "What may be recorded", 1). @param path the field that named it */
export function requireRecordable({ meter, property }: OpenMeter, path: string): void {
  if (meter.sub_meter_kind === 'virtual') {
    throw invalid([{ path, message: `names ${meter.name}, a virtual meter: it is computed, not read` }]);
  }
  requireActive(property);
  requireActiveMeter(meter);
}

/** Throws meter_inactive where nothing may be recorded. */
export function requireActiveMeter({ is_active, name }: Pick<MeterRow, 'is_active' | 'name'>): void {
  if (!is_active) {
    throw new DomainError('meter_inactive', `The meter ${name} is inactive: restore it first.`);
  }
}
