import { type Static, Type } from 'typebox';
import { METER_TYPES, SUB_METER_KINDS } from './meters.ts';
import { PropertyParams } from './properties.ts';
import {
  Closed,
  Currency,
  contract,
  Id,
  Instant,
  Note,
  Nullable,
  OneOf,
  ROLES,
  Text,
  Timezone,
} from './schema.ts';

export const ARCHIVE_FORMAT = 'electric-archive-1';
/** What an archive holds. */
export const ARCHIVED_FILES = {
  about: 'README.txt',
  property: 'property.json',
  ledger: 'ledger.ndjson',
  readings: 'readings.csv',
} as const;

/** Where the photo is that a ledger names. */
export function archivedPhoto(photo_sha256: string): string {
  return `photos/${photo_sha256}.jpg`;
}

/** A meter by its id in the archive; formulas name meters by these ids too. */
const ArchivedMeter = Closed({
  id: Id,
  name: Text(200),
  location: Nullable(Text(200)),
  meter_type: OneOf(METER_TYPES),
  sub_meter_kind: Nullable(OneOf(SUB_METER_KINDS)),
  parent_meter_id: Nullable(Id),
  formula: Nullable(
    Type.Array(
      Closed({
        meter_id: Id,
        factor: Type.Unsafe<string>({ type: 'string', 'x-check': 'factor' }),
      }),
      { maxItems: 100 },
    ),
  ),
  plausibility_factor: Nullable(Type.Integer({ minimum: 2, maximum: 1_000_000 })),
  is_active: Type.Boolean(),
  created_at: Instant,
});
export type ArchivedMeter = Static<typeof ArchivedMeter>;

/** `property.json` of an archive. What is said of devices and members is for people: a restore does not read it. */
export const ArchivedProperty = Closed({
  format: Type.Literal(ARCHIVE_FORMAT),
  exported_at: Instant,
  head: Nullable(Closed({ sequence: Id, hash: Type.String({ pattern: '^[0-9a-f]{64}$' }) })),
  property: Closed({
    id: Id,
    display_name: Text(200),
    address: Nullable(Note(500)),
    timezone: Timezone,
    currency: Currency,
    share_totals_with_tenants: Type.Boolean(),
    created_at: Instant,
  }),
  meters: Type.Array(ArchivedMeter, { minItems: 1, maxItems: 10_000 }),
  devices: Type.Array(
    Type.Object({
      meter_id: Id,
      serial_number: Nullable(Type.String()),
      digits: Nullable(Type.Integer()),
      multiplier: Type.Integer(),
      installed_at: Nullable(Instant),
      removed_at: Nullable(Instant),
      initial_value: Nullable(Type.String()),
      final_value: Nullable(Type.String()),
      reason: Nullable(Type.String()),
    }),
  ),
  members: Type.Array(
    Type.Object({
      username: Type.String(),
      role: OneOf(ROLES),
      meter_ids: Nullable(Type.Array(Id)),
      since: Instant,
    }),
  ),
});
export type ArchivedProperty = Static<typeof ArchivedProperty>;

export const archiveProperty = contract({
  name: 'archiveProperty',
  method: 'GET',
  url: '/api/properties/:property_id/archive',
  summary: 'Download everything of a property as one archive',
  description:
    `A ZIP of ${Object.values(ARCHIVED_FILES).join(', ')}: the property with its meters, formulas, devices and members; ` +
    'the proof file of its ledger; the readings in force as a table; and the photos that were taken with them.',
  tag: 'exports',
  role: 'owner',
  limit: 'export',
  params: PropertyParams,
  download: ['application/zip'],
  response: { 200: Type.Unsafe<unknown>({ type: 'string' }) },
  errors: ['forbidden', 'not_found'],
});

export const Restored = Type.Object(
  {
    property_id: Id,
    batch_id: Nullable(Id),
    meters: Type.Integer(),
    entries: Type.Integer({ description: 'Everything that was ever recorded, corrections included' }),
    readings: Type.Integer({ description: 'Readings and replacements in force' }),
    archived_head: Nullable(
      Type.Object(
        { sequence: Type.Integer(), hash: Type.String() },
        { description: 'Of the ledger in the archive, which was verified' },
      ),
    ),
  },
  { $id: 'Restored' },
);
export type Restored = Static<typeof Restored>;

export const restoreArchive = contract({
  name: 'restoreArchive',
  method: 'POST',
  url: '/api/properties/:property_id/archive',
  summary: 'Restore an archive into an empty property, of this server or of another one',
  description:
    "The archive's ledger is verified first; then its settings, meters and everything that was ever recorded, with " +
    'corrections and reasons, come in as one batch by whoever restores it, whole or not at all. The name of the ' +
    'property stays; members are invited anew. Who recorded what and when stands in the proof file of the archive: keep it.',
  tag: 'exports',
  role: 'owner',
  params: PropertyParams,
  streams: ['application/zip', 'application/octet-stream'],
  response: { 201: Restored },
  errors: [
    'forbidden',
    'not_found',
    'property_inactive',
    'property_not_empty',
    'interval_overlap',
    'body_too_large',
  ],
});
