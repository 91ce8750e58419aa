/** An undo asks the database for as much whether it brings back ten readings or a thousand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/server/db/connect.ts';
import type { Tx } from '../../src/server/db/tables.ts';
import type { Deps } from '../../src/server/deps.ts';
import { undoBatch } from '../../src/server/readings/undo.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { statementsOf } from '../support/queries.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe.each(ENGINES)('the statements of an undo on %s', (engine) => {
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
  });
  afterAll(() => server.close());

  /** Imports some readings of a new meter, and undoes that. @returns the batch whose undo brings all of them back */
  async function undone(readings: number): Promise<number> {
    const { property_id, owner } = house;
    const name = `meter with ${readings}`;
    await house.submeter(name);
    const at = (i: number) => new Date(Date.UTC(2025, 0, 1, i)).toISOString();
    const rows = Array.from({ length: readings }, (_, i) => `${at(i)},${i}\n`).join('');
    const upload = `timestamp,${name}\n${rows}`;
    const { batch_id } = await owner.client.importReadings({ property_id, content_type: 'text/csv', upload });
    const body = { reason: 'wrong meter' };
    return (await owner.client.undoBatch({ property_id, batch_id: batch_id!, body })).id;
  }

  /** What bringing back the readings of a batch takes. */
  async function statements(batch_id: number): Promise<string[]> {
    const seen: string[] = [];
    const counting: Database = {
      ...server.db,
      write: <T>(job: (tx: Tx) => Promise<T>) =>
        server.db.write(async (tx) => {
          let result: T;
          const asked = await statementsOf(tx, async (recording) => {
            result = await job(recording);
          });
          seen.push(...asked.map((query) => query.sql));
          return result!;
        }),
    };
    const deps = { db: counting, clock: Date.now } as Deps;
    await undoBatch(
      deps,
      { user_id: house.owner.id, session: null, api_key: null },
      house.property_id,
      batch_id,
      'it was right',
    );
    return seen;
  }

  test('are as many for a thousand readings as for fifty', async () => {
    const [few, many] = [await undone(50), await undone(1000)];
    const of_few = await statements(few);
    expect(of_few.length).toBeGreaterThan(5);
    expect((await statements(many)).length - of_few.length).toBeLessThan(5);
    const { submeters } = (await house.get(`/api/readings/property/${house.property_id}/latest`)).body;
    expect(submeters).toMatchObject([{ value: '999' }]);
  });
});
