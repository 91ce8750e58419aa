import type { ArchivedProperty, Restored } from '../../contract/archive.ts';
import type { Caller } from '../auth/caller.ts';
import { Spool } from '../db/spool.ts';
import type { Db } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { chainHead } from '../ledger/store.ts';
import { metersOf } from '../meters/store.ts';
import { openProperty, requireActive } from '../properties/access.ts';
import { lockProperty, updateProperty } from '../properties/store.ts';
import { zip } from '../zip/zip.ts';
import { contentsOf } from './contents.ts';
import { restoreMeters } from './meters.ts';
import { openArchive, readArchive, readPhotos } from './read.ts';
import { rebuild } from './rebuild.ts';
import { Staging } from './staging.ts';

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

/** Throws body_too_large. */
async function* limited(upload: AsyncIterable<Uint8Array>, max_mib: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of upload) {
    bytes += chunk.length;
    if (bytes > max_mib * 1024 * 1024)
      throw new DomainError('body_too_large', `An archive may have ${max_mib} MiB (MAX_IMPORT_MIB).`);
    yield chunk;
  }
}

export async function restoreArchive(
  { db, clock, config, photos }: Deps,
  caller: Caller,
  property_id: number,
  upload: AsyncIterable<Uint8Array>,
): Promise<Restored> {
  await openEmpty(db.read, caller, property_id);
  const spool = await Spool.of(limited(upload, config.MAX_IMPORT_MIB));
  const staging = new Staging();
  try {
    const archive = openArchive(spool);
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
    spool.close();
  }
}
