import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    globalSetup: 'tests/support/postgres.ts',
    isolate: false,
    pool: 'threads',
    // Much of a test's time is waited away: for PostgreSQL, for a server that starts, for a password's hash.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
