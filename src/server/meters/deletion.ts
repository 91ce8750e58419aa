/** Deleting meters so that they can be restored: their readings stay in the ledger, whatever happens to them. */
import type { Meter } from '../../contract/meters.ts';
import type { Caller } from '../auth/caller.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { requireActive } from '../properties/access.ts';
import { lockPropertyOfMeter } from '../properties/store.ts';
import { type OpenMeter, openMeter } from './access.ts';
import { nameTaken, presentOne } from './actions.ts';
import * as store from './store.ts';

export async function deleteMeter(
  { db, checkVersion }: Deps,
  caller: Caller,
  meter_id: number,
): Promise<void> {
  await db.write(async (tx) => {
    await lockPropertyOfMeter(tx, meter_id);
    const { meter, property } = await openMeter(tx, caller, meter_id);
    await checkVersion(tx);
    requireActive(property);
    const below = (await store.metersOf(tx, property.id)).filter(
      ({ is_active, parent_meter_id }) => is_active === 1 && parent_meter_id === meter_id,
    );
    if (below.length > 0) {
      const names = below.map(({ name }) => name).join(', ');
      throw new DomainError('has_submeters', `Below ${meter.name} hang ${names}: delete them first.`);
    }
    await store.updateMeter(tx, meter_id, { is_active: 0 });
  });
}

/** Throws where what a meter needs is not there any more. */
async function requirePlace(tx: Tx, { meter, property }: OpenMeter): Promise<void> {
  if (meter.meter_type === 'main_meter' && property.main_meter_id !== null) {
    throw new DomainError(
      'main_meter_exists',
      'The property has another main meter by now; it has exactly one: delete that one first.',
    );
  }
  const active = (await store.metersOf(tx, property.id)).filter(({ is_active }) => is_active === 1);
  if (active.some(({ name_folded }) => name_folded === meter.name_folded)) throw nameTaken(meter.name);
  if (meter.parent_meter_id !== null && !active.some(({ id }) => id === meter.parent_meter_id)) {
    throw new DomainError(
      'meter_inactive',
      'The meter that it hangs below is inactive: restore that one first.',
    );
  }
}

export async function restoreMeter({ db }: Deps, caller: Caller, meter_id: number): Promise<Meter> {
  return db.write(async (tx) => {
    await lockPropertyOfMeter(tx, meter_id);
    const opened = await openMeter(tx, caller, meter_id);
    requireActive(opened.property);
    if (opened.meter.is_active === 0) {
      await requirePlace(tx, opened);
      await store.updateMeter(tx, meter_id, { is_active: 1 });
    }
    return presentOne(tx, await openMeter(tx, caller, meter_id));
  });
}
