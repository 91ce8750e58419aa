import type { Static } from 'typebox';
import type * as contract from '../../contract/meters.ts';
import type { Meter } from '../../contract/meters.ts';
import { DEFAULT_PLAUSIBILITY_FACTOR } from '../../core/reading.ts';
import { fold, tidy } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import type { Caller } from '../auth/caller.ts';
import { uniqueViolation } from '../db/dialect.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Db, Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid } from '../errors.ts';
import { draft, writeBatch } from '../ledger/write.ts';
import { FOREVER_MS, project } from '../projection/project.ts';
import { openProperty, requireActive, sees } from '../properties/access.ts';
import {
  insertMainMeter,
  lockProperty,
  lockPropertyOfMeter,
  MAIN_METER_NAME,
  type MemberProperty,
} from '../properties/store.ts';
import { type OpenMeter, openMeter } from './access.ts';
import { presentFormula, readFormula } from './formulas.ts';
import * as store from './store.ts';

function present({ meter, property }: OpenMeter, meters: readonly store.MeterRow[]): Meter {
  const { name_folded: _, deleted_with_property: __, formula, is_active, created_at, ...rest } = meter;
  const { parent_meter_id, ...row } = rest;
  return {
    ...row,
    parent_meter_id: parent_meter_id !== null && sees(property, parent_meter_id) ? parent_meter_id : null,
    // A formula names other meters: whoever sees only some of them gets its value, not how it comes about.
    formula: property.view.meter_ids === null ? presentFormula(formula, meters) : null,
    is_active: is_active === 1,
    created_at: formatInstant(created_at),
  };
}

/** A meter as it is presented; only a virtual one needs to know the names of the others. */
export async function presentOne(db: Db, opened: OpenMeter): Promise<Meter> {
  const { formula, property_id } = opened.meter;
  return present(opened, formula === null ? [] : await store.metersOf(db, property_id));
}

const NO_FORMULA = { path: 'formula', message: 'goes with a virtual meter: this one is read' };

export function nameTaken(name: string): DomainError {
  const detail = `An active meter of this property is named ${name} already: choose another name.`;
  return new DomainError('name_taken', detail);
}

/** Runs a write in which a name may turn out to be taken. */
async function withName<T>(name: string | undefined, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (name === undefined || !uniqueViolation(error)) throw error;
    throw nameTaken(name);
  }
}

export async function createMainMeter(
  { db, clock }: Deps,
  caller: Caller,
  { property_id }: Static<typeof contract.createMainMeter.body>,
): Promise<Meter> {
  return withName(MAIN_METER_NAME, () =>
    db.write(async (tx) => {
      await lockProperty(tx, property_id);
      const property = await openProperty(tx, caller, property_id);
      requireActive(property);
      if (property.main_meter_id !== null) {
        throw new DomainError(
          'main_meter_exists',
          'The property has its main meter; a property has exactly one.',
        );
      }
      const meter_id = await insertMainMeter(tx, property_id, clock());
      return presentOne(tx, await openMeter(tx, caller, meter_id));
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
  caller: Caller,
  body: Static<typeof contract.createSubmeter.body>,
): Promise<Meter> {
  const is_virtual = body.sub_meter_kind === 'virtual';
  if (body.device && is_virtual) {
    throw invalid([{ path: 'device', message: 'goes with a physical meter: a virtual one is computed' }]);
  }
  if (body.formula && !is_virtual) throw invalid([NO_FORMULA]);
  const name = tidy(body.name);
  return withName(name, () =>
    db.write(async (tx) => {
      await lockProperty(tx, body.property_id);
      const property = await openProperty(tx, caller, body.property_id);
      requireActive(property);
      const created = await store.insertMeter(tx, {
        property_id: property.id,
        parent_meter_id: await parentOf(tx, property, body.parent_meter_id),
        name,
        name_folded: fold(name),
        location: body.location ? tidy(body.location) : null,
        meter_type: 'sub_meter',
        sub_meter_kind: body.sub_meter_kind ?? 'physical',
        formula: body.formula ? readFormula(body.formula, await store.metersOf(tx, property.id), null) : null,
        plausibility_factor: DEFAULT_PLAUSIBILITY_FACTOR,
        is_active: 1,
        created_at: clock(),
      });
      if (body.device) {
        const { serial_number, digits = null, multiplier = 1 } = body.device;
        const author = { caller, source: 'manual' as const, now_ms: created.created_at };
        const said = { serial_number: serial_number ? tidy(serial_number) : null, digits, multiplier };
        await writeBatch(tx, property.id, author, [draft({ meter_id: created.id, kind: 'device', ...said })]);
      }
      return presentOne(tx, { meter: created, property });
    }),
  );
}

export async function listMeters(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: Static<typeof contract.listMeters.query>,
): Promise<Listed<Meter>> {
  const property = await openProperty(db.read, caller, property_id);
  const { rows, total } = await store.listMeters(db.read, property_id, property.view.meter_ids, query, query);
  const meters = rows.some(({ formula }) => formula !== null)
    ? await store.metersOf(db.read, property_id)
    : [];
  return listed(
    rows.map((meter) => present({ meter, property }, meters)),
    total,
    query,
  );
}

export async function getMeter({ db }: Deps, caller: Caller, meter_id: number): Promise<Meter> {
  return presentOne(db.read, await openMeter(db.read, caller, meter_id));
}

export async function updateMeter(
  { db, checkVersion }: Deps,
  caller: Caller,
  meter_id: number,
  { name: wanted, location, formula, plausibility_factor }: Static<typeof contract.updateMeter.body>,
): Promise<Meter> {
  const name = wanted === undefined ? undefined : tidy(wanted);
  return withName(name, () =>
    db.write(async (tx) => {
      await lockPropertyOfMeter(tx, meter_id);
      const { meter } = await openMeter(tx, caller, meter_id);
      await checkVersion(tx);
      if (formula && meter.sub_meter_kind !== 'virtual') throw invalid([NO_FORMULA]);
      const meters = formula ? await store.metersOf(tx, meter.property_id) : [];
      await store.updateMeter(tx, meter_id, {
        ...(formula ? { formula: readFormula(formula, meters, meter) } : {}),
        ...(plausibility_factor === undefined ? {} : { plausibility_factor }),
        ...(name === undefined ? {} : { name, name_folded: fold(name) }),
        ...(location === undefined ? {} : { location: location && tidy(location) }),
      });
      if (plausibility_factor !== undefined) {
        const everything = { from_ms: -FOREVER_MS, until_ms: FOREVER_MS };
        await project(tx, {
          meter: { ...meter, plausibility_factor },
          added: [],
          removed: [],
          ...everything,
        });
      }
      return presentOne(tx, await openMeter(tx, caller, meter_id));
    }),
  );
}
