/** One effect, also where the work fails half way, and where two servers are asked at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/server/db/connect.ts';
import { migrate } from '../../src/server/db/migrate.ts';
import type { Deps } from '../../src/server/deps.ts';
import { DomainError } from '../../src/server/errors.ts';
import { onlyOnce } from '../../src/server/http/idempotency.ts';
import { makeSeal } from '../../src/server/seal.ts';
import { deriveKey } from '../../src/server/secret.ts';
import { ENGINES, freshUrl } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const AT = '2026-01-01T00:00:00Z';

describe.each(ENGINES)('work that fails after it has written, on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let keys = 0;
  beforeAll(async () => {
    server = await startServer(engine);
    owner = await server.newPerson();
  });
  afterAll(() => server.close());

  const nobody = { status: 204, headers: {}, body: null };
  const write = ({ db }: Deps) =>
    db.write((tx) =>
      tx
        .updateTable('users')
        .set({ email: `${keys++}@example.com` })
        .execute(),
    );
  const email = async () => (await server.db.read.selectFrom('users').select('email').execute())[0]!.email;
  const once = (key: string, handle: (deps: Deps) => Promise<typeof nobody>) =>
    onlyOnce(server.deps, owner.id, key, async () => 'the same', handle);

  test.each([
    ['refused: the write stays, as without a key', new DomainError('forbidden', 'No.'), true],
    ['broken: nothing stays', new Error('broken'), false],
  ])('%s, and it may be tried again', async (_, error, stays) => {
    const key = `key-${keys++}`;
    const [before, { idempotency_keys }] = [await email(), await counts(server.db)];
    const failing = async (deps: Deps) => {
      await write(deps);
      throw error;
    };
    await expect(once(key, failing)).rejects.toBe(error);
    expect((await email()) !== before).toBe(stays);
    expect((await counts(server.db)).idempotency_keys).toBe(idempotency_keys);
    const again = await once(key, async (deps) => {
      await write(deps);
      await write(deps);
      return nobody;
    });
    expect(again).toEqual({ sent: nobody, replayed: false });
    expect(await once(key, failing)).toEqual({ sent: nobody, replayed: true });
  });
});

test('once the secret has changed, a repeat is told so, and nothing happens', async () => {
  const server = await startServer('sqlite');
  const { token } = await server.newPerson();
  const body = { display_name: 'Villa Volt' };
  const send = () =>
    server.call('POST', '/api/properties', { token, body, headers: { 'idempotency-key': 'before' } });
  expect((await send()).status).toBe(201);
  server.deps.answerSeal = makeSeal(deriveKey('another secret', 'idempotent answers'));
  const before = await counts(server.db);
  expectProblem(await send(), 'idempotency_key_reused');
  expect(await counts(server.db)).toEqual(before);
  await server.close();
});

describe('on two servers over one database', () => {
  test('a hundred at once, half to each: one effect, one answer', async () => {
    const { url, drop } = await freshUrl('postgres');
    const servers = await Promise.all(
      [1, 2].map(async () => {
        const db = await connect(url);
        await migrate(db, Date.now());
        return startServer('postgres', { db });
      }),
    );
    const [one, two] = servers as [TestServer, TestServer];
    const house = await newHouse(one);
    const body = { meter_id: house.main_id, reading_timestamp: AT, value: '5' };
    const { token } = house.owner;
    const headers = { 'idempotency-key': 'shared' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        (i % 2 ? one : two).call('POST', '/api/readings', { token, body, headers }),
      ),
    );
    const first = answers[0]!;
    for (const { status, body } of answers)
      expect({ status, body }).toEqual({ status: 201, body: first.body });
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    expect(await counts(one.deps.db)).toMatchObject({ ledger_entries: 1, idempotency_keys: 1 });
    for (const { close, deps } of servers) {
      await close();
      await deps.db.close();
    }
    await drop();
  });
});
