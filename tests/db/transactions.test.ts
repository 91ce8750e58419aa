/** Writes: whole or not at all, visible once answered, and undisturbed by those that fail beside them. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/server/db/connect.ts';
import type { Tx } from '../../src/server/db/tables.ts';
import { together } from '../../src/server/db/together.ts';
import { ENGINES, freshDatabase } from '../support/engines.ts';

describe.each(ENGINES)('writes on %s', (engine) => {
  let db: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ db, close } = await freshDatabase(engine));
    await db.write((tx) => sql`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)`.execute(tx));
  });
  afterAll(() => close());
  beforeEach(() => db.write((tx) => sql`DELETE FROM notes`.execute(tx)));

  const insert = (tx: Tx, id: number) => sql`INSERT INTO notes (id, text) VALUES (${id}, 'x')`.execute(tx);
  async function stored(): Promise<number[]> {
    const { rows } = await sql<{ id: number }>`SELECT id FROM notes ORDER BY id`.execute(db.read);
    return rows.map(({ id }) => id);
  }
  class Refused extends Error {}

  test('an answered write is visible', async () => {
    for (let id = 1; id <= 20; id++) {
      await db.write((tx) => insert(tx, id));
      expect((await stored()).at(-1)).toBe(id);
    }
  });

  test('each of many at once is visible when it is answered', async () => {
    await Promise.all(
      Array.from({ length: 30 }, async (_, id) => {
        await db.write((tx) => insert(tx, id));
        expect(await stored()).toContain(id);
      }),
    );
    expect(await stored()).toEqual(Array.from({ length: 30 }, (_, id) => id));
  });

  test('a job that throws after writing leaves nothing, and gets its own error', async () => {
    const refused = db.write(async (tx) => {
      await insert(tx, 1);
      throw new Refused('no');
    });
    await expect(refused).rejects.toBeInstanceOf(Refused);
    expect(await stored()).toEqual([]);
  });

  test('a job that the database refuses leaves nothing', async () => {
    const twice = db.write(async (tx) => {
      await insert(tx, 1);
      await insert(tx, 1);
    });
    await expect(twice).rejects.toThrow(/unique/i);
    expect(await stored()).toEqual([]);
  });

  test('failing jobs do not disturb their neighbours in the same group', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, (_, id) =>
        db.write(async (tx) => {
          await insert(tx, id);
          if (id % 3 === 1) throw new Refused(`${id}`);
          if (id % 3 === 2) await insert(tx, id);
          return id;
        }),
      ),
    );
    for (const [id, answer] of answers.entries()) {
      if (id % 3 === 0) expect(answer).toEqual({ status: 'fulfilled', value: id });
      else if (id % 3 === 1) expect(answer).toEqual({ status: 'rejected', reason: new Refused(`${id}`) });
      else expect(answer).toMatchObject({ status: 'rejected', reason: { message: /unique/i } });
    }
    expect(await stored()).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  });

  test('statements that share a round trip end together: none runs on after its transaction', async () => {
    const refused = db.write(async (tx) => {
      const slow = async () => {
        for (let id = 1; id <= 50; id++) await insert(tx, id);
      };
      await together([slow(), insert(tx, 99).then(() => Promise.reject(new Refused('no')))]);
    });
    await expect(refused).rejects.toBeInstanceOf(Refused);
    await db.write((tx) => insert(tx, 100));
    expect(await stored()).toEqual([100]);
  });

  test('of statements that share a round trip the first to fail is named', async () => {
    const refused = db.write(async (tx) => {
      await insert(tx, 1);
      await together([insert(tx, 2), insert(tx, 1), insert(tx, 3)]);
    });
    await expect(refused).rejects.toThrow(/unique/i);
    expect(await stored()).toEqual([]);
  });

  test('a write is not answered as done if the database gave all of it up', async () => {
    const answer = await Promise.allSettled([
      db.write(async (tx) => {
        await insert(tx, 1);
        await insert(tx, 1).catch(() => {});
      }),
    ]);
    expect(await stored()).toEqual(answer[0].status === 'fulfilled' ? [1] : []);
  });

  test('nobody sees a write before it is whole', async () => {
    let seen: number[] | null = null;
    await db.write(async (tx) => {
      await insert(tx, 1);
      seen = await stored();
      await insert(tx, 2);
    });
    expect(seen).toEqual([]);
    expect(await stored()).toEqual([1, 2]);
  });

  test('what cannot be stored exactly is refused, not bent', async () => {
    for (const value of [undefined, Number.NaN, new Date(0), true]) {
      const write = db.write((tx) =>
        tx
          .insertInto('schema_migrations')
          .values({ number: 99, name: 'x', applied_at: value as never })
          .execute(),
      );
      await expect(write, String(value)).rejects.toThrow();
    }
  });
});
