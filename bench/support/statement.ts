/** The server's own look-up of boundaries as bare SQL, taken from its code so that both always ask the same. */
import type { CompiledQuery } from 'kysely';
import { bucketBoundaries, type Interval } from '../../src/core/time.ts';
import { neighboursAt } from '../../src/server/consumption/store.ts';
import { connect } from '../../src/server/db/connect.ts';
import type { Db } from '../../src/server/db/tables.ts';
import { barePostgres, bareSqlite, type Engine } from './database.ts';
import type { House } from './house.ts';

/** A database that runs nothing and remembers what it was asked. */
function listening(db: Db, heard: CompiledQuery[]): Db {
  const real = db.getExecutor();
  const executor = {
    adapter: real.adapter,
    transformQuery: real.transformQuery.bind(real),
    compileQuery: real.compileQuery.bind(real),
    async executeQuery(query: CompiledQuery) {
      heard.push(query);
      return { rows: [] };
    },
  };
  return { getExecutor: () => executor } as unknown as Db;
}

export interface Period {
  from_ms: number;
  to_ms: number;
  interval: Interval;
}

async function compiled(
  url: string,
  house: House,
  { from_ms, to_ms, interval }: Period,
): Promise<CompiledQuery> {
  const meter_ids = house.meters.map(({ id }) => id);
  // Not the store itself: the server has that one, and a second process is refused.
  const db = await connect(url);
  const heard: CompiledQuery[] = [];
  try {
    const instants_ms = bucketBoundaries(from_ms, to_ms, interval, 'UTC', 10_000);
    await neighboursAt(listening(db.read, heard), [
      { property_id: house.property_id, meter_ids, instants_ms },
    ]);
  } finally {
    await db.close();
  }
  return heard[0]!;
}

export interface BareStatement {
  /** @returns milliseconds until all rows are there */
  run(): Promise<number>;
  close(): Promise<void>;
}

/** @param nearby the address of any other database of the same engine, which nobody uses */
export async function bareStatement(
  engine: Engine,
  url: string,
  nearby: string,
  house: House,
  period: Period,
): Promise<BareStatement> {
  const { sql, parameters } = await compiled(nearby, house, period);
  if (engine === 'sqlite') {
    const connection = bareSqlite(url);
    const statement = connection.prepare(sql);
    return {
      async run() {
        const started_at = performance.now();
        statement.all(...(parameters as never[]));
        return performance.now() - started_at;
      },
      close: async () => connection.close(),
    };
  }
  const client = await barePostgres(url);
  return {
    async run() {
      const started_at = performance.now();
      await client.query(sql, [...parameters]);
      return performance.now() - started_at;
    },
    close: () => client.end(),
  };
}
