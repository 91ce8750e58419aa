import { type Static, Type } from 'typebox';
import { PropertyParams } from './properties.ts';
import { Closed, contract, Id, Instant, List, Nullable, OneOf, Page, Search, Text } from './schema.ts';

export const METER_TYPES = ['main_meter', 'sub_meter'] as const;
export const SUB_METER_KINDS = ['physical', 'virtual'] as const;
export type MeterType = (typeof METER_TYPES)[number];
export type SubMeterKind = (typeof SUB_METER_KINDS)[number];

/** One term of a virtual meter: another meter of the property by its name, and how often it counts. */
const Term = Closed({ meter: Type.String(), factor: Type.String({ examples: ['1', '-0.5'] }) });
const FormulaInput = Type.Array(
  Closed({
    meter: Text(200),
    factor: Type.Unsafe<string | number>({
      type: ['string', 'number'],
      description: 'A decimal with at most three decimals, not zero',
      'x-check': 'factor',
    }),
  }),
  { minItems: 1, maxItems: 100, description: 'For virtual meters: a weighted sum of other meters' },
);

export const Meter = Type.Object(
  {
    id: Id,
    property_id: Id,
    name: Type.String(),
    location: Nullable(Type.String()),
    meter_type: OneOf(METER_TYPES),
    sub_meter_kind: Nullable(OneOf(SUB_METER_KINDS)),
    parent_meter_id: Nullable(Id),
    formula: Nullable(Type.Array(Term)),
    plausibility_factor: Nullable(
      Type.Integer({ description: 'How many times the highest rate so far is flagged; null: nothing is' }),
    ),
    is_active: Type.Boolean(),
    created_at: Instant,
  },
  { $id: 'Meter' },
);
export type Meter = Static<typeof Meter>;

export const MeterParams = Type.Object({ meter_id: Id });

/** What there is to say of a device. */
export const DeviceInput = Closed({
  serial_number: Type.Optional(Nullable(Text(100))),
  digits: Type.Optional(
    Nullable(Type.Integer({ minimum: 1, maximum: 9, description: 'Digits before the decimal point' })),
  ),
  multiplier: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 9000,
      description: 'Current-transformer ratio; 1 without transformers',
    }),
  ),
});

export const createMainMeter = contract({
  name: 'createMainMeter',
  method: 'POST',
  url: '/api/meters/main',
  summary: 'Create the main meter of a property that has none',
  tag: 'meters',
  role: 'editor',
  etag: true,
  body: Closed({ property_id: Id }),
  response: { 201: Meter },
  errors: ['forbidden', 'not_found', 'main_meter_exists', 'name_taken', 'property_inactive'],
});

export const createSubmeter = contract({
  name: 'createSubmeter',
  method: 'POST',
  url: '/api/meters/submeter',
  summary: 'Create a submeter, below the main meter or below another submeter',
  tag: 'meters',
  role: 'editor',
  etag: true,
  body: Closed({
    property_id: Id,
    name: Text(200),
    location: Type.Optional(Nullable(Text(200))),
    sub_meter_kind: Type.Optional(OneOf(SUB_METER_KINDS, { default: 'physical' })),
    parent_meter_id: Type.Optional(Nullable(Id)),
    device: Type.Optional(DeviceInput),
    formula: Type.Optional(FormulaInput),
  }),
  response: { 201: Meter },
  errors: ['forbidden', 'not_found', 'name_taken', 'meter_inactive', 'property_inactive'],
});

export const listMeters = contract({
  name: 'listMeters',
  method: 'GET',
  url: '/api/properties/:property_id/meters',
  summary: "A property's meters: the main meter first, then the submeters by name",
  tag: 'meters',
  role: 'tenant',
  params: PropertyParams,
  query: Closed({
    meter_type: Type.Optional(OneOf(METER_TYPES)),
    sub_meter_kind: Type.Optional(OneOf(SUB_METER_KINDS)),
    is_active: Type.Optional(Type.Boolean()),
    include_inactive: Type.Optional(Type.Boolean({ default: false })),
    search: Type.Optional(Search('name')),
    sort: Type.Optional(
      OneOf(['name', '-name', 'created_at', '-created_at'], {
        description: 'With `-` descending; without it the main meter comes first, then the submeters by name',
      }),
    ),
    ...Page,
  }),
  response: { 200: List(Meter) },
  errors: ['forbidden', 'not_found'],
});

export const getMeter = contract({
  name: 'getMeter',
  method: 'GET',
  url: '/api/meters/:meter_id',
  summary: 'One meter',
  tag: 'meters',
  role: 'tenant',
  etag: true,
  params: MeterParams,
  response: { 200: Meter },
  errors: ['forbidden', 'not_found'],
});

export const updateMeter = contract({
  name: 'updateMeter',
  method: 'PATCH',
  url: '/api/meters/:meter_id',
  summary: 'Change a meter; at least one field',
  tag: 'meters',
  role: 'editor',
  etag: true,
  params: MeterParams,
  body: Closed(
    {
      name: Type.Optional(Text(200)),
      location: Type.Optional(Nullable(Text(200))),
      formula: Type.Optional(FormulaInput),
      plausibility_factor: Type.Optional(
        Nullable(
          Type.Integer({
            minimum: 2,
            maximum: 1_000_000,
            description:
              'How many times the highest rate so far is flagged as implausible; null switches it off',
          }),
        ),
      ),
    },
    { minProperties: 1 },
  ),
  response: { 200: Meter },
  errors: ['forbidden', 'not_found', 'name_taken'],
});

export const deleteMeter = contract({
  name: 'deleteMeter',
  method: 'DELETE',
  url: '/api/meters/:meter_id',
  summary: 'Delete a meter, so that it can be restored',
  description:
    'It becomes inactive: hidden from lists, no longer subtracted from its parent, and it takes no readings. Its history ' +
    'stays readable, formulas that name it go on with what it has, and its name is free again. Refused (409) while ' +
    'active submeters hang below it. Deleting it again changes nothing.',
  tag: 'meters',
  role: 'editor',
  etag: true,
  params: MeterParams,
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found', 'has_submeters', 'property_inactive'],
});

export const restoreMeter = contract({
  name: 'restoreMeter',
  method: 'POST',
  url: '/api/meters/:meter_id/restore',
  summary: 'Restore a deleted meter',
  description:
    'Refused (409) where another active meter has taken its name, where what it hangs below is inactive, or, for a main ' +
    'meter, where the property has another one. Restoring an active one changes nothing.',
  tag: 'meters',
  role: 'editor',
  etag: true,
  params: MeterParams,
  response: { 200: Meter },
  errors: [
    'forbidden',
    'not_found',
    'name_taken',
    'main_meter_exists',
    'meter_inactive',
    'property_inactive',
  ],
});
