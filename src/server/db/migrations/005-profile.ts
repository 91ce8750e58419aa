import type { Migration } from './migration.ts';

/** What a user says of themselves, and keys for their devices and scripts, which batches name. */
export const profile: Migration = {
  number: 5,
  name: 'profile',
  statements: ({ id, integer, table }) => [
    ...['display_name', 'phone_number', 'timezone', 'locale'].map(
      (column) => `ALTER TABLE users ADD COLUMN ${column} TEXT`,
    ),
    `ALTER TABLE users ADD COLUMN default_property_id ${integer} REFERENCES properties (id)`,
    `ALTER TABLE users ADD COLUMN default_meter_id ${integer} REFERENCES meters (id)`,
    `ALTER TABLE users ADD COLUMN deleted_at ${integer}`,
    `CREATE TABLE api_keys (
      id ${id},
      user_id ${integer} NOT NULL REFERENCES users (id),
      name TEXT,
      secret_hash TEXT UNIQUE,
      secret_prefix TEXT,
      scopes TEXT NOT NULL,
      property_id ${integer} REFERENCES properties (id),
      created_at ${integer} NOT NULL,
      expires_at ${integer},
      last_used_at ${integer},
      CHECK ((secret_hash IS NULL) = (secret_prefix IS NULL)),
      CHECK (secret_hash IS NULL OR name IS NOT NULL)
    ) ${table}`,
    'CREATE INDEX api_keys_by_user ON api_keys (user_id) WHERE secret_hash IS NOT NULL',
    `ALTER TABLE batches ADD COLUMN recorded_by_api_key_id ${integer} REFERENCES api_keys (id)`,
  ],
};
