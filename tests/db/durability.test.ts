/** Settings without which an answered write could be lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CompiledQuery, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { connect, DatabaseUnusable } from '../../src/server/db/connect.ts';
import { migrate } from '../../src/server/db/migrate.ts';
import type { Db } from '../../src/server/db/tables.ts';
import { freshUrl } from '../support/engines.ts';

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url));

function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

describe('SQLite', () => {
  test('the writing connection flushes every commit, checks references, and waits its turn', async () => {
    const { url, drop } = await freshUrl('sqlite');
    const db = await connect(url);
    await migrate(db, 0);
    const pragma = async (on: Db, name: string) =>
      Object.values((await on.executeQuery<object>(CompiledQuery.raw(`PRAGMA ${name}`))).rows[0]!)[0];
    const settings = (on: Db) =>
      Promise.all(
        ['synchronous', 'journal_mode', 'foreign_keys', 'busy_timeout'].map((name) => pragma(on, name)),
      );
    // synchronous: 2 is FULL.
    expect(await db.write((tx) => settings(tx))).toEqual([2, 'wal', 1, 5000]);
    expect(await pragma(db.read, 'journal_mode')).toBe('wal');
    // A reader that could write would write beside the queue.
    await expect(sql`DELETE FROM users`.execute(db.read)).rejects.toThrow(/readonly/);
    await db.close();
    await drop();
  });

  test('a second process on the same file is refused, with a sentence, and the first goes on', async () => {
    const { url, drop } = await freshUrl('sqlite');
    const db = await connect(url);
    await migrate(db, 0);
    const environment = { ...process.env, DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'silent' };
    const { code, stderr } = await ended(spawn(process.execPath, [MAIN], { env: environment }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Electric cannot start\. Another Electric process is using .*electric\.db\./);
    expect(stderr).not.toMatch(/\n\s+at /);
    await db.write((tx) => sql`DELETE FROM sessions`.execute(tx));
    await db.close();
    await drop();
  });
});

describe('PostgreSQL', () => {
  test('a database that answers before the write is durable is refused', async () => {
    const { url, drop } = await freshUrl('postgres');
    const name = new URL(url).pathname.slice(1);
    const set = async (value: string) => {
      const db = await connect(url);
      await sql`ALTER DATABASE ${sql.id(name)} SET synchronous_commit = ${sql.lit(value)}`.execute(db.read);
      await db.close();
    };
    await set('off');
    const refusal = await connect(url).catch((error: Error) => error);
    expect(refusal).toBeInstanceOf(DatabaseUnusable);
    expect((refusal as Error).message).toMatch(/synchronous_commit = off.*\.$/);
    await drop();
  });

  test('a database that flushes every commit is taken', async () => {
    const { url, drop } = await freshUrl('postgres');
    const db = await connect(url);
    const { rows } = await sql<{ synchronous_commit: string }>`SHOW synchronous_commit`.execute(db.read);
    expect(rows).toEqual([{ synchronous_commit: 'on' }]);
    await db.close();
    await drop();
  });
});
