/** A property on the real server, and the list of what its ledger must hold. */
import type { Person, TestServer } from '../support/server.ts';
import * as model from './model.ts';
import type { Random } from './random.ts';
import * as story from './story.ts';

interface Meter {
  id: number;
  name: string;
  parent_meter_id: number | null;
}

export interface Household {
  server: TestServer;
  person: Person;
  random: Random;
  property_id: number;
  /** The main meter first. */
  meters: Meter[];
  /** What the ledger must hold. */
  list: model.Line[];
  /** Batches that added something. */
  batches: number;
}

export const iso = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');

export async function furnish(server: TestServer, person: Person, random: Random): Promise<Household> {
  const { id: property_id, main_meter_id } = await person.client.createProperty({
    body: { display_name: 'A house', timezone: random.pick(story.ZONES) },
  });
  const meters: Meter[] = [{ id: main_meter_id!, name: '', parent_meter_id: null }];
  for (let i = random.percent(10) ? 0 : random.int(2, 6); i > 0; i--) {
    // Often below the main meter, sometimes below another submeter.
    const parent = random.percent(60) ? meters[0]! : random.pick(meters);
    const name = `Submeter ${i}`;
    const body = { property_id, name, parent_meter_id: parent.id };
    const { id } = await person.client.createSubmeter({ body });
    meters.push({ id, name, parent_meter_id: parent.id });
  }
  const { items } = await person.client.listMeters({ property_id });
  meters[0]!.name = items.find(({ id }) => id === main_meter_id)!.name;
  return { server, person, random, property_id, meters, list: [], batches: 0 };
}

/** A line as requests and answers carry it. */
export const fieldsOf = ({ at, kind, value, since }: model.Line) => ({
  reading_timestamp: iso(at),
  value: model.kwh(value)!,
  reading_type: kind,
  ...(since === null ? {} : { period_start: iso(since) }),
});

/** The readings' entries in the ledger, by meter and instant. */
export type EntryIds = Map<string, number>;
export const keyOf = (meter_id: number, at: number) => `${meter_id} ${at}`;

export async function entryIds({ server, property_id }: Household): Promise<EntryIds> {
  const rows = await server.db.read
    .selectFrom('ledger_entries')
    .select(['id', 'meter_id', 'reading_timestamp'])
    .where('property_id', '=', property_id)
    .execute();
  return new Map(rows.map((row) => [keyOf(row.meter_id, row.reading_timestamp), row.id]));
}
