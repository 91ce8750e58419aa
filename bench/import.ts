/** How fast are many readings at once, against reading the file alone and the engine's own insert of the same rows? */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, Place } from './support/database.ts';
import { buildTown, type House, PASSWORD, type Town, USERNAME } from './support/house.ts';
import { peakMib, ROOT, track } from './support/processes.ts';
import { rawInsert } from './support/raw-insert.ts';
import { asCsv, asNdjson, type MeterReading, readingsOf } from './support/readings.ts';
import { type Report, type Row, ratio, repeated, type Spread, spreadOf } from './support/report.ts';

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

/** Reads the file and splits it into cells, and nothing more. */
async function splitAlone(place: Place, house: House, readings: readonly MeterReading[]): Promise<number> {
  const file = join(place.folder, 'split.csv');
  writeFileSync(file, asCsv(house, readings));
  const started_at = performance.now();
  let cells = 0;
  let rest = '';
  for await (const text of createReadStream(file, 'utf8')) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) cells += line.split(',').length - 1;
  }
  if (cells !== readings.length + house.meters.length) throw new Error(`split into ${cells} cells`);
  return performance.now() - started_at;
}

/** Each run goes into a house of its own, in one store. @returns readings per second, and the server's peak memory */
async function measure(
  place: Place,
  engine: Engine,
  way: Way,
  serving: boolean,
): Promise<{ spread: Spread; peak_mib: number }> {
  const [warmups, runs] = place.quick ? [0, 1] : [1, 5];
  const per_meter = place.quick ? 300 : 20_000;
  const town = await buildTown(place, engine, { houses: warmups + runs, submeters: SUBMETERS });
  try {
    if (!serving) await town.server.stop();
    const spread = await repeated({ warmups, runs }, async (run) => {
      const house = town.houses[run]!;
      const readings = readingsOf(house, per_meter);
      return (readings.length / (await way(town, house, readings))) * 1000;
    });
    return { spread, peak_mib: serving ? peakMib(town.server.pid) : 0 };
  } finally {
    await town.close();
  }
}

export async function bulkImport(place: Place): Promise<Report> {
  const rows: Row[] = [];
  const unit = 'readings/s';
  for (const engine of place.engines) {
    const raw: Way = (town, house, readings) => rawInsert(engine, { town, house, readings });
    const { spread: limit } = await measure(place, engine, raw, false);
    const name =
      engine === 'sqlite' ? 'raw insert: prepared, one transaction' : 'raw insert: COPY from a file';
    rows.push({ what: name, engine, unit, spread: limit, ratios: [] });
    const split: Way = (_town, house, readings) => splitAlone(place, house, readings);
    const { spread: splitting } = await measure(place, engine, split, false);
    rows.push({ what: 'CSV read and split, alone', engine, unit, spread: splitting, ratios: [] });
    const cli: Way = (town, house, readings) => overCli(place, town, house, asCsv(house, readings));
    const ways: [string, Way][] = [
      ['HTTP, NDJSON', overNdjson],
      ['HTTP, CSV', overCsv],
    ];
    if (existsSync(CLI)) ways.push(['command line, CSV, its start included', cli]);
    for (const [what, way] of ways) {
      const { spread, peak_mib } = await measure(place, engine, way, true);
      const ratios = [ratio(spread, limit, 'raw insert'), ratio(spread, splitting, 'splitting')];
      rows.push({ what, engine, unit, spread, ratios });
      rows.push({
        what: `${what}: peak memory`,
        engine,
        unit: 'MiB',
        spread: spreadOf([peak_mib]),
        ratios: [],
      });
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
