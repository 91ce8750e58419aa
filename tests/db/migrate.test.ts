/** Bringing a database to this version's schema. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Database, DatabaseUnusable } from '../../src/server/db/connect.ts';
import { describeSchema } from '../../src/server/db/dialect.ts';
import { MIGRATIONS, migrate, SCHEMA_VERSION, schemaVersion } from '../../src/server/db/migrate.ts';
import type { Migration } from '../../src/server/db/migrations/migration.ts';
import { ENGINES, type FreshUrl, freshUrl } from '../support/engines.ts';

const NOW_MS = Date.parse('2026-06-15T12:00:00Z');

describe.each(ENGINES)('migrations on %s', (engine) => {
  let fresh: FreshUrl;
  let db: Database;
  beforeEach(async () => {
    fresh = await freshUrl(engine);
    db = await connect(fresh.url);
  });
  afterEach(async () => {
    await db.close();
    await fresh.drop();
  });

  const names = MIGRATIONS.map(({ name }) => name);
  const number = SCHEMA_VERSION + 1;
  const next = (statements: string[]): Migration => ({ number, name: 'next', statements: () => statements });
  const applied = () => db.read.selectFrom('schema_migrations').selectAll().orderBy('number').execute();

  test('a fresh database gets everything, in order, and keeps account of it', async () => {
    expect(await migrate(db, NOW_MS)).toEqual(names);
    expect(await schemaVersion(db)).toBe(SCHEMA_VERSION);
    expect(await applied()).toEqual(
      MIGRATIONS.map(({ number, name }) => ({ number, name, applied_at: NOW_MS })),
    );
  });

  test('a second time there is nothing to do', async () => {
    await migrate(db, NOW_MS);
    const schema = await describeSchema(db.read);
    expect(await migrate(db, NOW_MS + 1)).toEqual([]);
    expect(await describeSchema(db.read)).toBe(schema);
    expect((await applied()).every(({ applied_at }) => applied_at === NOW_MS)).toBe(true);
  });

  test('several at once: one migrates, the others wait and find it done', async () => {
    // An embedded database belongs to one process; a server is reached by several.
    const more = engine === 'sqlite' ? [db, db] : [await connect(fresh.url), await connect(fresh.url)];
    const done = await Promise.all([db, ...more].map((each) => migrate(each, NOW_MS)));
    expect(done.filter((migrated) => migrated.length > 0)).toEqual([names]);
    expect(await schemaVersion(db)).toBe(SCHEMA_VERSION);
    for (const each of more) if (each !== db) await each.close();
  });

  test('only what is missing is applied', async () => {
    await migrate(db, NOW_MS);
    const more = [...MIGRATIONS, next(['CREATE TABLE later (id INTEGER)'])];
    expect(await migrate(db, NOW_MS + 1, more)).toEqual(['next']);
    expect(await schemaVersion(db)).toBe(number);
  });

  test('a database that a newer version has been at is refused, in a sentence, and left as it is', async () => {
    await migrate(db, NOW_MS, [...MIGRATIONS, next(['CREATE TABLE later (id INTEGER)'])]);
    const schema = await describeSchema(db.read);
    const refusal = await migrate(db, NOW_MS).catch((error: Error) => error);
    expect(refusal).toBeInstanceOf(DatabaseUnusable);
    expect((refusal as Error).message).toMatch(
      new RegExp(`schema version ${number}.* knows ${SCHEMA_VERSION}.*\\.$`),
    );
    expect(await describeSchema(db.read)).toBe(schema);
    expect(await schemaVersion(db)).toBe(number);
  });

  test('a failing migration leaves nothing behind, and the repaired one applies', async () => {
    const failing = next(['CREATE TABLE half (id INTEGER)', 'CREATE TABLE broken (']);
    await expect(migrate(db, NOW_MS, [...MIGRATIONS, failing])).rejects.toThrow();
    // Neither of the failing one, nor of those before it that ran in the same start.
    expect(await describeSchema(db.read)).toBe('');
    await migrate(db, NOW_MS);
    const schema = await describeSchema(db.read);
    await expect(migrate(db, NOW_MS, [...MIGRATIONS, failing])).rejects.toThrow();
    expect(await describeSchema(db.read)).toBe(schema);
    expect(await schemaVersion(db)).toBe(SCHEMA_VERSION);
    const repaired = next(['CREATE TABLE half (id INTEGER)']);
    expect(await migrate(db, NOW_MS, [...MIGRATIONS, repaired])).toEqual(['next']);
  });

  test('numbers ascend, and names are unique', () => {
    const numbers = MIGRATIONS.map((migration) => migration.number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(new Set(names).size).toBe(names.length);
  });
});
