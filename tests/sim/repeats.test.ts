/** What the simulation found once, by hand and small: a file that is sent again with more lines in it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

interface Sent {
  at: string;
  value: string;
  since?: string;
}

describe.each(ENGINES)('readings that are there already, followed by new ones, on %s', (engine) => {
  let server: TestServer;
  let person: Person;

  beforeAll(async () => {
    server = await startServer(engine);
    person = await server.newPerson();
  });
  afterAll(() => server.close());

  const instant = (time: string) => `2026-03-02T${time}:00Z`;

  /** Imports one file after the other for a new submeter. @returns what was used from 06:00 to 09:00, and all flags */
  async function afterFiles(reading_type: 'absolute' | 'relative', files: Sent[][]) {
    const { id: property_id } = await person.client.createProperty({ body: { display_name: 'A house' } });
    const meter = 'Heat pump';
    await person.client.createSubmeter({ body: { property_id, name: meter } });
    for (const file of files) {
      const lines = file.map(({ at, value, since }) => ({
        meter,
        reading_timestamp: instant(at),
        value,
        reading_type,
        ...(since ? { period_start: instant(since) } : {}),
      }));
      const upload = lines.map((line) => JSON.stringify(line)).join('\n');
      await person.client.importReadings({ property_id, content_type: 'application/x-ndjson', upload });
    }
    const { submeters } = await person.client.getConsumption({
      property_id,
      start_timestamp: instant('06:00'),
      end_timestamp: instant('09:00'),
    });
    const { meter_id, consumption } = submeters[0]!;
    const { items } = await person.client.getHistory({ meter_id });
    return { consumption, flags: items.flatMap(({ flags }) => flags) };
  }

  test('an amount is not counted a second time', async () => {
    const first = [
      { at: '06:00', value: '1' },
      { at: '07:00', value: '2' },
      { at: '08:00', value: '4' },
    ];
    const files = [first, [...first.slice(1), { at: '09:00', value: '8' }]];
    expect(await afterFiles('relative', files)).toEqual({ consumption: '14', flags: [] });
  });

  test('an interval does not overlap itself', async () => {
    const first = [
      { at: '07:00', value: '2', since: '06:00' },
      { at: '08:00', value: '4', since: '07:00' },
    ];
    const files = [first, [...first, { at: '09:00', value: '8', since: '08:00' }]];
    expect(await afterFiles('relative', files)).toEqual({ consumption: '14', flags: [] });
  });

  test('a register that only went up is not flagged', async () => {
    const first = [
      { at: '06:00', value: '100' },
      { at: '07:00', value: '102' },
      { at: '08:00', value: '106' },
    ];
    const files = [first, [...first, { at: '09:00', value: '114' }]];
    expect(await afterFiles('absolute', files)).toEqual({ consumption: '14', flags: [] });
  });
});
