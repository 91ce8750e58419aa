import type { Migration } from './migration.ts';

export const deletion: Migration = {
  number: 7,
  name: 'deletion',
  statements: ({ flag }) => [
    `ALTER TABLE meters ADD COLUMN deleted_with_property ${flag} NOT NULL DEFAULT 0
      CHECK (deleted_with_property IN (0, 1))`,
  ],
};
