import type { Migration } from './migration.ts';

export const photos: Migration = {
  number: 10,
  name: 'photos',
  statements: () => [
    'ALTER TABLE ledger_entries ADD COLUMN photo_sha256 TEXT',
    'CREATE INDEX ledger_entries_photos ON ledger_entries (property_id, photo_sha256) WHERE photo_sha256 IS NOT NULL',
  ],
};
