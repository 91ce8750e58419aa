/** Recording asks the database for little: what a reading costs is mostly the number of its statements. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Counted, counted } from '../support/statements.ts';

/** The session, BEGIN and COMMIT included; the embedded engine has a savepoint, and locks no row. */
const ONE_READING = { sqlite: 14, postgres: 13 } as const;
const ROUND_TRIPS = 7;
/** For each meter of a round: an embedded engine's prepared statement runs for each row. */
const ONE_METER_MORE = { sqlite: 2, postgres: 0 } as const;

describe.each(ENGINES)('statements on %s', (engine) => {
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
    await house.given(house.main_id, '2026-01-01T00:00:00Z', '1');
    for (let i = 1; i <= 20; i++) await house.submeter(`Flat ${i}`);
  });
  afterAll(() => server.close());

  /** A round over the main meter and some flats. */
  function round(flats: number, reading_timestamp: string, value: string): Promise<Counted> {
    const names = Array.from({ length: flats }, (_, i) => `Flat ${i + 1}`);
    const submeter_readings = Object.fromEntries(names.map((name) => [name, value]));
    return counted(engine, async () => {
      const { status } = await house.post('/api/readings/bulk', {
        ...{ property_id: house.property_id, reading_timestamp, main_meter_value: value, submeter_readings },
      });
      expect(status).toBe(201);
    });
  }

  test('one reading takes a baker’s dozen, in seven round trips', async () => {
    const { statements, round_trips } = await counted(engine, () =>
      house.given(house.main_id, '2026-01-02T00:00:00Z', '2'),
    );
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(ONE_READING[engine]);
    expect(round_trips).toBeLessThanOrEqual(ROUND_TRIPS);
  });

  test('so does one before a later one, whose row changes', async () => {
    const { statements } = await counted(engine, () =>
      house.given(house.main_id, '2026-01-01T12:00:00Z', '1.5'),
    );
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(ONE_READING[engine] + 1);
  });

  test('a round takes as many, however many meters it reads', async () => {
    const few = await round(1, '2026-01-03T00:00:00Z', '3');
    const many = await round(20, '2026-01-04T00:00:00Z', '4');
    expect(few.statements.length).toBeLessThanOrEqual(ONE_READING[engine] + ONE_METER_MORE[engine]);
    expect(many.statements.length - few.statements.length).toBeLessThanOrEqual(19 * ONE_METER_MORE[engine]);
    expect(many.round_trips).toBeLessThanOrEqual(ROUND_TRIPS);
  });

  test('nothing new is recorded without writing', async () => {
    const { statements } = await counted(engine, () =>
      house.record(house.main_id, '2026-01-02T00:00:00Z', '2'),
    );
    expect(statements.filter((text) => /^(insert|update|delete)/i.test(text))).toEqual([]);
  });
});
