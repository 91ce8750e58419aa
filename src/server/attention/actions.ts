import type { Static } from 'typebox';
import type * as contract from '../../contract/attention.ts';
import type { Attention } from '../../contract/attention.ts';
import { type Contracts, contracts } from '../../contract/index.ts';
import type { Contract, Role } from '../../contract/schema.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Deps } from '../deps.ts';
import { metersOf } from '../meters/store.ts';
import { openProperty, reaches } from '../properties/access.ts';
import { findAttention } from './find.ts';

/** Whether a role reaches what an action calls. */
function mayCall(role: Role, operation: string): boolean {
  const { role: needed = 'owner' }: Contract = contracts[operation as keyof Contracts];
  return reaches(role, needed);
}

export async function listAttention(
  { db, clock }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.listAttention.query>,
): Promise<Listed<Attention>> {
  const property = await openProperty(db.read, caller, property_id);
  const watched = { property, meters: await metersOf(db.read, property_id) };
  const items = (await findAttention(db.read, [watched], clock())).get(property_id)!;
  const { limit, offset } = query;
  const page = items.slice(offset, offset! + limit!).map((item) => ({
    ...item,
    actions: item.actions.filter(({ operation }) => mayCall(property.role, operation)),
  }));
  return listed(page, items.length, query);
}
