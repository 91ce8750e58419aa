/** What is in the archive of a property. */
import {
  ARCHIVE_FORMAT,
  ARCHIVED_FILES,
  type ArchivedMeter,
  type ArchivedProperty,
  archivedPhoto,
} from '../../contract/archive.ts';
import { formatFactor } from '../../core/formula.ts';
import { formatInstant } from '../../core/time.ts';
import type { Db } from '../db/tables.ts';
import { presentDevices } from '../devices/present.ts';
import { toCsv } from '../exports/csv.ts';
import { EVERY_INSTANT } from '../exports/rows.ts';
import { proofFile } from '../ledger/chain.ts';
import { chainHead, photosAfter } from '../ledger/store.ts';
import { formulasOf } from '../meters/formulas.ts';
import { type MeterRow, metersOf } from '../meters/store.ts';
import { presentMember } from '../people/present.ts';
import { listMembers } from '../people/store.ts';
import type { Photos } from '../photos/photos.ts';
import type { PropertyRow } from '../properties/store.ts';
import type { ZippedFile } from '../zip/zip.ts';

const ABOUT = `This is everything that Electric knows of one property.

${ARCHIVED_FILES.property}  the property, its meters with their formulas and devices, and its members
${ARCHIVED_FILES.ledger}  the proof file: everything that was ever recorded, with corrections, each batch chained to the one before
${ARCHIVED_FILES.readings}    the readings in force as a table, for a spreadsheet
photos/         photos of registers, named as the ledger names them: by their SHA-256

To check that nothing in the ledger was changed: electric ledger verify ${ARCHIVED_FILES.ledger}
To restore it into an empty property, of the same server or of another: electric restore <this archive> --property <name>
Keep this file: who recorded what and when stands in its ledger, not in a restored one.
`;

const PHOTOS_AT_ONCE = 1000;
const EVERYBODY = { limit: Number.MAX_SAFE_INTEGER, offset: 0 };

function archiveMeter(meter: MeterRow, meters: readonly MeterRow[]): ArchivedMeter {
  const { id, name, location, meter_type, sub_meter_kind, parent_meter_id, plausibility_factor } = meter;
  const terms = formulasOf(meters).get(id) ?? [];
  return {
    ...{ id, name, location, meter_type, sub_meter_kind, parent_meter_id },
    formula:
      meter.formula === null
        ? null
        : terms.map(({ meter_id, factor_milli }) => ({ meter_id, factor: formatFactor(factor_milli) })),
    plausibility_factor,
    // What went with the property comes back with it.
    is_active: meter.is_active === 1 || meter.deleted_with_property === 1,
    created_at: formatInstant(meter.created_at),
  };
}

async function archiveDevices(db: Db, meters: readonly MeterRow[]): Promise<ArchivedProperty['devices']> {
  const archived: ArchivedProperty['devices'] = [];
  for (const meter of meters.filter(({ sub_meter_kind }) => sub_meter_kind !== 'virtual')) {
    for (const { id: _, warnings: __, ...device } of await presentDevices(db, meter)) archived.push(device);
  }
  return archived;
}

/** The photos that the ledger names and that were brought. */
async function* photosOf(db: Db, photos: Photos, property_id: number): AsyncGenerator<ZippedFile> {
  for (let named = await photosAfter(db, property_id, '', PHOTOS_AT_ONCE); named.length > 0; ) {
    for (const sha256 of named) {
      const bytes = await photos.get(sha256);
      if (bytes) yield { name: archivedPhoto(sha256), content: [bytes] };
    }
    named = await photosAfter(db, property_id, named.at(-1)!, PHOTOS_AT_ONCE);
  }
}

/** The files of an archive; what is recorded after it was asked for is not in its ledger. */
export async function* contentsOf(
  db: Db,
  photos: Photos,
  property: PropertyRow,
  now_ms: number,
): AsyncGenerator<ZippedFile> {
  // The head before the meters: whatever stands below it is of a meter that is there by then.
  const head = await chainHead(db, property.id);
  const meters = await metersOf(db, property.id);
  const { id, display_name, address, timezone, currency } = property;
  const archived: ArchivedProperty = {
    format: ARCHIVE_FORMAT,
    exported_at: formatInstant(now_ms),
    head: head ? { sequence: head.sequence, hash: head.hash } : null,
    property: {
      ...{ id, display_name, address, timezone, currency },
      share_totals_with_tenants: property.share_totals_with_tenants === 1,
      created_at: formatInstant(property.created_at),
    },
    meters: meters.map((meter) => archiveMeter(meter, meters)),
    devices: await archiveDevices(db, meters),
    members: (await listMembers(db, property.id, EVERYBODY)).rows.map((row) => {
      const { user_id: _, ...member } = presentMember(row);
      return member;
    }),
  };
  yield { name: ARCHIVED_FILES.about, content: [ABOUT] };
  yield { name: ARCHIVED_FILES.property, content: [`${JSON.stringify(archived, null, 2)}\n`] };
  yield { name: ARCHIVED_FILES.ledger, content: proofFile(db, property.id, head?.sequence ?? 0) };
  const exported = { db, property, meters, ...EVERY_INSTANT };
  yield { name: ARCHIVED_FILES.readings, content: toCsv(exported, 'en') };
  yield* photosOf(db, photos, property.id);
}
