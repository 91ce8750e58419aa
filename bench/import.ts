/** How fast are many readings at once, against the engine's own insert of the same rows? */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, Place } from './support/database.ts';
import { buildTown, type House, PASSWORD, type Town, USERNAME } from './support/house.ts';
import { ROOT, track } from './support/processes.ts';
import { rawInsert } from './support/raw-insert.ts';
import { asCsv, asNdjson, type MeterReading, readingsOf } from './support/readings.ts';
import { type Report, type Row, ratio, repeated, type Spread } from './support/report.ts';

const SUBMETERS = 9;
const CLI = join(ROOT, 'src/cli/main.ts');

/** How a house's readings get into its ledger. @returns milliseconds */
type Way = (town: Town, house: House, readings: readonly MeterReading[]) => Promise<number>;

async function upload(
  { client }: Town,
  { property_id }: House,
  content_type: 'text/csv' | 'application/x-ndjson',
  bytes: Buffer<ArrayBuffer>,
  expected: number,
): Promise<number> {
  const started_at = performance.now();
  const { recorded } = await client.importReadings({ property_id, content_type, upload: bytes });
  const took_ms = performance.now() - started_at;
  if (recorded !== expected) throw new Error(`recorded ${recorded} readings of ${expected}`);
  return took_ms;
}

const overNdjson: Way = (town, house, readings) =>
  upload(town, house, 'application/x-ndjson', asNdjson(house, readings), readings.length);
const overCsv: Way = (town, house, readings) =>
  upload(town, house, 'text/csv', asCsv(house, readings), readings.length);

/** The whole command: its start, signing in, reading the file, printing the report. */
async function overCli(place: Place, town: Town, house: House, bytes: Buffer): Promise<number> {
  const file = join(place.folder, 'readings.csv');
  writeFileSync(file, bytes);
  const words = ['import', file, '--property', String(house.property_id), '--server', town.server.origin];
  const account = { ELECTRIC_USERNAME: USERNAME, ELECTRIC_PASSWORD: PASSWORD };
  const started_at = performance.now();
  const child = track(
    spawn(process.execPath, [CLI, ...words, '--json'], {
      env: { PATH: process.env.PATH, ...account },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const [code] = await once(child, 'exit');
  const took_ms = performance.now() - started_at;
  if (code !== 0) throw new Error(`the command line ended with exit code ${code}`);
  return took_ms;
}

/** Each run goes into a house of its own, in one store. @returns readings per second */
async function measure(place: Place, engine: Engine, way: Way, serving: boolean): Promise<Spread> {
  const [warmups, runs] = place.quick ? [0, 1] : [1, 5];
  const per_meter = place.quick ? 300 : 20_000;
  const town = await buildTown(place, engine, { houses: warmups + runs, submeters: SUBMETERS });
  try {
    if (!serving) await town.server.stop();
    return await repeated({ warmups, runs }, async (run) => {
      const house = town.houses[run]!;
      const readings = readingsOf(house, per_meter);
      return (readings.length / (await way(town, house, readings))) * 1000;
    });
  } finally {
    await town.close();
  }
}

export async function bulkImport(place: Place): Promise<Report> {
  const rows: Row[] = [];
  const unit = 'readings/s';
  for (const engine of place.engines) {
    const raw: Way = (town, house, readings) => rawInsert(engine, { town, house, readings });
    const limit = await measure(place, engine, raw, false);
    const name =
      engine === 'sqlite' ? 'raw insert: prepared, one transaction' : 'raw insert: COPY from a file';
    rows.push({ what: name, engine, unit, spread: limit, ratios: [] });
    const cli: Way = (town, house, readings) => overCli(place, town, house, asCsv(house, readings));
    const ways: [string, Way][] = [
      ['HTTP, NDJSON', overNdjson],
      ['HTTP, CSV', overCsv],
    ];
    if (existsSync(CLI)) ways.push(['command line, CSV, its start included', cli]);
    for (const [what, way] of ways) {
      const spread = await measure(place, engine, way, true);
      rows.push({ what, engine, unit, spread, ratios: [ratio(spread, limit, 'raw insert')] });
    }
  }
  return {
    name: 'import',
    question: 'How fast are many readings at once?',
    rows,
    notes: [
      `Each run: ${SUBMETERS + 1} meters of one house, ${place.quick ? '3,000' : '200,000'} readings, one batch, durable.`,
      ...(existsSync(CLI) ? [] : ['There is no command line to measure: src/cli/main.ts is missing.']),
      'The raw insert fills the same two tables with the same indexes and triggers; it parses, checks and projects nothing.',
    ],
  };
}
