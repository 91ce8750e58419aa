/** The schema of each engine is committed as text, so that a change of it is seen. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describeSchema } from '../../src/server/db/dialect.ts';
import { ENGINES, freshDatabase } from '../support/engines.ts';
import { TABLES } from '../support/tables.ts';

describe.each(ENGINES)('the schema of %s', (engine) => {
  const file = new URL(`../../docs/schema/${engine}.sql`, import.meta.url);

  test(`is the one in docs/schema/${engine}.sql: npm run generate renews it`, async () => {
    const { db, close } = await freshDatabase(engine);
    const actual = await describeSchema(db.read);
    await close();
    for (const table of TABLES) expect(actual).toContain(table);
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
    expect(committed, `docs/schema/${engine}.sql is stale: run npm run generate and commit it`).toBe(actual);
  });
});
