/** Writes every file that is made from the code and committed: run it when a test says that one is stale. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/server/db/connect.ts';
import { describeSchema } from '../src/server/db/dialect.ts';
import { migrate } from '../src/server/db/migrate.ts';
import { startPostgres } from '../tests/support/postgres.ts';
import { openapiText } from './openapi.ts';
import { settingsTable } from './settings.ts';

async function schemaOf(url: string): Promise<string> {
  const db = await connect(url);
  try {
    await migrate(db, Date.now());
    return await describeSchema(db.read);
  } finally {
    await db.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'electric-'));
const postgres = await startPostgres();
try {
  writeFileSync('docs/schema/sqlite.sql', await schemaOf(`sqlite:${join(folder, 'electric.db')}`));
  writeFileSync('docs/schema/postgres.sql', await schemaOf(postgres.url));
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true });
}
writeFileSync('docs/openapi.json', await openapiText());
writeFileSync('docs/settings.md', settingsTable());
