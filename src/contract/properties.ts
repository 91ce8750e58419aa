import { type Static, Type } from 'typebox';
import {
  Closed,
  Currency,
  contract,
  Id,
  Instant,
  List,
  Note,
  Nullable,
  OneOf,
  Page,
  ROLES,
  Search,
  Sort,
  Text,
  Timezone,
} from './schema.ts';

export const Property = Type.Object(
  {
    id: Id,
    display_name: Type.String(),
    address: Nullable(Type.String()),
    timezone: Type.String(),
    currency: Type.String(),
    is_active: Type.Boolean(),
    main_meter_id: Nullable(
      Type.Integer({ description: 'Null too where the main meter is not among those a tenant sees' }),
    ),
    share_totals_with_tenants: Type.Boolean({
      description: "Whether tenants see the main meter's figures and the unmetered rest",
    }),
    role: OneOf(ROLES, { description: "The caller's role" }),
    created_at: Instant,
  },
  { $id: 'Property' },
);
export type Property = Static<typeof Property>;

export const PropertyParams = Type.Object({ property_id: Id });

export const createProperty = contract({
  name: 'createProperty',
  method: 'POST',
  url: '/api/properties',
  summary: 'Create a property; its main meter comes with it, and the caller owns it',
  tag: 'properties',
  etag: true,
  body: Closed({
    display_name: Text(200),
    address: Type.Optional(Nullable(Note(500))),
    timezone: Type.Optional(Timezone),
    currency: Type.Optional(Currency),
  }),
  response: { 201: Property },
  errors: [],
});

export const listProperties = contract({
  name: 'listProperties',
  method: 'GET',
  url: '/api/properties',
  summary: "The caller's properties, by name unless sorted otherwise",
  tag: 'properties',
  scope: 'read',
  query: Closed({
    search: Type.Optional(Search('display name')),
    is_active: Type.Optional(Type.Boolean()),
    include_inactive: Type.Optional(Type.Boolean({ default: false })),
    sort: Type.Optional(Sort(['display_name', 'created_at'])),
    ...Page,
  }),
  response: { 200: List(Property) },
  errors: [],
});

export const getProperty = contract({
  name: 'getProperty',
  method: 'GET',
  url: '/api/properties/:property_id',
  summary: 'One property',
  tag: 'properties',
  role: 'tenant',
  etag: true,
  params: PropertyParams,
  response: { 200: Property },
  errors: ['forbidden', 'not_found'],
});

export const updateProperty = contract({
  name: 'updateProperty',
  method: 'PATCH',
  url: '/api/properties/:property_id',
  summary: 'Change a property; at least one field',
  tag: 'properties',
  role: 'owner',
  etag: true,
  params: PropertyParams,
  body: Closed(
    {
      display_name: Type.Optional(Text(200)),
      address: Type.Optional(Nullable(Note(500))),
      timezone: Type.Optional(Timezone),
      currency: Type.Optional(Currency),
      share_totals_with_tenants: Type.Optional(Type.Boolean()),
    },
    { minProperties: 1 },
  ),
  response: { 200: Property },
  errors: ['forbidden', 'not_found'],
});

export const deleteProperty = contract({
  name: 'deleteProperty',
  method: 'DELETE',
  url: '/api/properties/:property_id',
  summary: 'Delete a property, so that it can be restored',
  description:
    'It becomes inactive: hidden from lists and the dashboard, and nothing can be recorded or added. What it holds stays ' +
    'readable and can be exported. With active submeters it is refused (409), unless `cascade` takes them along. ' +
    'Deleting it again changes nothing.',
  tag: 'properties',
  role: 'owner',
  etag: true,
  params: PropertyParams,
  query: Closed({
    cascade: Type.Optional(Type.Boolean({ default: false, description: 'Delete its submeters with it' })),
  }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found', 'has_submeters'],
});

export const restoreProperty = contract({
  name: 'restoreProperty',
  method: 'POST',
  url: '/api/properties/:property_id/restore',
  summary: 'Restore a deleted property',
  description:
    'With exactly the submeters that its deletion took along. Restoring an active one changes nothing.',
  tag: 'properties',
  role: 'owner',
  etag: true,
  params: PropertyParams,
  response: { 200: Property },
  errors: ['forbidden', 'not_found', 'name_taken'],
});
