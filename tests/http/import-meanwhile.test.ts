/** A file takes its time; what is decided about its meters meanwhile holds for it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection, flagsOf } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

/** More than lies between two sockets: once it has been taken, the server is in the middle of the file. */
const PADDING = Array.from({ length: 32 }, () => `${' '.repeat(900_000)}\n`);

describe.each(ENGINES)('while a file comes in on %s', (engine) => {
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server);
  });

  /** Imports registers of the main meter, a day apart; `meanwhile` happens in the middle of the file. */
  async function importing(values: string[], meanwhile: () => Promise<unknown>) {
    const lines = values.map((value, i) =>
      JSON.stringify({
        meter: 'Main meter',
        reading_timestamp: `2026-01-0${i + 1}T00:00:00Z`,
        value,
      }),
    );
    async function* file() {
      yield* PADDING;
      await meanwhile();
      yield lines.join('\n');
    }
    const response = await fetch(`${server.origin}/api/readings/import?property_id=${house.property_id}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${house.owner.token}`, 'content-type': 'application/x-ndjson' },
      body: ReadableStream.from(file()).pipeThrough(new TextEncoderStream()),
      duplex: 'half',
    } as RequestInit);
    return { status: response.status, body: (await response.json()) as { code?: string; detail?: string } };
  }

  test('its meter is retired: 409, and nothing is written', async () => {
    let before = {};
    const { status, body } = await importing(['1'], async () => {
      await house.retire('meters', house.main_id);
      before = await counts(server.db);
    });
    expect([status, body.code, body.detail]).toEqual([
      409,
      'meter_inactive',
      'The meter Main meter is inactive: restore it first.',
    ]);
    expect(await counts(server.db)).toEqual(before);
  });

  test('its meter gets another factor: readings are judged by that', async () => {
    const { status } = await importing(['0', '24', '48', '72', '2472'], () =>
      house.patch(`/api/meters/${house.main_id}`, { plausibility_factor: null }),
    );
    expect(status).toBe(201);
    expect(await flagsOf(house, house.main_id)).toEqual([[], [], [], [], []]);
    await expectSoundProjection(server.db);
  });
});
