/** How soon does a started server answer, and how much memory does it hold? */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyDatabase, type Place } from './support/database.ts';
import { buildTown, ENVIRONMENT } from './support/house.ts';
import { underLoad } from './support/load.ts';
import { BARE_HTTP, BUNDLE, residentMb, SOURCE, start, stop, track } from './support/processes.ts';
import { type Report, type Row, ratio, repeated, type Spread } from './support/report.ts';

/** The ways to start a server. */
const FORMS = [
  ['source', SOURCE],
  ['bundle', BUNDLE],
] as const;

interface Size {
  warmups: number;
  runs: number;
}

function untilExit(): Promise<number> {
  const started_at = performance.now();
  const child = track(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }));
  return new Promise((resolve) => child.once('exit', () => resolve(performance.now() - started_at)));
}

/** Milliseconds from spawning a script to its first answer. */
async function untilAnswer(
  place: Place,
  script: string,
  environment: Record<string, string>,
): Promise<number> {
  const server = await start({ script, environment, folder: place.folder });
  await server.stop();
  return server.started_ms;
}

async function startTimes(place: Place, size: Size): Promise<{ rows: Row[]; notes: string[] }> {
  const bare = await repeated(size, untilExit);
  const http = await repeated(size, () => untilAnswer(place, BARE_HTTP, {}));
  const row = (what: string, spread: Spread, ratios: string[]): Row => ({
    what,
    engine: 'sqlite',
    unit: 'ms',
    spread,
    ratios,
  });
  const rows = [
    { ...row('node -e 0, start to exit', bare, []), engine: 'none' },
    { ...row('bare node:http, start to first answer', http, []), engine: 'none' },
  ];
  const database = await emptyDatabase(place, 'sqlite');
  const cache = join(place.folder, 'compile-cache');
  for (const [name, script] of FORMS) {
    if (!existsSync(script)) continue;
    for (const [how, settings] of [
      ['without compile cache', { NODE_DISABLE_COMPILE_CACHE: '1' }],
      ['with compile cache', { NODE_COMPILE_CACHE: cache }],
    ] as const) {
      const environment = { ...ENVIRONMENT, ...settings, DATABASE_URL: database.url };
      // The first start of each fills the cache and migrates: always a warm-up.
      const warmed = { ...size, warmups: Math.max(1, size.warmups) };
      const spread = await repeated(warmed, () => untilAnswer(place, script, environment));
      const ratios = [
        ratio(spread, http, 'bare node:http', 'times'),
        ratio(spread, bare, 'node -e 0', 'times'),
      ];
      rows.push(row(`server from ${name}, ${how}`, spread, ratios));
    }
  }
  await database.drop();
  return { rows, notes: existsSync(BUNDLE) ? [] : ['dist/server.js is not built: npm run build.'] };
}

async function bareMemory(): Promise<number> {
  const child = track(spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e6)'], { stdio: 'ignore' }));
  await sleep(500);
  const resident = residentMb(child.pid!);
  await stop(child);
  return resident;
}

interface Memory {
  idle: number;
  after: number;
}

async function httpMemory(place: Place, requests: number): Promise<Memory> {
  const server = await start({ script: BARE_HTTP, folder: place.folder });
  await sleep(500);
  const idle = residentMb(server.pid);
  await underLoad({ port: server.port, clients: 8, requests });
  await sleep(1000);
  const after = residentMb(server.pid);
  await server.stop();
  return { idle, after };
}

async function serverMemory(place: Place, script: string, requests: number): Promise<Memory> {
  const town = await buildTown(place, 'sqlite', { houses: 1, submeters: 10 });
  const { server, token, houses } = town;
  // Signing in takes memory of its own: what idles is a server that nobody has asked for anything.
  await server.stop();
  const environment = { ...ENVIRONMENT, DATABASE_URL: town.database.url };
  const again = await start({ script, environment, folder: place.folder });
  await sleep(500);
  const idle = residentMb(again.pid);
  const meters = houses[0]!.meters.map(({ id }) => id);
  const from_ms = Date.UTC(2010, 0, 1);
  await underLoad({ port: again.port, token, clients: 8, requests: requests / 2, meters, from_ms });
  const path = `/api/properties/${houses[0]!.property_id}/meters`;
  await underLoad({ port: again.port, token, clients: 8, requests: requests / 2, path });
  await sleep(1000);
  const after = residentMb(again.pid);
  await again.stop();
  await town.close();
  return { idle, after };
}

async function memory(place: Place, size: Size): Promise<Row[]> {
  const requests = place.quick ? 200 : 10_000;
  const collect = async (measure: () => Promise<Memory>) => {
    const after: number[] = [];
    const idle = await repeated(size, async () => {
      const found = await measure();
      after.push(found.after);
      return found.idle;
    });
    let next = size.warmups;
    return { idle, after: await repeated({ warmups: 0, runs: size.runs }, () => after[next++]!) };
  };
  const bare = await repeated(size, bareMemory);
  const http = await collect(() => httpMemory(place, requests));
  const [unit, asked] = ['MB', `after ${requests.toLocaleString('en')} requests`];
  const against = (spread: Spread, limit: Spread) => [
    ratio(spread, limit, 'bare node:http', 'times'),
    ratio(spread, bare, 'bare node', 'times'),
  ];
  const rows: Row[] = [
    { what: 'memory of bare node', engine: 'none', unit, spread: bare, ratios: [] },
    { what: 'memory of bare node:http, idle', engine: 'none', unit, spread: http.idle, ratios: [] },
    { what: `memory of bare node:http, ${asked}`, engine: 'none', unit, spread: http.after, ratios: [] },
  ];
  for (const [name, script] of FORMS) {
    if (!existsSync(script)) continue;
    const { idle, after } = await collect(() => serverMemory(place, script, requests));
    const row = (when: string, spread: Spread, limit: Spread): Row => ({
      what: `memory of the server from ${name}, ${when}`,
      engine: 'sqlite',
      unit,
      spread,
      ratios: against(spread, limit),
    });
    rows.push(row('idle', idle, http.idle), row(asked, after, http.after));
  }
  return rows;
}

export async function coldStart(place: Place): Promise<Report> {
  const times = await startTimes(place, place.quick ? { warmups: 0, runs: 1 } : { warmups: 2, runs: 9 });
  const rows = await memory(place, place.quick ? { warmups: 0, runs: 1 } : { warmups: 0, runs: 3 });
  return {
    name: 'start',
    question: 'How soon does a started server answer, and how much memory does it hold?',
    rows: [...times.rows, ...rows],
    notes: [
      'The first answer is a 200 of /api/health, asked again every millisecond or two; the database is migrated already.',
      'Memory is what is resident (VmRSS). Half the requests record a reading, half list meters.',
      ...times.notes,
    ],
  };
}
