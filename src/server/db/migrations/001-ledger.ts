import type { Migration } from './migration.ts';

export const ledger: Migration = {
  number: 1,
  name: 'ledger',
  statements: ({ id, integer, flag, table, clustered, appendOnly }) => [
    `CREATE TABLE users (
      id ${id},
      username TEXT NOT NULL,
      username_folded TEXT NOT NULL UNIQUE,
      email TEXT NOT NULL,
      email_folded TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      created_at ${integer} NOT NULL
    ) ${table}`,
    `CREATE TABLE sessions (
      id ${id},
      user_id ${integer} NOT NULL REFERENCES users (id),
      family TEXT NOT NULL,
      token_hash TEXT NOT NULL UNIQUE,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      used_at ${integer}
    ) ${table}`,
    'CREATE INDEX sessions_by_family ON sessions (family)',
    'CREATE INDEX sessions_by_user ON sessions (user_id)',
    `CREATE TABLE properties (
      id ${id},
      display_name TEXT NOT NULL,
      display_name_folded TEXT NOT NULL,
      address TEXT,
      timezone TEXT NOT NULL,
      currency TEXT NOT NULL,
      is_active ${flag} NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
      created_at ${integer} NOT NULL
    ) ${table}`,
    `CREATE TABLE memberships (
      property_id ${integer} NOT NULL REFERENCES properties (id),
      user_id ${integer} NOT NULL REFERENCES users (id),
      role TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      PRIMARY KEY (user_id, property_id)
    ) ${clustered}`,
    'CREATE INDEX memberships_by_property ON memberships (property_id)',
    `CREATE TABLE meters (
      id ${id},
      property_id ${integer} NOT NULL REFERENCES properties (id),
      parent_meter_id ${integer} REFERENCES meters (id),
      name TEXT NOT NULL,
      name_folded TEXT NOT NULL,
      location TEXT,
      meter_type TEXT NOT NULL CHECK (meter_type IN ('main_meter', 'sub_meter')),
      sub_meter_kind TEXT CHECK (sub_meter_kind IN ('physical', 'virtual')),
      is_active ${flag} NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
      created_at ${integer} NOT NULL,
      CHECK ((meter_type = 'main_meter') = (parent_meter_id IS NULL)),
      CHECK ((meter_type = 'main_meter') = (sub_meter_kind IS NULL))
    ) ${table}`,
    'CREATE INDEX meters_by_property ON meters (property_id)',
    `CREATE UNIQUE INDEX meters_one_main ON meters (property_id) WHERE meter_type = 'main_meter' AND is_active = 1`,
    'CREATE UNIQUE INDEX meters_name ON meters (property_id, name_folded) WHERE is_active = 1',
    `CREATE TABLE batches (
      id ${id},
      property_id ${integer} NOT NULL REFERENCES properties (id),
      sequence ${integer} NOT NULL,
      recorded_by_user_id ${integer} NOT NULL REFERENCES users (id),
      source TEXT NOT NULL CHECK (source IN ('manual', 'import', 'api', 'device')),
      created_at ${integer} NOT NULL,
      entry_count ${integer} NOT NULL,
      UNIQUE (property_id, sequence)
    ) ${table}`,
    `CREATE TABLE ledger_entries (
      id ${id},
      property_id ${integer} NOT NULL,
      batch_id ${integer} NOT NULL REFERENCES batches (id),
      meter_id ${integer} NOT NULL REFERENCES meters (id),
      reading_timestamp ${integer} NOT NULL,
      is_relative ${flag} NOT NULL CHECK (is_relative IN (0, 1)),
      value_wh ${integer} NOT NULL CHECK (value_wh BETWEEN 0 AND 999999999999),
      period_start ${integer},
      note TEXT,
      CHECK (period_start IS NULL OR (is_relative = 1 AND period_start < reading_timestamp))
    ) ${table}`,
    ...appendOnly('ledger_entries'),
    `CREATE TABLE readings (
      property_id ${integer} NOT NULL,
      meter_id ${integer} NOT NULL,
      reading_timestamp ${integer} NOT NULL,
      entry_id ${integer} NOT NULL,
      is_relative ${flag} NOT NULL,
      value_wh ${integer} NOT NULL,
      period_start ${integer},
      energy_wh ${integer} NOT NULL,
      offset_wh ${integer},
      gap_ms ${integer} NOT NULL,
      decreased ${flag} NOT NULL,
      PRIMARY KEY (property_id, meter_id, reading_timestamp)
    ) ${clustered}`,
    'CREATE INDEX readings_decreased ON readings (property_id, reading_timestamp, meter_id) WHERE decreased = 1',
  ],
};
