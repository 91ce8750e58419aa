/** Who may do what in a property: decided from the database with every request. */
import { ROLES, type Role } from '../../contract/schema.ts';
import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import { DomainError, forbidden, notFound } from '../errors.ts';
import { findProperty, type MemberProperty, type PropertyRow } from './store.ts';

/** Whether a role may do what `needed` may. */
export function reaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(needed);
}

/** Throws role_too_low. @param what completes "This call", "Reading 5 was recorded by somebody else: correcting it" … */
export function requireRole({ role }: MemberProperty, needed: Role, what = 'This call'): void {
  if (reaches(role, needed)) return;
  throw new DomainError(
    'role_too_low',
    `${what} needs the role ${needed}, and yours in this property is ${role}: ask an owner.`,
  );
}

/** Whether a meter exists for a member. */
export function sees({ view }: Pick<MemberProperty, 'view'>, meter_id: number): boolean {
  return view.meter_ids === null || view.meter_ids.has(meter_id);
}

/** Throws insufficient_scope where the caller's key is for another property. */
function requireWithin({ api_key }: Caller, property_id: number): void {
  if (api_key === null || api_key.property_id === null || api_key.property_id === property_id) return;
  const only = `This API key is for property ${api_key.property_id} only`;
  throw new DomainError('insufficient_scope', `${only}: use another key, or sign in.`);
}

/** @returns the property, if the caller has the role that the call needs; throws not_found, forbidden, role_too_low */
export async function openProperty(db: Db, caller: Caller, property_id: number): Promise<MemberProperty> {
  const property = await findProperty(db, caller.user_id, property_id);
  if (!property) throw notFound('such property');
  if (property === 'stranger') throw forbidden('property');
  requireWithin(caller, property_id);
  requireRole(property, caller.needs ?? 'owner');
  return property;
}

/**
 * The same for what hangs on one meter of a property: to a member who does not see that meter it belongs to somebody
 * else, as to a stranger.
 * @param what names it: "meter", "reading"
 */
export async function openPropertyOf(
  db: Db,
  caller: Caller,
  { property_id, meter_id }: { property_id: number; meter_id: number },
  what: string,
): Promise<MemberProperty> {
  const property = await findProperty(db, caller.user_id, property_id);
  if (!property || property === 'stranger' || !sees(property, meter_id)) throw forbidden(what);
  requireWithin(caller, property_id);
  requireRole(property, caller.needs ?? 'owner');
  return property;
}

/** Throws property_inactive where nothing may be recorded or added. */
export function requireActive({
  is_active,
  display_name,
}: Pick<PropertyRow, 'is_active' | 'display_name'>): void {
  if (!is_active) {
    throw new DomainError('property_inactive', `The property ${display_name} is inactive: restore it first.`);
  }
}
