import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import { DomainError, forbidden, invalid, notFound } from '../errors.ts';
import { requireActive } from '../properties/access.ts';
import { findProperty, type MemberProperty } from '../properties/store.ts';
import { findMeter, type MeterRow } from './store.ts';

export interface OpenMeter {
  meter: MeterRow;
  property: MemberProperty;
}

/** @returns the meter and its property, if the user is a member; throws not_found or forbidden */
export async function openMeter(db: Db, caller: Caller, meter_id: number): Promise<OpenMeter> {
  const meter = await findMeter(db, meter_id);
  if (!meter) throw notFound('such meter');
  const property = await findProperty(db, caller.user_id, meter.property_id);
  if (!property?.role) throw forbidden('meter');
  return { meter, property: property as MemberProperty };
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
