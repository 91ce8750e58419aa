/** A server in a process of its own, clients that write to it whatever comes, and a look at what is there afterwards. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { Selectable } from 'kysely';
import pg from 'pg';
import { expect } from 'vitest';
import { ApiError, type Client, createClient } from '../../src/client/index.ts';
import { databaseFile } from '../../src/server/db/connect.ts';
import type { Tables } from '../../src/server/db/tables.ts';
import { Random } from '../sim/random.ts';
import { rebuild } from '../sim/rebuild.ts';
import { startProcess } from './process.ts';
import { PASSWORD } from './server.ts';

const BEGIN_MS = Date.parse('2025-01-01T00:00:00Z');
const MINUTE_MS = 60_000;

/** Starts a server and waits until it listens. */
export async function start(
  url: string,
  node_options: readonly string[] = [],
): Promise<{ child: ChildProcess; origin: string }> {
  return startProcess({ DATABASE_URL: url, RATE_LIMIT: 'off' }, [...node_options]);
}

interface House {
  property_id: number;
  main_id: number;
  names: Map<number, string>;
}

/** What the server has said it keeps. */
export interface Acknowledged {
  /** Readings by their ids, as they were answered. */
  readings: Map<number, { batch_id: number; meter_id: number; value: string; reading_timestamp: string }>;
  /** How many entries each batch has, where the answer said so. */
  batches: Map<number, number>;
  /** Readings that were voided. */
  voided: Set<number>;
  replacements: Set<number>;
}

/** Writes one thing after the other until the server, or its database, is gone; whatever it answers is noted. */
async function write(
  { client, random, house, next }: { client: Client; random: Random; house: House; next: () => number },
  noted: Acknowledged,
): Promise<void> {
  const { property_id, main_id, names } = house;
  const meters = [main_id, ...names.keys()];
  // Each instant is written to once, so that nothing but corrections can meet a conflict; some come out of order.
  const instant = () => {
    const at = next();
    return { at, reading_timestamp: new Date(BEGIN_MS + (at ^ 5) * MINUTE_MS).toISOString() };
  };
  const note = ({
    id,
    batch_id,
    meter_id,
    value,
    reading_timestamp,
  }: Awaited<ReturnType<Client['getReading']>>) =>
    noted.readings.set(id, { batch_id, meter_id, value, reading_timestamp });
  const writeSomething = async () => {
    const { at, reading_timestamp } = instant();
    const value = String(at);
    const known = [...noted.readings.keys()];
    const reading_id = known.length > 0 ? random.pick(known.slice(-50)) : 0;
    const meter_id = random.pick(meters);
    switch (random.int(0, 9)) {
      case 0:
      case 1: {
        const submeter_readings = Object.fromEntries([...names.values()].map((name) => [name, value]));
        const body = { property_id, reading_timestamp, main_meter_value: value, submeter_readings };
        const { items } = await client.createReadings({ body });
        items.forEach(note);
        noted.batches.set(items[0]!.batch_id, items.length);
        return;
      }
      case 2:
      case 3: {
        const lines = Array.from({ length: random.int(1, 300) }, () => {
          const meter = names.get(random.pick([...names.keys()]))!;
          const { at, reading_timestamp } = instant();
          return JSON.stringify({ meter, reading_timestamp, value: String(at) });
        });
        const upload = lines.join('\n');
        const report = await client.importReadings({
          property_id,
          content_type: 'application/x-ndjson',
          upload,
        });
        noted.batches.set(report.batch_id!, lines.length);
        return;
      }
      case 4: {
        const body = { value: `${random.int(1, 1_000_000)}.5`, reason: 'a slip' };
        note(await client.correctReading({ reading_id, body }));
        noted.readings.delete(reading_id);
        return;
      }
      case 5:
        await client.voidReading({ reading_id, reason: 'a slip' });
        noted.readings.delete(reading_id);
        noted.voided.add(reading_id);
        return;
      case 6: {
        const body = { replaced_at: reading_timestamp, final_value: value, initial_value: '0', digits: 5 };
        noted.replacements.add((await client.replaceDevice({ meter_id, body })).id!);
        return;
      }
      default:
        note(await client.createReading({ body: { meter_id, reading_timestamp, value } }));
    }
  };
  for (;;) {
    try {
      await writeSomething();
    } catch (error) {
      // Two writers may have meant the same reading. Every other end is that the server is gone, without an answer.
      if (!(error instanceof ApiError)) return;
      if (error.problem.code === 'unavailable') return;
      expect(['reading_superseded', 'not_found', 'validation_failed']).toContain(error.problem.code);
    }
  }
}

type Rows<T extends keyof Tables> = Selectable<Tables[T]>[];

/** Reads a database beside its server. */
async function beside(
  url: string,
): Promise<{ rows(query: string): Promise<object[]>; close(): Promise<void> }> {
  const file = databaseFile(url);
  if (file !== null) {
    const db = new DatabaseSync(file, { readOnly: true });
    const plain = (row: object) => ({ ...row });
    return { rows: async (query) => db.prepare(query).all().map(plain), close: async () => db.close() };
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return { rows: async (query) => (await client.query(query)).rows, close: () => client.end() };
}

/** Waits until a database server has noticed that those who were connected are gone: their last words still count. */
export async function settled(url: string): Promise<void> {
  if (databaseFile(url) !== null) return;
  const { rows, close } = await beside(url);
  const others = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'electric'`;
  while ((await rows(others)).length > 0);
  await close();
}

/** Looks at everything the database holds, beside the server. @returns how many batches there are */
export async function inspect(url: string, noted: Acknowledged): Promise<number> {
  const db = await beside(url);
  const all = <T extends keyof Tables>(table: T, order: string) =>
    db.rows(`SELECT * FROM ${table} ORDER BY ${order}`) as Promise<Rows<T>>;
  try {
    const batches = await all('batches', 'sequence');
    const entries = await all('ledger_entries', 'id');
    expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, i) => i + 1));
    const counted = Map.groupBy(entries, ({ batch_id }) => batch_id);
    expect(batches.map(({ id }) => [id, counted.get(id)?.length])).toEqual(
      batches.map(({ id, entry_count }) => [id, entry_count]),
    );
    expect(counted.size).toBe(batches.length);

    const there = new Map(entries.map((entry) => [entry.id, entry]));
    const gone = new Map(entries.map((entry) => [entry.supersedes_id, entry]));
    for (const [id, count] of noted.batches) expect(counted.get(id)).toHaveLength(count);
    for (const [id, { batch_id, meter_id, value, reading_timestamp }] of noted.readings) {
      expect(there.get(id)).toMatchObject({
        ...{ batch_id, meter_id, reading_timestamp: Date.parse(reading_timestamp) },
        value_wh: Math.round(Number(value) * 1000),
      });
    }
    for (const id of noted.voided) expect(gone.get(id)).toMatchObject({ kind: 'void' });
    for (const id of noted.replacements) expect(there.get(id)).toMatchObject({ kind: 'device' });

    const stored = await all('readings', 'meter_id, reading_timestamp');
    expect(rebuild(await all('meters', 'id'), entries)).toEqual(stored);
    return batches.length;
  } finally {
    await db.close();
  }
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals) {
  const exited = once(child, 'exit');
  child.kill(signal);
  return exited;
}

const WRITERS = 4;

/** A house on a server, clients that write to it, and what they were told. */
export interface Life {
  property_id: number;
  /** Reaches whatever server has this address, as the house's owner. */
  clientOf(origin: string): Client;
  /** Begins to write. @returns what is over when every writer has met the end of the server or its database */
  write(origin: string): Promise<unknown>;
  noted: Acknowledged;
}

/** Makes a house with three submeters. */
export async function settle(origin: string, random: Random): Promise<Life> {
  let token = '';
  const clientOf = (address: string) => createClient({ origin: address, token: () => token });
  const first = clientOf(origin);
  const me = { username: 'writer', password: PASSWORD };
  await first.register({ body: { ...me, email: 'writer@example.com' } });
  token = (await first.login({ body: me })).access_token;
  const property = await first.createProperty({ body: { display_name: 'Villa Volt' } });
  const { id: property_id, main_meter_id } = property;
  const house: House = { property_id, main_id: main_meter_id!, names: new Map() };
  for (const name of ['Sauna', 'Heat pump', 'Car']) {
    house.names.set((await first.createSubmeter({ body: { property_id, name } })).id, name);
  }
  const noted: Acknowledged = {
    readings: new Map(),
    batches: new Map(),
    voided: new Set(),
    replacements: new Set(),
  };
  let last = 0;
  const writer = (client: Client) => {
    const seeded = new Random(random.int(0, 2 ** 31));
    return write({ client, random: seeded, house, next: () => last++ }, noted);
  };
  return {
    property_id,
    clientOf,
    write: (address) => Promise.all(Array.from({ length: WRITERS }, () => writer(clientOf(address)))),
    noted,
  };
}
