/** How fast do a million readings leave, and in how much memory, against the engine's own SELECT of the same rows? */
import { writeFileSync } from 'node:fs';
import { barePostgres, bareSqlite, type Engine, type Place } from './support/database.ts';
import { fill } from './support/fill.ts';
import { buildTown, ENVIRONMENT, type Town } from './support/house.ts';
import { peakMib, type Running, SOURCE, start } from './support/processes.ts';
import { type Report, type Row, ratio, repeated, type Spread, spreadOf } from './support/report.ts';

const SUBMETERS = 9;
const ROWS = `SELECT reading_timestamp, meter_id, entry_id, reading_type, value_wh, period_start, decreased
  FROM readings WHERE property_id = `;
/** As docs/importing.md says for a machine of 256 MB. */
const SMALL = ['--max-old-space-size=64', '--max-semi-space-size=4'];

/** Every row, one at a time, and nothing done with it. @returns milliseconds */
async function selectAlone(engine: Engine, { database }: Town, property_id: number): Promise<number> {
  const statement = `${ROWS}${property_id} ORDER BY reading_timestamp, meter_id`;
  if (engine === 'sqlite') {
    const connection = bareSqlite(database.url);
    const started_at = performance.now();
    let rows = 0;
    for (const _ of connection.prepare(statement).iterate()) rows += 1;
    const took_ms = performance.now() - started_at;
    connection.close();
    if (rows === 0) throw new Error('there is nothing to select');
    return took_ms;
  }
  const client = await barePostgres(database.url);
  const started_at = performance.now();
  await client.query(`BEGIN; DECLARE all_rows NO SCROLL CURSOR FOR ${statement}`);
  for (;;) {
    const { rows } = await client.query('FETCH 10000 FROM all_rows');
    if (rows.length === 0) break;
  }
  const took_ms = performance.now() - started_at;
  await client.end();
  return took_ms;
}

/** Reads an answer away as it comes. @returns milliseconds */
async function drain({ origin }: Running, token: string, path: string): Promise<number> {
  const started_at = performance.now();
  const response = await fetch(origin + path, { headers: { authorization: `Bearer ${token}` } });
  let bytes = 0;
  for await (const chunk of response.body!) bytes += chunk.length;
  if (response.status !== 200 || bytes < 1000) throw new Error(`${path}: ${response.status}, ${bytes} bytes`);
  return performance.now() - started_at;
}

function waysOf(property_id: number): [string, string][] {
  const readings = `/api/readings/property/${property_id}/export?format=`;
  return [
    ['CSV', `${readings}csv`],
    ['CSV with decimal commas', `${readings}csv&locale=de`],
    ['NDJSON', `${readings}ndjson`],
    ['Green Button', `${readings}greenbutton`],
    ['XLSX, one sheet', `${readings}xlsx`],
    ['XLSX, a sheet per meter', `${readings}xlsx&sheets=per_meter`],
    ['proof file', `/api/properties/${property_id}/ledger/export`],
    ['archive of the property', `/api/properties/${property_id}/archive`],
  ];
}

export async function exports(place: Place): Promise<Report> {
  const rows: Row[] = [];
  const unit = 'readings/s';
  const repeats = place.quick ? { warmups: 0, runs: 1 } : { warmups: 1, runs: 3 };
  let readings = 0;
  for (const engine of place.engines) {
    const town = await buildTown(place, engine, { houses: 1, submeters: SUBMETERS });
    try {
      const { property_id } = town.houses[0]!;
      readings = await fill(engine, town, place.quick ? 300 : 100_000);
      await town.server.stop();
      const perSecond = (ms: number) => (readings / ms) * 1000;
      const limit: Spread = await repeated(repeats, async () =>
        perSecond(await selectAlone(engine, town, property_id)),
      );
      rows.push({ what: 'the rows alone', engine, unit, spread: limit, ratios: [] });
      for (const [what, path] of waysOf(property_id)) {
        const environment = { ...ENVIRONMENT, DATABASE_URL: town.database.url };
        const server = await start({
          script: SOURCE,
          environment,
          node_options: SMALL,
          folder: place.folder,
        });
        const idle_mib = peakMib(server.pid);
        // A fresh count of its peak.
        writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
        const spread = await repeated(repeats, async () => perSecond(await drain(server, town.token, path)));
        rows.push({ what, engine, unit, spread, ratios: [ratio(spread, limit, 'the rows alone')] });
        const peak = spreadOf([peakMib(server.pid)]);
        const ratios = [ratio(peak, spreadOf([idle_mib]), 'the peak of starting', 'times')];
        rows.push({ what: `${what}: peak memory`, engine, unit: 'MiB', spread: peak, ratios });
        await server.stop();
      }
    } finally {
      await town.close();
    }
  }
  return {
    name: 'export',
    question: 'How fast do readings leave, and in how much memory?',
    rows,
    notes: [
      `${readings.toLocaleString('en')} readings of ${SUBMETERS + 1} meters, over HTTP on the same machine, by a server started with ${SMALL.join(' ')}.`,
      'The rows alone: seven columns of the readings in the order of an export, row by row (SQLite) or 10,000 at a time through a cursor (PostgreSQL), with nothing done to them.',
      'The archive holds the proof file and a CSV: it reads everything twice, and compresses it.',
    ],
  };
}
