/** A house to be read: its owner, its main meter, and short words for calling the server as the owner. */
import { sql } from 'kysely';
import type { CallResult, Person, TestServer } from './server.ts';

export interface House {
  owner: Person;
  property_id: number;
  main_id: number;
  get(path: string): Promise<CallResult>;
  post(path: string, body: unknown): Promise<CallResult>;
  patch(path: string, body: unknown): Promise<CallResult>;
  /** Adds a submeter. @returns its id */
  submeter(name: string, more?: object): Promise<number>;
  /** Records one reading; the answer is the caller's to judge. */
  record(
    meter_id: number,
    reading_timestamp: string,
    value: string | number,
    more?: object,
  ): Promise<CallResult>;
  /** Records a reading that the test takes for granted. @returns its id */
  given(meter_id: number, reading_timestamp: string, value: string, more?: object): Promise<number>;
  /** Says what the present device of a meter is, or corrects what was said; the answer is the caller's to judge. */
  say(meter_id: number, said: object): Promise<CallResult>;
  /** Makes a meter or a property inactive, whatever hangs on it. */
  retire(table: 'meters' | 'properties', id: number): Promise<void>;
}

export async function newHouse(
  server: TestServer,
  { timezone = 'UTC', owner: wanted }: { timezone?: string; owner?: Person } = {},
): Promise<House> {
  const owner = wanted ?? (await server.newPerson());
  const { id: property_id, main_meter_id } = await owner.client.createProperty({
    body: { display_name: 'Villa Volt', timezone },
  });
  const call = (method: string, path: string, body?: unknown) =>
    server.call(method, path, { token: owner.token, body });
  const house: House = {
    owner,
    property_id,
    main_id: main_meter_id!,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    async submeter(name, more = {}) {
      return (await owner.client.createSubmeter({ body: { property_id, name, ...more } })).id;
    },
    record: (meter_id, reading_timestamp, value, more = {}) =>
      call('POST', '/api/readings', { meter_id, reading_timestamp, value, ...more }),
    async given(meter_id, reading_timestamp, value, more = {}) {
      const { status, body } = await house.record(meter_id, reading_timestamp, value, more);
      if (status !== 201) throw new Error(`the reading was not recorded: ${JSON.stringify(body)}`);
      return body.id;
    },
    async say(meter_id, said) {
      const path = `/api/meters/${meter_id}/devices`;
      const { id } = (await call('GET', path)).body.items.at(-1);
      return id === null
        ? call('POST', path, said)
        : call('PATCH', `${path}/${id}`, { reason: 'seen', ...said });
    },
    async retire(table, id) {
      await server.db.write((tx) =>
        sql`UPDATE ${sql.table(table)} SET is_active = 0 WHERE id = ${id}`.execute(tx),
      );
    },
  };
  return house;
}
