import type { ArchivedProperty, Restored } from '../../contract/archive.ts';
import type { Caller } from '../auth/caller.ts';
import type { Db } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { zip } from '../exports/zip.ts';
import { spool } from '../http/spool.ts';
import { chainHead } from '../ledger/store.ts';
import { metersOf } from '../meters/store.ts';
import { openProperty, requireActive } from '../properties/access.ts';
import { lockProperty, updateProperty } from '../properties/store.ts';
import { contentsOf } from './contents.ts';
import { restoreMeters } from './meters.ts';
import { readArchive, readPhotos } from './read.ts';
import { rebuild } from './rebuild.ts';
import { Staging } from './staging.ts';
import { Unzipped } from './unzip.ts';

export async function archiveProperty(
  { db, clock, photos }: Deps,
  caller: Caller,
  property_id: number,
): Promise<{ name: string; body: AsyncGenerator<Buffer> }> {
  const property = await openProperty(db.read, caller, property_id);
  return { name: `${property.display_name}.zip`, body: zip(contentsOf(db.read, photos, property, clock())) };
}

/** The property with its one meter, if nothing was recorded in it yet. Throws property_not_empty. */
async function openEmpty(db: Db, caller: Caller, property_id: number) {
  const property = await openProperty(db, caller, property_id);
  requireActive(property);
  const meters = await metersOf(db, property_id);
  if (meters.length === 1 && property.main_meter_id !== null && !(await chainHead(db, property_id)))
    return { id: property.id, main_meter_id: property.main_meter_id };
  throw new DomainError(
    'property_not_empty',
    'An archive is restored into a property that has nothing but its main meter: create one for it.',
  );
}

/** What holds of the property as a whole; its name is the one it was created with. */
function settingsOf({ property }: ArchivedProperty) {
  const { address, timezone, currency, share_totals_with_tenants } = property;
  return { address, timezone, currency, share_totals_with_tenants: Number(share_totals_with_tenants) };
}

export async function restoreArchive(
  { db, clock, config, photos }: Deps,
  caller: Caller,
  property_id: number,
  upload: AsyncIterable<Uint8Array>,
): Promise<Restored> {
  await openEmpty(db.read, caller, property_id);
  const file = await spool(upload, config.MAX_IMPORT_MIB);
  const staging = new Staging();
  try {
    const archive = await Unzipped.of(file);
    const archived = await readArchive(archive, staging, clock);
    // Before the ledger that names them: by then they are kept.
    await readPhotos(archive, staging, photos);
    return await db.write(async (tx) => {
      await lockProperty(tx, property_id);
      const property = await openEmpty(tx, caller, property_id);
      await updateProperty(tx, property_id, settingsOf(archived));
      const meters = await restoreMeters(tx, property, archived.meters);
      const author = { caller, source: 'import' as const, now_ms: clock() };
      const rebuilt = await rebuild(tx, property_id, author, staging, meters);
      return { property_id, ...rebuilt, meters: meters.size, archived_head: archived.head };
    });
  } finally {
    staging.close();
    await file.close();
  }
}
