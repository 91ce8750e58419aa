import type { Static } from 'typebox';
import type * as contract from '../../contract/meters.ts';
import type { Meter } from '../../contract/meters.ts';
import { fold, tidy } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import { uniqueViolation } from '../db/dialect.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid } from '../errors.ts';
import { openProperty, requireActive } from '../properties/access.ts';
import { insertMainMeter, lockProperty, MAIN_METER_NAME, type MemberProperty } from '../properties/store.ts';
import { openMeter } from './access.ts';
import * as store from './store.ts';

function present({ name_folded: _, is_active, created_at, ...row }: store.MeterRow): Meter {
  return { ...row, is_active: is_active === 1, created_at: formatInstant(created_at) };
}

/** Runs a write in which a name may turn out to be taken. */
async function withName<T>(name: string | undefined, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (name === undefined || !uniqueViolation(error)) throw error;
    throw new DomainError(
      'name_taken',
      `An active meter of this property is named ${name} already: choose another name.`,
    );
  }
}

export async function createMainMeter(
  { db, clock }: Deps,
  user_id: number,
  { property_id }: Static<typeof contract.createMainMeter.body>,
): Promise<Meter> {
  return withName(MAIN_METER_NAME, () =>
    db.write(async (tx) => {
      await lockProperty(tx, property_id);
      const property = await openProperty(tx, user_id, property_id);
      requireActive(property);
      if (property.main_meter_id !== null) {
        throw new DomainError(
          'main_meter_exists',
          'The property has its main meter; a property has exactly one.',
        );
      }
      const meter_id = await insertMainMeter(tx, property_id, clock());
      return present((await openMeter(tx, user_id, meter_id)).meter);
    }),
  );
}

/** The meter that a new submeter hangs under: the one named, else the main meter. */
async function parentOf(
  tx: Tx,
  property: MemberProperty,
  wanted: number | null | undefined,
): Promise<number> {
  const parent_meter_id = wanted ?? property.main_meter_id;
  const parent = parent_meter_id === null ? undefined : await store.findMeter(tx, parent_meter_id);
  if (parent?.property_id !== property.id || parent.sub_meter_kind === 'virtual') {
    const message = 'must be the main meter or a physical submeter of the same property';
    throw invalid([{ path: 'parent_meter_id', message }]);
  }
  if (!parent.is_active) {
    throw new DomainError(
      'meter_inactive',
      `The meter ${parent.name} is inactive: restore it, or choose another parent.`,
    );
  }
  return parent.id;
}

export async function createSubmeter(
  { db, clock }: Deps,
  user_id: number,
  body: Static<typeof contract.createSubmeter.body>,
): Promise<Meter> {
  const name = tidy(body.name);
  const meter = await withName(name, () =>
    db.write(async (tx) => {
      await lockProperty(tx, body.property_id);
      const property = await openProperty(tx, user_id, body.property_id);
      requireActive(property);
      return store.insertMeter(tx, {
        property_id: property.id,
        parent_meter_id: await parentOf(tx, property, body.parent_meter_id),
        name,
        name_folded: fold(name),
        location: body.location ? tidy(body.location) : null,
        meter_type: 'sub_meter',
        sub_meter_kind: body.sub_meter_kind ?? 'physical',
        is_active: 1,
        created_at: clock(),
      });
    }),
  );
  return present(meter);
}

export async function listMeters(
  { db }: Deps,
  user_id: number,
  property_id: number,
  query: Static<typeof contract.listMeters.query>,
): Promise<Listed<Meter>> {
  await openProperty(db.read, user_id, property_id);
  const { rows, total } = await store.listMeters(db.read, property_id, query, query);
  return listed(rows.map(present), total, query);
}

export async function getMeter({ db }: Deps, user_id: number, meter_id: number): Promise<Meter> {
  return present((await openMeter(db.read, user_id, meter_id)).meter);
}

export async function updateMeter(
  { db }: Deps,
  user_id: number,
  meter_id: number,
  { name: wanted, location }: Static<typeof contract.updateMeter.body>,
): Promise<Meter> {
  const name = wanted === undefined ? undefined : tidy(wanted);
  return withName(name, () =>
    db.write(async (tx) => {
      await openMeter(tx, user_id, meter_id);
      await store.updateMeter(tx, meter_id, {
        ...(name === undefined ? {} : { name, name_folded: fold(name) }),
        ...(location === undefined ? {} : { location: location && tidy(location) }),
      });
      return present((await openMeter(tx, user_id, meter_id)).meter);
    }),
  );
}
