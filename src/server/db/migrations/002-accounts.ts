import type { Migration } from './migration.ts';

/** A session becomes a row of its own, which access tokens name. Tokens from before name none: everybody signs in anew. */
export const accounts: Migration = {
  number: 2,
  name: 'accounts',
  statements: ({ integer, table, clustered }) => [
    'DROP TABLE sessions',
    `CREATE TABLE sessions (
      id TEXT NOT NULL PRIMARY KEY,
      user_id ${integer} NOT NULL REFERENCES users (id),
      user_agent TEXT,
      created_at ${integer} NOT NULL,
      last_used_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL
    ) ${clustered}`,
    'CREATE INDEX sessions_by_user ON sessions (user_id)',
    'CREATE INDEX sessions_by_expiry ON sessions (expires_at)',
    `CREATE TABLE refresh_tokens (
      token_hash TEXT NOT NULL PRIMARY KEY,
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      used_at ${integer}
    ) ${clustered}`,
    'CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id)',
    `CREATE TABLE failed_attempts (
      key TEXT NOT NULL PRIMARY KEY,
      failures ${integer} NOT NULL,
      refused_until ${integer} NOT NULL,
      expires_at ${integer} NOT NULL
    ) ${table}`,
    'CREATE INDEX failed_attempts_by_expiry ON failed_attempts (expires_at)',
  ],
};
