/** How many single readings a second become durable, against what the engine and the disk can commit? */
import { type Engine, type Place, pgRun } from './support/database.ts';
import { buildTown, type Town } from './support/house.ts';
import { underLoad } from './support/load.ts';
import { BARE_HTTP, start } from './support/processes.ts';
import {
  flushesPerSecond,
  postgresRowsPerSecond,
  sqliteCommits,
  sqliteRowsPerSecond,
} from './support/raw-commits.ts';
import { type Report, type Row, ratio, repeated, rounded, type Spread, spreadOf } from './support/report.ts';

const SUBMETERS = 10;
const DAY_MS = 86_400_000;
const unit = 'readings/s';

interface Size {
  houses: number;
  warmups: number;
  runs: number;
  seconds: number;
}

async function bareHttp(place: Place, size: Size, clients: number): Promise<Spread> {
  const server = await start({ script: BARE_HTTP, folder: place.folder });
  try {
    return await repeated(size, async () => {
      const { port } = server;
      const { count, seconds } = await underLoad({ port, clients, seconds: size.seconds, meters: [1] });
      return count / seconds;
    });
  } finally {
    await server.stop();
  }
}

/** Flushes of the write-ahead log that a store has seen. */
async function commits(engine: Engine, { database }: Town): Promise<number> {
  if (engine === 'sqlite') return sqliteCommits(database.url);
  const { rows } = await pgRun(
    database.url,
    `SELECT pg_stat_force_next_flush(),
      (SELECT COALESCE(SUM(fsyncs), 0)::int FROM pg_stat_io WHERE object = 'wal') AS flushes`,
  );
  return rows[0].flushes;
}

interface Pace {
  spread: Spread;
  p99_ms: number;
  commits_per_reading: number;
}

let next_day = 0;

/** @param houses how many of them the readings are spread over */
async function pace(engine: Engine, town: Town, size: Size, clients: number, houses: number): Promise<Pace> {
  const meters = town.houses.slice(0, houses).flatMap((house) => house.meters.map(({ id }) => id));
  const shares: number[] = [];
  const slowest: number[] = [];
  const spread = await repeated(size, async () => {
    // Each run begins where the one before it cannot have come to, so that instants only rise.
    next_day += 100;
    const from_ms = Date.UTC(2002, 0, 1) + next_day * DAY_MS;
    const before = await commits(engine, town);
    const load = {
      port: town.server.port,
      token: town.token,
      clients,
      seconds: size.seconds,
      meters,
      from_ms,
    };
    const { count, seconds, p99_ms } = await underLoad(load);
    shares.push(((await commits(engine, town)) - before) / count);
    slowest.push(p99_ms);
    return count / seconds;
  });
  return { spread, p99_ms: spreadOf(slowest).median, commits_per_reading: spreadOf(shares).median };
}

async function limits(place: Place, engine: Engine, size: Size): Promise<Map<number, Spread>> {
  const town = await buildTown(place, engine, { houses: 1, submeters: SUBMETERS });
  await town.server.stop();
  const found = new Map<number, Spread>();
  for (const many of [1, 16]) {
    const rate = () =>
      engine === 'sqlite'
        ? sqliteRowsPerSecond(town, many, size.seconds)
        : postgresRowsPerSecond(town, many, size.seconds);
    found.set(many, await repeated(size, rate));
  }
  await town.close();
  return found;
}

function limitName(engine: Engine, many: number): string {
  if (engine === 'sqlite') return many === 1 ? 'raw commits, a row each' : `raw commits, ${many} rows each`;
  return `raw commits, ${many} connection${many === 1 ? '' : 's'}`;
}

async function ofEngine(place: Place, engine: Engine, size: Size, http: Map<number, Spread>): Promise<Row[]> {
  const raw = await limits(place, engine, size);
  const rows: Row[] = [...raw].map(([many, spread]) => ({
    what: limitName(engine, many),
    engine,
    unit: 'rows/s',
    spread,
    ratios: [],
  }));
  const town = await buildTown(place, engine, { houses: size.houses, submeters: SUBMETERS });
  try {
    for (const [clients, houses] of [
      [1, size.houses],
      [16, size.houses],
      [16, 1],
    ] as const) {
      const { spread, p99_ms, commits_per_reading } = await pace(engine, town, size, clients, houses);
      rows.push({
        what: `POST /api/readings, ${clients} client${clients === 1 ? '' : 's'}${houses === 1 ? ', one house' : ''}`,
        engine,
        unit,
        spread,
        ratios: [
          ratio(spread, raw.get(clients)!, limitName(engine, clients)),
          ratio(spread, http.get(clients)!, 'bare node:http'),
          `p99 ${rounded(p99_ms)} ms`,
          `${rounded(commits_per_reading)} flushes a reading`,
        ],
      });
    }
  } finally {
    await town.close();
  }
  return rows;
}

export async function singleReadings(place: Place): Promise<Report> {
  const size = place.quick
    ? { houses: 3, warmups: 0, runs: 1, seconds: 0.2 }
    : { houses: 20, warmups: 1, runs: 5, seconds: 2 };
  const flushes = await repeated(size, () => flushesPerSecond(place.folder, size.seconds));
  const rows: Row[] = [
    { what: 'append 4 KiB + fdatasync', engine: 'disk', unit: 'flushes/s', spread: flushes, ratios: [] },
  ];
  const http = new Map<number, Spread>();
  for (const clients of [1, 16]) {
    const spread = await bareHttp(place, size, clients);
    http.set(clients, spread);
    const what = `bare node:http, ${clients} client${clients === 1 ? '' : 's'}`;
    rows.push({ what, engine: 'none', unit: 'requests/s', spread, ratios: [] });
  }
  for (const engine of place.engines) rows.push(...(await ofEngine(place, engine, size, http)));
  return {
    name: 'single',
    question: 'How many single readings a second become durable?',
    rows,
    notes: [
      `Random meters of ${size.houses} houses with ${SUBMETERS + 1} meters each, rising instants, connections kept alive; ` +
        'the load comes from a process of its own and shares the machine with the server.',
      'Every answer comes after its commit is on disk; requests that wait together share one flush.',
      'Flushes: commits on SQLite, fsyncs of the write-ahead log on PostgreSQL (pg_stat_io).',
    ],
  };
}
