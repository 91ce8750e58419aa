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
  Page,
  Search,
  Text,
  Timezone,
} from './schema.ts';

export const ROLES = ['owner'] as const;
export type Role = (typeof ROLES)[number];

export const Property = Type.Object(
  {
    id: Id,
    display_name: Type.String(),
    address: Nullable(Type.String()),
    timezone: Type.String(),
    currency: Type.String(),
    is_active: Type.Boolean(),
    main_meter_id: Nullable(Id),
    role: Type.Unsafe<Role>({ type: 'string', enum: [...ROLES], description: "The caller's role" }),
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
  summary: "The caller's properties, by name",
  tag: 'properties',
  query: Closed({
    search: Type.Optional(Search('display name')),
    is_active: Type.Optional(Type.Boolean()),
    include_inactive: Type.Optional(Type.Boolean({ default: false })),
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
  params: PropertyParams,
  body: Closed(
    {
      display_name: Type.Optional(Text(200)),
      address: Type.Optional(Nullable(Note(500))),
      timezone: Type.Optional(Timezone),
      currency: Type.Optional(Currency),
    },
    { minProperties: 1 },
  ),
  response: { 200: Property },
  errors: ['forbidden', 'not_found'],
});
