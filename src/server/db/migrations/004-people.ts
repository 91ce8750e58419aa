import type { Migration } from './migration.ts';

const TENANTS_NAME_METERS = "CHECK ((role = 'tenant') = (meter_ids IS NOT NULL))";

export const people: Migration = {
  number: 4,
  name: 'people',
  statements: ({ id, integer, flag, table }) => [
    `ALTER TABLE properties ADD COLUMN share_totals_with_tenants ${flag} NOT NULL DEFAULT 0
      CHECK (share_totals_with_tenants IN (0, 1))`,
    `ALTER TABLE memberships ADD COLUMN meter_ids TEXT ${TENANTS_NAME_METERS}`,
    `CREATE TABLE invitations (
      id ${id},
      property_id ${integer} NOT NULL REFERENCES properties (id),
      token_hash TEXT NOT NULL UNIQUE,
      email TEXT,
      role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'reader', 'tenant')),
      meter_ids TEXT,
      invited_by_user_id ${integer} NOT NULL REFERENCES users (id),
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      accepted_at ${integer},
      accepted_by_user_id ${integer} REFERENCES users (id),
      revoked_at ${integer},
      ${TENANTS_NAME_METERS},
      CHECK ((accepted_at IS NULL) = (accepted_by_user_id IS NULL))
    ) ${table}`,
    'CREATE INDEX invitations_by_property ON invitations (property_id)',
  ],
};
