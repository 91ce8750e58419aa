/** A transaction that is held open until the request's answer is known. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/server/db/connect.ts';
import { hold } from '../../src/server/db/hold.ts';
import type { Tx } from '../../src/server/db/tables.ts';
import { ENGINES, freshDatabase } from '../support/engines.ts';

describe.each(ENGINES)('a held transaction on %s', (engine) => {
  let db: Database;
  let close: () => Promise<void>;
  let number = 1000;
  beforeAll(async () => {
    ({ db, close } = await freshDatabase(engine));
  });
  afterAll(() => close());

  const note = (name: string) => (tx: Tx) =>
    tx
      .insertInto('schema_migrations')
      .values({ number: number++, name, applied_at: 0 })
      .execute()
      .then(() => {});
  const noted = async (on = db) =>
    (
      await on.read
        .selectFrom('schema_migrations')
        .select('name')
        .where('number', '>=', 1000)
        .orderBy('number')
        .execute()
    ).map(({ name }) => name);
  const cleared = () =>
    db.write((tx) => tx.deleteFrom('schema_migrations').where('number', '>=', 1000).execute());

  test('nothing is there for others until it ends, and all of it for itself', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    expect(await held.db.write((tx) => note('one')(tx).then(() => 7))).toBe(7);
    await held.db.write(note('two'));
    expect([await noted(), await noted(held.db)]).toEqual([[], ['begin', 'one', 'two']]);
    await held.commit(note('last'));
    expect(await noted()).toEqual(['begin', 'one', 'two', 'last']);
  });

  test('a rollback leaves nothing', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    await held.db.write(note('one'));
    expect(held.hasWritten()).toBe(true);
    await held.rollback();
    expect(await noted()).toEqual([]);
  });

  test('a last step that fails takes all of it along', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    await held.db.write(note('one'));
    await expect(held.commit(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await noted()).toEqual([]);
  });

  test('a first write that fails leaves nothing, and another may follow', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    const failing = async (tx: Tx) => {
      await note('one')(tx);
      throw new Error('no');
    };
    await expect(held.db.write(failing)).rejects.toThrow('no');
    expect(held.hasWritten()).toBe(false);
    await held.rollback();
    await held.db.write(note('two'));
    await held.commit(note('last'));
    expect(await noted()).toEqual(['begin', 'two', 'last']);
  });

  test('a further write that fails leaves the others, also after an error of the database', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    await held.db.write(note('one'));
    await expect(
      held.db.write(async (tx) => {
        await note('two')(tx);
        number -= 1;
        await note('the same number')(tx);
      }),
    ).rejects.toThrow();
    await held.db.write(note('three'));
    await held.commit(note('last'));
    expect(await noted()).toEqual(['begin', 'one', 'three', 'last']);
  });

  test('writes at once do not wait for each other forever', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    await Promise.all([held.db.write(note('one')), held.db.write(note('two'))]);
    await held.commit(note('last'));
    expect(await noted()).toEqual(['begin', 'one', 'two', 'last']);
  });

  test('without a write the last step has a transaction of its own', async () => {
    await cleared();
    const held = hold(db, note('begin'));
    expect(await held.db.read.selectFrom('users').selectAll().execute()).toEqual([]);
    await held.commit(note('last'));
    expect(await noted()).toEqual(['begin', 'last']);
  });

  test('what throws at the beginning is what the write throws', async () => {
    await cleared();
    const held = hold(db, () => Promise.reject(new Error('taken')));
    await expect(held.db.write(note('one'))).rejects.toThrow('taken');
    await expect(held.commit(note('last'))).rejects.toThrow('taken');
    expect(await noted()).toEqual([]);
  });
});
