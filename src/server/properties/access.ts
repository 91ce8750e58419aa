/** Who may do what in a property: decided from the database with every request. */
import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import { DomainError, forbidden, notFound } from '../errors.ts';
import { findProperty, type MemberProperty, type PropertyRow } from './store.ts';

/** @returns the property, if the user is a member; throws not_found or forbidden */
export async function openProperty(db: Db, caller: Caller, property_id: number): Promise<MemberProperty> {
  const property = await findProperty(db, caller.user_id, property_id);
  if (!property) throw notFound('such property');
  if (!property.role) throw forbidden('property');
  return property as MemberProperty;
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
