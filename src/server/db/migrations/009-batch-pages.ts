import type { Migration } from './migration.ts';

/** The entries of a batch are read in pages, in the order of their ids. */
export const batchPages: Migration = {
  number: 9,
  name: 'batch-pages',
  statements: () => [
    'DROP INDEX ledger_entries_by_batch',
    'CREATE INDEX ledger_entries_by_batch ON ledger_entries (batch_id, id)',
  ],
};
