/** What do the chain, a correction and a check of the whole ledger cost? */
import { setImmediate } from 'node:timers/promises';
import {
  batchHash,
  type ChainedEntry,
  canonicalEntry,
  GENESIS_HASH,
  leafHash,
  merkleRoot,
  toHex,
} from '../src/core/chain.ts';
import { formatKwh } from '../src/core/units.ts';
import { draft, sha256 } from '../src/server/ledger/write.ts';
import { bareSqlite, type Engine, type Place, pgRun } from './support/database.ts';
import { buildTown, type House, type Town } from './support/house.ts';
import { asCsv, type MeterReading, readingsOf } from './support/readings.ts';
import { type Report, type Row, ratio, repeated, rounded, type Spread, spreadOf } from './support/report.ts';

/** The hashing of one batch, as the server does it; nothing is stored. @returns milliseconds */
function hashBatch(entries: readonly ChainedEntry[]): number {
  const started_at = performance.now();
  const leaves = entries.map((entry) => leafHash(sha256, canonicalEntry(entry)));
  const header = {
    id: 1,
    property_id: 1,
    sequence: 1,
    recorded_by_user_id: 1,
    recorded_by_api_key_id: null,
    source: 'import',
    created_at: 0,
    entry_count: entries.length,
  };
  batchHash(sha256, GENESIS_HASH, header, toHex(merkleRoot(sha256, leaves)));
  return performance.now() - started_at;
}

function entriesOf(readings: readonly MeterReading[]): ChainedEntry[] {
  return readings.map((_, i) => ({
    ...draft({ meter_id: 1 + (i % 10), kind: 'absolute', reading_timestamp: i * 900_000, value_wh: i * 37 }),
    id: i + 1,
    property_id: 1,
    batch_id: 1,
  }));
}

async function upload({ client }: Town, house: House, readings: readonly MeterReading[]): Promise<number> {
  const started_at = performance.now();
  await client.importReadings({
    property_id: house.property_id,
    content_type: 'text/csv',
    upload: asCsv(house, readings),
  });
  return performance.now() - started_at;
}

const FIRST_INSTANT_MS = Date.UTC(1990, 0, 1);
const QUARTER_MS = 900_000;
/** By then the meter has shown its highest rate. */
const CORRECTED_AT = 100;

/** Sets the highest rate, and leaves the reading after it above: what is corrected is no decrease. */
const HIGHEST_WH = 3800;

/** What a meter uses in a quarter of an hour, in Wh: something every time, and a lot twice, early. */
function usedIn(quarter: number): number {
  if (quarter === 50) return 4000;
  if (quarter === CORRECTED_AT + 1) return 3900;
  return 50 + ((quarter * 7919) % 997);
}

type ReadingType = 'absolute' | 'relative';

/** Readings of one meter, all as intervals or all as registers, a quarter of an hour apart. */
function oneMeter(name: string, count: number, reading_type: ReadingType): string {
  const lines: string[] = [];
  let register_wh = 0;
  for (let i = 0; i < count; i += 1) {
    register_wh += usedIn(i);
    const reading_timestamp = new Date(FIRST_INSTANT_MS + i * QUARTER_MS).toISOString();
    const value = formatKwh(reading_type === 'absolute' ? register_wh : usedIn(i));
    lines.push(JSON.stringify({ meter: name, reading_timestamp, value, reading_type }));
  }
  return `${lines.join('\n')}\n`;
}

interface LongMeter {
  town: Town;
  property_id: number;
  meter_id: number;
}

/** Fills one meter of a house through the import, so that its chain is whole and its projection right. */
async function longMeter(
  town: Town,
  house: House,
  place: number,
  count: number,
  type: ReadingType,
): Promise<LongMeter> {
  const { property_id } = house;
  const { id: meter_id, name } = house.meters[place]!;
  const content_type = 'application/x-ndjson';
  const lines = oneMeter(name, count, type);
  // Connections that the server has closed meanwhile, as idle, are to be noticed before one is used again.
  await setImmediate();
  await town.client.importReadings({ property_id, content_type, upload: lines });
  return { town, property_id, meter_id };
}

/** Corrects one early reading again and again, up and down in turn. @returns milliseconds of those up, and of those down */
async function corrections(
  { town, meter_id }: LongMeter,
  pairs: number,
  step_wh: number,
): Promise<[Spread, Spread]> {
  const { client } = town;
  const at_ms = FIRST_INSTANT_MS + CORRECTED_AT * QUARTER_MS;
  const start_date = new Date(at_ms).toISOString();
  const end_date = new Date(at_ms + QUARTER_MS).toISOString();
  const { items } = await client.getMeterRange({ meter_id, start_date, end_date });
  let { id: reading_id, value } = items[0]!;
  const took_ms: [number[], number[]] = [[], []];
  for (let run = 0; run < 2 * pairs; run += 1) {
    const [whole = '', fraction = ''] = value.split('.');
    const value_wh = Number(whole) * 1000 + Number(fraction.padEnd(3, '0'));
    const next = formatKwh(value_wh + (run % 2 ? -step_wh : step_wh));
    const started_at = performance.now();
    const body = { value: next, reason: 'bench' };
    ({ id: reading_id, value } = await client.correctReading({ reading_id, body }));
    took_ms[run % 2]!.push(performance.now() - started_at);
  }
  return [spreadOf(took_ms[0]), spreadOf(took_ms[1])];
}

/** The engine's own UPDATE of every reading of a meter, durable; nothing is different afterwards. @returns milliseconds */
async function bareUpdate(engine: Engine, { town, property_id, meter_id }: LongMeter): Promise<number> {
  const statement = `UPDATE readings SET energy_wh = energy_wh + 0
    WHERE property_id = ${property_id} AND meter_id = ${meter_id}`;
  const started_at = performance.now();
  if (engine === 'sqlite') {
    const connection = bareSqlite(town.database.url);
    connection.exec(statement);
    connection.close();
  } else {
    await pgRun(town.database.url, statement);
  }
  return performance.now() - started_at;
}

/** What the chain costs where much is recorded at once, and where little is. @returns the rate of hashing alone, too */
async function chainShares(
  town: Town,
  engine: Engine,
  quick: boolean,
): Promise<{ rows: Row[]; hashes_per_s: number }> {
  const rows: Row[] = [];
  const runs = { warmups: 1, runs: quick ? 1 : 4 };
  const sample = readingsOf(town.houses[0]!, quick ? 300 : 20_000);
  const entries = entriesOf(sample);
  const hashing = await repeated(runs, () => hashBatch(entries));
  const importing = await repeated(runs, (run) => upload(town, town.houses[run]!, sample));
  const what = `import of ${sample.length.toLocaleString('en')} readings in one batch`;
  rows.push({ what, engine, unit: 'ms', spread: importing, ratios: [] });
  const of_which = "of which the chain's hashing";
  const share = ratio(hashing, importing, 'the import');
  rows.push({ what: of_which, engine, unit: 'ms', spread: hashing, ratios: [share] });

  const [one] = entries;
  const single_hash = await repeated({ warmups: 50, runs: 200 }, () => hashBatch([one!]) * 1000);
  const meter_id = town.houses[0]!.meters[1]!.id;
  const single = await repeated({ warmups: 20, runs: quick ? 20 : 200 }, async (run) => {
    const reading_timestamp = new Date(Date.UTC(2026, 0, 1) + run * 60_000).toISOString();
    const started_at = performance.now();
    await town.client.createReading({ body: { meter_id, reading_timestamp, value: `${900_000 + run}` } });
    return (performance.now() - started_at) * 1000;
  });
  rows.push({ what: 'a single reading over HTTP', engine, unit: 'µs', spread: single, ratios: [] });
  const hash_share = ratio(single_hash, single, 'the reading');
  rows.push({ what: of_which, engine, unit: 'µs', spread: single_hash, ratios: [hash_share] });
  return { rows, hashes_per_s: (entries.length / hashing.median) * 1000 };
}

/** Corrections at the beginning of two long meters, one of registers and one of intervals. */
async function correctionCosts(
  registers: LongMeter,
  intervals: LongMeter,
  engine: Engine,
  quick: boolean,
): Promise<Row[]> {
  const limit = await repeated({ warmups: 0, runs: quick ? 1 : 2 }, () => bareUpdate(engine, intervals));
  const bare = 'bare UPDATE of all later readings';
  const rows: Row[] = [{ what: bare, engine, unit: 'ms', spread: limit, ratios: [] }];
  const row = (of: string, spread: Spread) =>
    rows.push({
      what: `correction of ${of}, all others later`,
      engine,
      unit: 'ms',
      spread,
      ratios: [ratio(spread, limit, bare, 'times')],
    });
  const [up] = await corrections(registers, quick ? 2 : 8, 20);
  row('a register', up);
  // Each of these may write a million rows: once is enough.
  const [moved] = await corrections(intervals, 1, 20);
  row('an interval', moved);
  const [setting, lifting] = await corrections(registers, 1, HIGHEST_WH);
  row('a register, setting the highest rate', setting);
  row('a register, lifting the highest rate', lifting);
  return rows;
}

async function measure(place: Place, engine: Engine): Promise<Row[]> {
  const { quick } = place;
  const town = await buildTown(place, engine, { houses: 6, submeters: 9 });
  try {
    const { rows, hashes_per_s } = await chainShares(town, engine, quick);
    // The last house is the long one: made once, and used by everything that follows.
    const house = town.houses.at(-1)!;
    const later = quick ? 2_000 : 1_000_000;
    const registers = await longMeter(town, house, 0, later, 'absolute');
    const intervals = await longMeter(town, house, 1, later, 'relative');
    rows.push(...(await correctionCosts(registers, intervals, engine, quick)));

    const { property_id } = house;
    const checking = await repeated({ warmups: 0, runs: quick ? 1 : 2 }, async () => {
      const started_at = performance.now();
      const { verified, entries: checked } = await town.client.verifyLedger({ property_id });
      if (!verified) throw new Error('the chain of the bench does not verify');
      return (checked / (performance.now() - started_at)) * 1000;
    });
    const of_hashing = `${rounded(checking.median / hashes_per_s)} of hashing alone`;
    const what = `verify of a ledger of ${(2 * later).toLocaleString('en')} readings`;
    rows.push({ what, engine, unit: 'readings/s', spread: checking, ratios: [of_hashing] });
    return rows;
  } finally {
    await town.close();
  }
}

export async function ledgerCosts(place: Place): Promise<Report> {
  const rows: Row[] = [];
  for (const engine of place.engines) rows.push(...(await measure(place, engine)));
  return {
    name: 'ledger',
    question: 'What do the chain, a correction and a check of the whole ledger cost?',
    rows,
    notes: [
      "The chain's hashing is measured by itself, in the same run: the canonical form and SHA-256 of every entry, the Merkle tree, the batch.",
      `Corrections: one of the first readings of a meter with ${place.quick ? '2,000' : '1,000,000'} of them; the limit is the engine's own UPDATE of all of them, one commit.`,
      'A corrected register touches its neighbours only, whatever comes after. A corrected interval moves the energy of all that come after, in one statement.',
      'A correction that sets or lifts the highest rate of all writes its neighbours too; lifting it reads the rates after it.',
    ],
  };
}
