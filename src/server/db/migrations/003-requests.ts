import type { Migration } from './migration.ts';

/** What the server remembers of requests: answers to be repeated, and how many came. */
export const requests: Migration = {
  number: 3,
  name: 'requests',
  statements: ({ integer, table, clustered }) => [
    `CREATE TABLE idempotency_keys (
      user_id ${integer} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      key TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      answer TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      PRIMARY KEY (user_id, key)
    ) ${table}`,
    'CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at)',
    `CREATE TABLE request_counts (
      key TEXT NOT NULL PRIMARY KEY,
      expires_at ${integer} NOT NULL,
      count ${integer} NOT NULL
    ) ${clustered}`,
    'CREATE INDEX request_counts_by_expiry ON request_counts (expires_at)',
  ],
};
