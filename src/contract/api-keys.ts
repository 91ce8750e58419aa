import { type Static, Type } from 'typebox';
import {
  Closed,
  contract,
  Id,
  Instant,
  InstantInput,
  List,
  Nullable,
  OneOf,
  Page,
  SCOPES,
  Text,
} from './schema.ts';

export const MAX_API_KEYS = 100;

const KEY = {
  id: Id,
  name: Type.String(),
  prefix: Type.String({ description: 'How the secret begins, to tell keys apart' }),
  scopes: Type.Array(OneOf(SCOPES)),
  property_id: Nullable(
    Type.Integer({ description: "The only property that the key is for; null: all of the user's" }),
  ),
  created_at: Instant,
  expires_at: Nullable(Instant),
  last_used_at: Nullable(Type.String({ ...Instant, description: 'UTC, to within a minute' })),
};

export const ApiKey = Type.Object(KEY, { $id: 'ApiKey' });
export type ApiKey = Static<typeof ApiKey>;

export const NewApiKey = Type.Object(
  {
    ...KEY,
    secret: Type.String({
      description:
        '`electric_` and 48 more characters, for `Authorization: Bearer`. Shown this once: only its hash is kept',
    }),
  },
  { $id: 'NewApiKey' },
);
export type NewApiKey = Static<typeof NewApiKey>;

export const createApiKey = contract({
  name: 'createApiKey',
  method: 'POST',
  url: '/api/users/me/api-keys',
  summary: 'Make a key for a device or a script',
  description:
    'The key may do what its user may at the time, as far as its scopes reach: `read`, what members read; ' +
    '`readings:write`, record readings, rounds and imports. What else there is needs a person who signs in. ' +
    `What it records has the source \`api\` and its id. At most ${MAX_API_KEYS} keys.`,
  tag: 'users',
  body: Closed({
    name: Text(100),
    scopes: Type.Array(OneOf(SCOPES), { minItems: 1, uniqueItems: true }),
    property_id: Type.Optional(Nullable(Id)),
    expires_at: Type.Optional(Nullable(InstantInput)),
  }),
  response: { 201: NewApiKey },
  errors: ['forbidden', 'not_found', 'too_many_api_keys'],
});

export const listApiKeys = contract({
  name: 'listApiKeys',
  method: 'GET',
  url: '/api/users/me/api-keys',
  summary: 'The keys of the account, newest first; those that have expired too',
  tag: 'users',
  query: Closed(Page),
  response: { 200: List(ApiKey) },
  errors: [],
});

export const deleteApiKey = contract({
  name: 'deleteApiKey',
  method: 'DELETE',
  url: '/api/users/me/api-keys/:api_key_id',
  summary: 'Delete a key: it is refused from now on',
  description: 'What it recorded stays, with its id and its name.',
  tag: 'users',
  params: Type.Object({ api_key_id: Id }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found'],
});
