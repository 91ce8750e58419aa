import type { Static } from 'typebox';
import type * as contract from '../../contract/properties.ts';
import type { Property } from '../../contract/properties.ts';
import { fold, tidy } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Deps } from '../deps.ts';
import { openProperty } from './access.ts';
import * as store from './store.ts';

function present(row: store.MemberProperty): Property {
  const { id, display_name, address, timezone, currency, is_active, main_meter_id, role, created_at } = row;
  return {
    id,
    display_name,
    address,
    timezone,
    currency,
    is_active: is_active === 1,
    main_meter_id,
    role,
    created_at: formatInstant(created_at),
  };
}

export async function createProperty(
  { db, clock }: Deps,
  caller: Caller,
  body: Static<typeof contract.createProperty.body>,
): Promise<Property> {
  const display_name = tidy(body.display_name);
  const created_at = clock();
  return db.write(async (tx) => {
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
    return present(await openProperty(tx, caller, property_id));
  });
}

export async function listProperties(
  { db }: Deps,
  caller: Caller,
  query: Static<typeof contract.listProperties.query>,
): Promise<Listed<Property>> {
  const { rows, total } = await store.listProperties(db.read, caller.user_id, query, query);
  return listed(rows.map(present), total, query);
}

export async function getProperty({ db }: Deps, caller: Caller, property_id: number): Promise<Property> {
  return present(await openProperty(db.read, caller, property_id));
}

export async function updateProperty(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  body: Static<typeof contract.updateProperty.body>,
): Promise<Property> {
  const { display_name, address, ...rest } = body;
  return db.write(async (tx) => {
    await openProperty(tx, caller, property_id);
    await store.updateProperty(tx, property_id, {
      ...rest,
      ...(display_name === undefined
        ? {}
        : { display_name: tidy(display_name), display_name_folded: fold(tidy(display_name)) }),
      ...(address === undefined ? {} : { address: address && tidy(address) }),
    });
    return present(await openProperty(tx, caller, property_id));
  });
}
