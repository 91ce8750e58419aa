/** What do the chain, a correction and a check of the whole ledger cost? */
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
import type { Engine, Place } from './support/database.ts';
import { buildTown, type House, type Town } from './support/house.ts';
import { asCsv, type MeterReading, readingsOf } from './support/readings.ts';
import { type Report, type Row, ratio, repeated, rounded, type Spread } from './support/report.ts';

/** The hashing of one batch, as the server does it; nothing is stored. @returns milliseconds */
function hashBatch(entries: readonly ChainedEntry[]): number {
  const started_at = performance.now();
  const leaves = entries.map((entry) => leafHash(sha256, canonicalEntry(entry)));
  const header = {
    id: 1,
    property_id: 1,
    sequence: 1,
    recorded_by_user_id: 1,
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

/** What a meter uses in a quarter of an hour, in Wh: something every time, and a lot once, early. */
function usedIn(quarter: number): number {
  return quarter === 50 ? 4000 : 50 + ((quarter * 7919) % 997);
}

/** Readings of one meter, all as intervals or all as registers, a quarter of an hour apart. */
function oneMeter(house: House, count: number, reading_type: 'absolute' | 'relative'): string {
  const { name } = house.meters[0]!;
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

/** Corrects one early reading of a meter again and again. @returns milliseconds each */
async function corrections(town: Town, house: House, place: Place, step_wh: number): Promise<Spread> {
  const { client } = town;
  const meter_id = house.meters[0]!.id;
  const at_ms = FIRST_INSTANT_MS + CORRECTED_AT * QUARTER_MS;
  const start_date = new Date(at_ms).toISOString();
  const end_date = new Date(at_ms + QUARTER_MS).toISOString();
  const { items } = await client.getMeterRange({ meter_id, start_date, end_date });
  let { id: reading_id, value } = items[0]!;
  return repeated({ warmups: 2, runs: place.quick ? 2 : 8 }, async (run) => {
    const [whole = '', fraction = ''] = value.split('.');
    const value_wh = Number(whole) * 1000 + Number(fraction.padEnd(3, '0'));
    const next = formatKwh(value_wh + (run % 2 ? -step_wh : step_wh));
    const started_at = performance.now();
    ({ id: reading_id, value } = await client.correctReading({
      reading_id,
      body: { value: next, reason: 'bench' },
    }));
    return performance.now() - started_at;
  });
}

async function measure(place: Place, engine: Engine): Promise<Row[]> {
  const rows: Row[] = [];
  const per_meter = place.quick ? 300 : 20_000;
  const later = place.quick ? 2_000 : 1_000_000;
  const town = await buildTown(place, engine, { houses: 9, submeters: 9 });
  try {
    const runs = { warmups: 1, runs: place.quick ? 1 : 4 };
    const sample = readingsOf(town.houses[0]!, per_meter);
    const entries = entriesOf(sample);
    const hashing = await repeated(runs, () => hashBatch(entries));
    const importing = await repeated(runs, (run) => upload(town, town.houses[run]!, sample));
    const what = `${sample.length.toLocaleString('en')} readings in one batch`;
    rows.push({ what: `import of ${what}`, engine, unit: 'ms', spread: importing, ratios: [] });
    const share = ratio(hashing, importing, 'the import');
    rows.push({ what: `of which the chain's hashing`, engine, unit: 'ms', spread: hashing, ratios: [share] });

    const [one] = entries;
    const single_hash = await repeated({ warmups: 50, runs: 200 }, () => hashBatch([one!]) * 1000);
    const meter_id = town.houses[0]!.meters[1]!.id;
    const single = await repeated({ warmups: 20, runs: place.quick ? 20 : 200 }, async (run) => {
      const reading_timestamp = new Date(Date.UTC(2026, 0, 1) + run * 60_000).toISOString();
      const started_at = performance.now();
      await town.client.createReading({ body: { meter_id, reading_timestamp, value: `${900_000 + run}` } });
      return (performance.now() - started_at) * 1000;
    });
    rows.push({ what: 'a single reading over HTTP', engine, unit: 'µs', spread: single, ratios: [] });
    const hash_share = ratio(single_hash, single, 'the reading');
    rows.push({
      what: "of which the chain's hashing",
      engine,
      unit: 'µs',
      spread: single_hash,
      ratios: [hash_share],
    });

    const before = `before ${later.toLocaleString('en')} later readings`;
    const cases = [
      ['a register', 'absolute', 20],
      ['a register, setting and lifting the highest rate', 'absolute', 5000],
      ['an interval', 'relative', 20],
    ] as const;
    for (const [i, [what, type, step_wh]] of cases.entries()) {
      const house = town.houses[6 + i]!;
      const upload_text = oneMeter(house, later, type);
      const { property_id } = house;
      await town.client.importReadings({
        property_id,
        content_type: 'application/x-ndjson',
        upload: upload_text,
      });
      const spread = await corrections(town, house, place, step_wh);
      rows.push({ what: `correction of ${what}, ${before}`, engine, unit: 'ms', spread, ratios: [] });
    }

    const { property_id } = town.houses[6]!;
    const checking = await repeated({ warmups: 0, runs: place.quick ? 1 : 3 }, async () => {
      const started_at = performance.now();
      const { verified, entries: checked } = await town.client.verifyLedger({ property_id });
      if (!verified) throw new Error('the chain of the bench does not verify');
      return (checked / (performance.now() - started_at)) * 1000;
    });
    const hash_rate = { median: (entries.length / hashing.median) * 1000, min: 0, max: 0 };
    const of_hashing = `${rounded(checking.median / hash_rate.median)} of hashing alone`;
    rows.push({
      what: 'verify of a ledger',
      engine,
      unit: 'readings/s',
      spread: checking,
      ratios: [of_hashing],
    });
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
      'A corrected register touches its neighbours only, whatever comes after. A corrected interval moves the energy of all that come after, in one statement.',
      'Each reading carries the highest rate up to it: a correction that sets or lifts the highest rate of all rewrites what comes after, row by row.',
    ],
  };
}
