import type { Migration } from './migration.ts';

export const jobs: Migration = {
  number: 6,
  name: 'jobs',
  statements: ({ id, integer, flag, table }) => [
    `CREATE TABLE jobs (
      id ${id},
      kind TEXT NOT NULL,
      payload TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('ready', 'failed')),
      run_at ${integer} NOT NULL,
      attempts ${flag} NOT NULL,
      error TEXT,
      created_at ${integer} NOT NULL
    ) ${table}`,
    `CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'ready'`,
    `CREATE TABLE password_resets (
      token_hash TEXT PRIMARY KEY,
      user_id ${integer} NOT NULL REFERENCES users (id),
      expires_at ${integer} NOT NULL
    ) ${table}`,
    'CREATE INDEX password_resets_by_user ON password_resets (user_id)',
  ],
};
