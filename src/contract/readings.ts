import { type Static, Type } from 'typebox';
import { MeterParams } from './meters.ts';
import { PropertyParams } from './properties.ts';
import {
  Closed,
  CursorList,
  CursorPage,
  contract,
  DateOrInstantInput,
  Id,
  Instant,
  InstantInput,
  Kwh,
  KwhInput,
  List,
  Note,
  Nullable,
  OneOf,
  Page,
  PastInstantInput,
  Reason,
} from './schema.ts';

export const READING_TYPES = ['absolute', 'relative'] as const;
export const SOURCES = ['manual', 'import', 'api', 'device'] as const;
export const FLAGS = ['decreased', 'rolled_over', 'implausible'] as const;
export type Source = (typeof SOURCES)[number];

export const Warning = Type.Object(
  {
    code: OneOf(['decreased', 'implausible', 'submeters_exceed_main', 'submeters_exceed_parent'], {
      description: 'Stable, for programs',
    }),
    meter_id: Nullable(Id),
    reading_id: Nullable(Id),
    device_id: Nullable(Id),
    detail: Type.String({ description: 'What it means and what to do about it' }),
  },
  { $id: 'Warning' },
);
export type Warning = Static<typeof Warning>;

export const Reading = Type.Object(
  {
    id: Id,
    property_id: Id,
    meter_id: Id,
    meter_name: Type.String(),
    reading_timestamp: Instant,
    value: Kwh,
    reading_type: OneOf(READING_TYPES),
    period_start: Nullable(Instant),
    note: Nullable(Type.String()),
    photo_sha256: Nullable(Type.String({ description: 'Of the photo that was taken with it, hexadecimal' })),
    source: OneOf(SOURCES),
    flags: Type.Array(OneOf(FLAGS)),
    recorded_by_user_id: Id,
    recorded_by_api_key_id: Nullable(Id),
    created_at: Instant,
    batch_id: Id,
    supersedes_id: Nullable(Id),
    superseded_by_id: Nullable(Id),
    reason: Nullable(Type.String()),
    warnings: Type.Array(Warning),
  },
  { $id: 'Reading' },
);
export type Reading = Static<typeof Reading>;

export const Revision = Type.Object(
  {
    id: Id,
    kind: OneOf([...READING_TYPES, 'void']),
    reading_timestamp: Nullable(Instant),
    value: Nullable(Kwh),
    period_start: Nullable(Instant),
    note: Nullable(Type.String()),
    photo_sha256: Nullable(Type.String()),
    reason: Nullable(Type.String()),
    source: OneOf(SOURCES),
    recorded_by_user_id: Id,
    recorded_by: Type.String({ description: 'Username; "former user" once the account is deleted' }),
    recorded_by_api_key_id: Nullable(Id),
    created_at: Instant,
    batch_id: Id,
    supersedes_id: Nullable(Id),
    superseded_by_id: Nullable(Id),
  },
  { $id: 'Revision' },
);
export type Revision = Static<typeof Revision>;

/** Of a photo that is brought afterwards: the ledger says which one it was. */
const PhotoHash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the photo that shows the register, 64 lower-case hexadecimal digits',
});

const ReadingType = OneOf(READING_TYPES, {
  default: 'absolute',
  description:
    'absolute: what the register showed; relative: energy used over the interval that ends at the timestamp',
});

export const createReading = contract({
  name: 'createReading',
  method: 'POST',
  url: '/api/readings',
  summary: 'Record one reading',
  description:
    'The same value again for the same meter and instant is the same reading: 200 with the first one. ' +
    'Another value is a conflict (409) that names the reading to correct.',
  tag: 'readings',
  role: 'tenant',
  scope: 'readings:write',
  etag: true,
  body: Closed({
    meter_id: Id,
    reading_timestamp: PastInstantInput,
    value: KwhInput,
    reading_type: Type.Optional(ReadingType),
    period_start: Type.Optional(Nullable(InstantInput)),
    note: Type.Optional(Nullable(Note(2000))),
    photo_sha256: Type.Optional(Nullable(PhotoHash)),
  }),
  response: { 201: Reading, 200: Reading },
  errors: [
    'forbidden',
    'not_found',
    'reading_conflict',
    'interval_overlap',
    'meter_inactive',
    'property_inactive',
  ],
});

export const createReadings = contract({
  name: 'createReadings',
  method: 'POST',
  url: '/api/readings/bulk',
  summary: 'Record a round: the main meter and submeters, read at one instant',
  description: 'Written whole or not at all. 200 if every reading was there already, with the same value.',
  tag: 'readings',
  role: 'reader',
  scope: 'readings:write',
  body: Closed({
    property_id: Id,
    reading_timestamp: PastInstantInput,
    main_meter_value: KwhInput,
    // Not Type.Record: its pattern for keys passes over names with a line break, and leaves their values unchecked.
    submeter_readings: Type.Unsafe<Record<string, string | number>>({
      type: 'object',
      additionalProperties: KwhInput,
      maxProperties: 1000,
      description: 'Name of an active submeter → value',
    }),
    reading_type: Type.Optional(ReadingType),
  }),
  response: { 201: List(Reading), 200: List(Reading) },
  errors: [
    'forbidden',
    'not_found',
    'reading_conflict',
    'interval_overlap',
    'meter_inactive',
    'property_inactive',
  ],
});

export const getReading = contract({
  name: 'getReading',
  method: 'GET',
  url: '/api/readings/:reading_id',
  summary: 'One reading',
  tag: 'readings',
  role: 'tenant',
  etag: true,
  params: Type.Object({ reading_id: Id }),
  response: { 200: Reading },
  errors: ['forbidden', 'not_found'],
});

const ReadingParams = Type.Object({ reading_id: Id });
const CORRECTING = [
  'forbidden',
  'not_found',
  'reading_superseded',
  'reading_conflict',
  'interval_overlap',
  'meter_inactive',
  'property_inactive',
] as const;

export const correctReading = contract({
  name: 'correctReading',
  method: 'PATCH',
  url: '/api/readings/:reading_id',
  summary: 'Correct a reading: a new entry supersedes it, the old one stays readable',
  description:
    'Another value, time or beginning lifts a rollover or a confirmation: it was about the reading as it was. ' +
    '`period_start` is of relative readings only; null: the interval begins at the previous reading.',
  tag: 'readings',
  role: 'tenant',
  etag: true,
  params: ReadingParams,
  body: Closed({
    value: Type.Optional(KwhInput),
    reading_timestamp: Type.Optional(PastInstantInput),
    period_start: Type.Optional(Nullable(InstantInput)),
    note: Type.Optional(Nullable(Note(2000))),
    photo_sha256: Type.Optional(Nullable(PhotoHash)),
    reason: Reason,
  }),
  response: { 200: Reading },
  errors: CORRECTING,
});

export const voidReading = contract({
  name: 'voidReading',
  method: 'DELETE',
  url: '/api/readings/:reading_id',
  summary: 'Void a reading: a correction to nothing',
  description: 'Say why with `?reason=`: the trail shows it, or that nobody said.',
  tag: 'readings',
  role: 'tenant',
  params: ReadingParams,
  query: Closed({ reason: Type.Optional(Reason) }),
  response: { 204: Type.Null() },
  errors: CORRECTING,
});

export const settleRollover = contract({
  name: 'settleRollover',
  method: 'POST',
  url: '/api/readings/:reading_id/rollover',
  summary: 'Settle a decrease: the register went past its last digit and began again',
  description: '200, and nothing is written, where it rolled over so already.',
  tag: 'readings',
  role: 'editor',
  etag: true,
  params: ReadingParams,
  body: Closed({
    digits: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 9,
        description: "Digits before the decimal point; if not given, the device's",
      }),
    ),
    reason: Type.Optional(Reason),
  }),
  response: { 201: Reading, 200: Reading },
  errors: CORRECTING,
});

export const confirmReading = contract({
  name: 'confirmReading',
  method: 'POST',
  url: '/api/readings/:reading_id/confirm',
  summary: 'Settle an implausible rate: somebody looked, and it is right',
  description: '200, and nothing is written, where it is confirmed already.',
  tag: 'readings',
  role: 'editor',
  etag: true,
  params: ReadingParams,
  body: Closed({ reason: Type.Optional(Reason) }),
  response: { 201: Reading, 200: Reading },
  errors: CORRECTING,
});

export const listRevisions = contract({
  name: 'listRevisions',
  method: 'GET',
  url: '/api/readings/:reading_id/revisions',
  summary: "A reading's trail: as it was recorded, corrected and voided, in that order",
  tag: 'readings',
  role: 'tenant',
  params: ReadingParams,
  query: Closed(Page),
  response: { 200: List(Revision) },
  errors: ['forbidden', 'not_found'],
});

const MeterValue = Type.Object({
  meter_id: Id,
  name: Type.String(),
  location: Nullable(Type.String()),
  value: Kwh,
  reading_id: Id,
});

export const Summary = Type.Object(
  {
    property_id: Id,
    reading_timestamp: Nullable(Instant),
    main_meter: Nullable(MeterValue),
    submeters: Type.Array(MeterValue),
    unmetered: Nullable(Kwh),
  },
  { $id: 'Summary' },
);
export type Summary = Static<typeof Summary>;

export const getSummary = contract({
  name: 'getSummary',
  method: 'GET',
  url: '/api/readings/property/:property_id/summary',
  summary: 'What the meters of a property showed at exactly one instant',
  description:
    '`unmetered` is the main meter’s value minus those of its direct submeters: null unless all of them were read ' +
    'at that instant and the difference is not negative. For energy over a period ask for the consumption.',
  tag: 'readings',
  role: 'tenant',
  params: PropertyParams,
  query: Closed({ reading_timestamp: InstantInput }),
  response: { 200: Summary },
  errors: ['forbidden', 'not_found'],
});

export const getLatest = contract({
  name: 'getLatest',
  method: 'GET',
  url: '/api/readings/property/:property_id/latest',
  summary: 'The summary at the latest instant at which a meter of the property was read',
  tag: 'readings',
  role: 'tenant',
  params: PropertyParams,
  response: { 200: Summary },
  errors: ['forbidden', 'not_found'],
});

export const getHistory = contract({
  name: 'getHistory',
  method: 'GET',
  url: '/api/readings/meter/:meter_id/history',
  summary: "A meter's readings, newest first",
  tag: 'readings',
  role: 'tenant',
  params: MeterParams,
  query: Closed({
    include_superseded: Type.Optional(
      Type.Boolean({ default: false, description: 'Also the entries that were corrected or voided' }),
    ),
    ...CursorPage,
  }),
  response: { 200: CursorList(Reading) },
  errors: ['forbidden', 'not_found'],
});

const Range = Closed({ start_date: DateOrInstantInput, end_date: DateOrInstantInput, ...CursorPage });
const RANGE =
  'The start is inclusive, the end exclusive; a bare date is the first instant of that day in the zone.';

export const getMeterRange = contract({
  name: 'getMeterRange',
  method: 'GET',
  url: '/api/readings/meter/:meter_id/range',
  summary: "A meter's readings of a period, oldest first",
  description: RANGE,
  tag: 'readings',
  role: 'tenant',
  params: MeterParams,
  query: Range,
  response: { 200: CursorList(Reading) },
  errors: ['forbidden', 'not_found'],
});

export const getPropertyRange = contract({
  name: 'getPropertyRange',
  method: 'GET',
  url: '/api/readings/property/:property_id/range',
  summary: 'The readings of all meters of a property in a period, oldest first',
  description: RANGE,
  tag: 'readings',
  role: 'tenant',
  params: PropertyParams,
  query: Range,
  response: { 200: CursorList(Reading) },
  errors: ['forbidden', 'not_found'],
});
