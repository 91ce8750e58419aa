import { type Static, Type } from 'typebox';
import { KnownPassword } from './auth.ts';
import { listProperties, Property } from './properties.ts';
import { Closed, contract, Id, Instant, Kwh, List, Locale, Nullable, Text, Timezone } from './schema.ts';

/** What stands where a deleted user's name stood. */
export const FORMER_USER = 'former user';

const PhoneNumber = Type.String({
  pattern: '^\\+[1-9][0-9]{6,14}$',
  description: 'E.164: + and 7 to 15 digits, the first not 0, for example +46701234567',
});

export const Profile = Type.Object(
  {
    id: Id,
    username: Type.String(),
    email: Type.String(),
    display_name: Nullable(Type.String()),
    phone_number: Nullable(Type.String({ description: 'E.164' })),
    timezone: Nullable(Type.String({ description: 'IANA time zone' })),
    locale: Nullable(Type.String({ description: 'BCP 47 tag in canonical form' })),
    default_property_id: Nullable(
      Type.Integer({ description: 'Null too as long as it is out of reach: somebody took the user off it' }),
    ),
    default_meter_id: Nullable(
      Type.Integer({ description: 'A meter of the default property; null as that' }),
    ),
    created_at: Instant,
  },
  { $id: 'Profile' },
);
export type Profile = Static<typeof Profile>;

export const getMe = contract({
  name: 'getMe',
  method: 'GET',
  url: '/api/users/me',
  summary: 'The signed-in user',
  tag: 'users',
  etag: true,
  response: { 200: Profile },
  errors: [],
});

export const updateMe = contract({
  name: 'updateMe',
  method: 'PATCH',
  url: '/api/users/me',
  summary: "Change the signed-in user's profile; at least one field",
  description:
    'Defaults must be within reach: a property that the user is a member of, and a meter of it that the user sees. ' +
    'Another default property needs another default meter, or none; no default property clears the default meter.',
  tag: 'users',
  etag: true,
  body: Closed(
    {
      display_name: Type.Optional(Nullable(Text(100))),
      phone_number: Type.Optional(Nullable(PhoneNumber)),
      timezone: Type.Optional(Nullable(Timezone)),
      locale: Type.Optional(Nullable(Locale)),
      default_property_id: Type.Optional(Nullable(Id)),
      default_meter_id: Type.Optional(Nullable(Id)),
    },
    { minProperties: 1 },
  ),
  response: { 200: Profile },
  errors: [],
});

export const deleteMe = contract({
  name: 'deleteMe',
  method: 'DELETE',
  url: '/api/users/me',
  summary: 'Delete the account',
  description:
    'At once and for good: username, email address, profile, password, sessions, API keys and memberships are gone, ' +
    'and username and email address are free again. What the user recorded stays in the ledgers, under the name ' +
    `"${FORMER_USER}". Refused as long as the user is the last owner of a property that has other members; a property ` +
    'without other members is deactivated.',
  tag: 'users',
  limit: 'sign_in',
  body: Closed({ password: KnownPassword }),
  response: { 204: Type.Null() },
  errors: ['wrong_password', 'last_owner', 'too_many_attempts', 'unavailable'],
});

export const listMyProperties = contract({
  name: 'listMyProperties',
  method: 'GET',
  url: '/api/users/me/properties',
  summary: 'The properties that the user is a member of, by name, with the role in each',
  tag: 'users',
  scope: 'read',
  query: listProperties.query,
  response: { 200: List(Property) },
  errors: [],
});

const Consumed = (description: string) => Nullable(Type.String({ ...Kwh, description }));

export const Dashboard = Type.Object(
  {
    properties_count: Type.Integer({ description: 'Active properties' }),
    meters_count: Type.Integer(),
    readings_this_month: Type.Integer({
      description: 'Readings in force of active meters, taken in this month wherever the property is',
    }),
    latest_reading_date: Nullable(Instant),
    attention_count: Type.Integer(),
    properties_summary: Type.Array(
      Type.Object({
        id: Id,
        name: Type.String(),
        meters_count: Type.Integer({
          description: 'Active meters, the main meter and virtual ones among them',
        }),
        latest_reading: Nullable(Type.String({ ...Instant, description: 'When a meter was last read, UTC' })),
        consumption_this_month: Consumed(
          "kWh: what is known of the main meter's consumption since the month began, so up to its last reading; null " +
            'if nothing is',
        ),
        consumption_previous_month: Consumed('kWh: the same for the month before'),
        unmetered_this_month: Consumed(
          'kWh: the unmetered rest since the month began, up to the last instant at which the main meter and every ' +
            'submeter directly below it are known; null if there is none, or the rest is unknown on the way there',
        ),
        attention_count: Type.Integer({ description: 'The total of listAttention' }),
      }),
      { description: 'By name' },
    ),
  },
  { $id: 'Dashboard' },
);
export type Dashboard = Static<typeof Dashboard>;

export const getDashboard = contract({
  name: 'getDashboard',
  method: 'GET',
  url: '/api/users/me/dashboard',
  summary: "The user's active properties at a glance",
  description:
    "Months are those of each property's time zone. Tenants are shown what they may see: their own meters, and null " +
    'for the figures of a house that does not share its totals.',
  tag: 'users',
  scope: 'read',
  response: { 200: Dashboard },
  errors: [],
});
