import type { Static } from 'typebox';
import type * as contract from '../../contract/properties.ts';
import type { Property } from '../../contract/properties.ts';
import { fold, tidy } from '../../core/text.ts';
import { requireUser } from '../auth/access.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { openProperty } from './access.ts';
import { presentProperty } from './present.ts';
import * as store from './store.ts';

export async function createProperty(
  { db, clock }: Deps,
  caller: Caller,
  body: Static<typeof contract.createProperty.body>,
): Promise<Property> {
  const display_name = tidy(body.display_name);
  const created_at = clock();
  return db.write(async (tx) => {
    await requireUser(tx, caller);
    const property_id = await store.insertProperty(tx, {
      display_name,
      display_name_folded: fold(display_name),
      address: body.address ? tidy(body.address) : null,
      timezone: body.timezone ?? 'UTC',
      currency: body.currency ?? 'EUR',
      is_active: 1,
      created_at,
    });
    await store.insertMembership(tx, { property_id, user_id: caller.user_id, role: 'owner', created_at });
    await store.insertMainMeter(tx, property_id, created_at);
    return presentProperty(await openProperty(tx, caller, property_id));
  });
}

export async function listProperties(
  { db }: Deps,
  caller: Caller,
  query: Static<typeof contract.listProperties.query>,
): Promise<Listed<Property>> {
  const { rows, total } = await store.listProperties(db.read, caller, query, query);
  return listed(rows.map(presentProperty), total, query);
}

export async function getProperty({ db }: Deps, caller: Caller, property_id: number): Promise<Property> {
  return presentProperty(await openProperty(db.read, caller, property_id));
}

export async function updateProperty(
  { db, checkVersion }: Deps,
  caller: Caller,
  property_id: number,
  body: Static<typeof contract.updateProperty.body>,
): Promise<Property> {
  const { display_name, address, share_totals_with_tenants: shares, ...rest } = body;
  return db.write(async (tx) => {
    await store.lockProperty(tx, property_id);
    await openProperty(tx, caller, property_id);
    await checkVersion(tx);
    await store.updateProperty(tx, property_id, {
      ...rest,
      ...(shares === undefined ? {} : { share_totals_with_tenants: Number(shares) }),
      ...(display_name === undefined
        ? {}
        : { display_name: tidy(display_name), display_name_folded: fold(tidy(display_name)) }),
      ...(address === undefined ? {} : { address: address && tidy(address) }),
    });
    return presentProperty(await openProperty(tx, caller, property_id));
  });
}

export async function deleteProperty(
  { db, checkVersion }: Deps,
  caller: Caller,
  property_id: number,
  { cascade = false }: Static<typeof contract.deleteProperty.query>,
): Promise<void> {
  await db.write(async (tx) => {
    await store.lockProperty(tx, property_id);
    const { is_active } = await openProperty(tx, caller, property_id);
    await checkVersion(tx);
    if (!is_active) return;
    const submeters = await store.activeSubmeters(tx, property_id);
    if (submeters.length > 0 && !cascade) {
      const names = submeters.map(({ name }) => name).join(', ');
      throw new DomainError(
        'has_submeters',
        `The property has active submeters: ${names}. Delete them first, or send cascade=true to take them along.`,
      );
    }
    await store.deleteSubmeters(tx, property_id);
    await store.updateProperty(tx, property_id, { is_active: 0 });
  });
}

export async function restoreProperty({ db }: Deps, caller: Caller, property_id: number): Promise<Property> {
  return db.write(async (tx) => {
    await store.lockProperty(tx, property_id);
    const { is_active } = await openProperty(tx, caller, property_id);
    if (!is_active) {
      const repeated = await store.repeatedNames(tx, property_id);
      if (repeated.length > 0) {
        throw new DomainError(
          'name_taken',
          `Several of the submeters to restore are named ${repeated.join(', ')}: rename all but one first.`,
        );
      }
      await store.updateProperty(tx, property_id, { is_active: 1 });
      await store.restoreSubmeters(tx, property_id);
    }
    return presentProperty(await openProperty(tx, caller, property_id));
  });
}
