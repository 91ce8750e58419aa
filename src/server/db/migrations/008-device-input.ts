import type { Migration } from './migration.ts';

export const deviceInput: Migration = {
  number: 8,
  name: 'device-input',
  statements: ({ id, integer, table }) => [
    `CREATE TABLE mqtt_topics (
      id ${id},
      property_id ${integer} NOT NULL REFERENCES properties (id),
      meter_id ${integer} NOT NULL REFERENCES meters (id),
      topic TEXT NOT NULL,
      value_field TEXT,
      time_field TEXT,
      unit TEXT NOT NULL CHECK (unit IN ('Wh', 'kWh', 'MWh')),
      interval_seconds ${integer} NOT NULL,
      configured_by_user_id ${integer} NOT NULL REFERENCES users (id),
      created_at ${integer} NOT NULL,
      last_reading_timestamp ${integer},
      last_value_wh ${integer},
      last_packet_id ${integer},
      refused_count ${integer} NOT NULL,
      last_refused_at ${integer},
      last_refusal TEXT
    ) ${table}`,
    'CREATE UNIQUE INDEX mqtt_topics_by_topic ON mqtt_topics (topic)',
    'CREATE INDEX mqtt_topics_by_property ON mqtt_topics (property_id, id)',
    `CREATE TABLE leases (
      name TEXT PRIMARY KEY,
      holder TEXT NOT NULL,
      expires_at ${integer} NOT NULL
    ) ${table}`,
  ],
};
