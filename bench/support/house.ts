/** A server over a fresh database with houses in it, made the way a user makes them. */
import { type Client, createClient } from '../../src/client/index.ts';
import { type EmptyDatabase, type Engine, emptyDatabase, type Place } from './database.ts';
import { type Running, SOURCE, start } from './processes.ts';

export interface House {
  property_id: number;
  /** The main meter first. */
  meters: { id: number; name: string }[];
}

export interface Town {
  database: EmptyDatabase;
  server: Running;
  client: Client;
  token: string;
  user_id: number;
  houses: House[];
  close(): Promise<void>;
}

export const USERNAME = 'reader';
export const PASSWORD = 'a sentence that is long enough';

/** Outlives the longest bench: what is measured are readings, not sign-ins. */
export const ENVIRONMENT = {
  ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
  SECRET_KEY: 'for benches only, '.repeat(3),
};

async function buildHouse(client: Client, number: number, submeters: number): Promise<House> {
  const property = await client.createProperty({ body: { display_name: `House ${number}` } });
  const meters = [{ id: property.main_meter_id!, name: 'Main meter' }];
  for (let i = 1; i <= submeters; i += 1) {
    meters.push(await client.createSubmeter({ body: { property_id: property.id, name: `Flat ${i}` } }));
  }
  return { property_id: property.id, meters: meters.map(({ id, name }) => ({ id, name })) };
}

export interface TownPlan {
  houses: number;
  /** In each house, beside its main meter. */
  submeters: number;
  node_options?: string[];
}

export async function buildTown(place: Place, engine: Engine, plan: TownPlan): Promise<Town> {
  const database = await emptyDatabase(place, engine);
  const environment = { ...ENVIRONMENT, DATABASE_URL: database.url };
  const { node_options = [] } = plan;
  const server = await start({ script: SOURCE, environment, node_options, folder: place.folder });
  const account = { username: USERNAME, email: 'reader@example.com', password: PASSWORD };
  const anonymous = createClient({ origin: server.origin });
  const { id: user_id } = await anonymous.register({ body: account });
  const signed_in = await anonymous.login({ body: { username: USERNAME, password: PASSWORD } });
  const token = signed_in.access_token;
  const client = createClient({ origin: server.origin, token: () => token });
  const houses: House[] = [];
  for (let i = 1; i <= plan.houses; i += 1) houses.push(await buildHouse(client, i, plan.submeters));
  return {
    database,
    server,
    client,
    token,
    user_id,
    houses,
    async close() {
      await server.stop();
      await database.drop();
    },
  };
}
