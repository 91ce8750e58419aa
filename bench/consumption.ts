/** How long does a year's consumption take, and does it grow with the store? */

import { callOf } from '../src/client/describe.ts';
import { toRequest } from '../src/client/index.ts';
import { contracts } from '../src/contract/index.ts';
import type { Interval } from '../src/core/time.ts';
import { type Engine, emptyDatabase, type Place } from './support/database.ts';
import { fill } from './support/fill.ts';
import { buildTown, type Town } from './support/house.ts';
import { FIRST_MS } from './support/readings.ts';
import { type Report, type Row, ratio, repeated, type Spread } from './support/report.ts';
import { bareStatement } from './support/statement.ts';

const SUBMETERS = 10;
const END_MS = Date.UTC(2025, 0, 1);
const TOO_LONG_MS = 240_000;

/** How large the stores are: houses whose meters all send a reading every quarter of an hour for a year. */
interface Size {
  small: number;
  large: number;
  steps: number;
  runs: number;
  intervals: Interval[];
}

async function overHttp({ server, token, houses }: Town, interval: Interval): Promise<number> {
  const input = {
    property_id: houses[0]!.property_id,
    start_date: '2024-01-01',
    end_date: '2025-01-01',
    interval,
  };
  const request = toRequest(
    callOf(contracts.getSeries),
    { origin: server.origin, token: () => token },
    input,
  );
  const started_at = performance.now();
  const response = await fetch(request);
  const bytes = await response.arrayBuffer();
  const took_ms = performance.now() - started_at;
  if (response.status !== 200 || bytes.byteLength < 1000) throw new Error(`series: ${response.status}`);
  return took_ms;
}

interface Times {
  http: Spread;
  bare: Spread;
}

interface Store {
  readings: number;
  fill_ms: number;
  times: Map<Interval, Times>;
}

async function measure(
  place: Place,
  engine: Engine,
  { steps, runs, intervals }: Size,
  houses: number,
): Promise<Store> {
  const town = await buildTown(place, engine, { houses, submeters: SUBMETERS });
  const beside = await emptyDatabase(place, engine);
  try {
    const started_at = performance.now();
    const readings = await fill(engine, town, steps);
    const fill_ms = performance.now() - started_at;
    const times = new Map<Interval, Times>();
    for (const interval of intervals) {
      const period = { from_ms: FIRST_MS, to_ms: END_MS, interval };
      const { url } = town.database;
      const bare = await bareStatement(engine, url, beside.url, town.houses[0]!, period);
      const size = { warmups: Math.min(3, runs), runs };
      times.set(interval, {
        http: await repeated(size, () => overHttp(town, interval)),
        bare: await repeated(size, bare.run),
      });
      await bare.close();
    }
    return { readings, fill_ms, times };
  } finally {
    await beside.drop();
    await town.close();
  }
}

const millions = (readings: number) => `${(readings / 1e6).toFixed(readings < 1e6 ? 3 : 1)} M`;

function rowsOf(engine: Engine, small: Store, large: Store): Row[] {
  const rows: Row[] = [];
  for (const interval of small.times.keys()) {
    for (const store of [small, large]) {
      const { http, bare } = store.times.get(interval)!;
      const before = small.times.get(interval)!;
      const growth = (now: Spread, then: Spread) =>
        store === large ? [ratio(now, then, `with ${millions(small.readings)}`, 'times')] : [];
      const what = `year by ${interval}, ${millions(store.readings)} readings`;
      rows.push(
        {
          what,
          engine,
          unit: 'ms',
          spread: http,
          ratios: [ratio(http, bare, 'the bare statement', 'times'), ...growth(http, before.http)],
        },
        {
          what: `${what}: bare statement`,
          engine,
          unit: 'ms',
          spread: bare,
          ratios: growth(bare, before.bare),
        },
      );
    }
  }
  return rows;
}

export async function consumption(place: Place): Promise<Report> {
  const size: Size = place.quick
    ? { small: 1, large: 3, steps: 400, runs: 1, intervals: ['month', 'day'] }
    : { small: 3, large: 26, steps: 35_136, runs: 9, intervals: ['month', 'day', 'hour'] };
  const rows: Row[] = [];
  const notes = [
    `One house with ${SUBMETERS + 1} meters in a store of many, all read every quarter of an hour; ` +
      '12, 366 and 8,784 buckets in one answer.',
    'The bare statement is the one that the server sends, on a connection of its own, rows and all.',
  ];
  for (const engine of place.engines) {
    const small = await measure(place, engine, size, size.small);
    const expected_ms = (small.fill_ms / size.small) * size.large;
    const too_long = expected_ms > TOO_LONG_MS;
    const large = await measure(place, engine, size, too_long ? size.large / 2 : size.large);
    rows.push(...rowsOf(engine, small, large));
    if (too_long) notes.push(`${engine}: the larger store is half as large, filling it would take too long.`);
    notes.push(`${engine}: the larger store was filled in ${Math.round(large.fill_ms / 1000)} s.`);
  }
  return {
    name: 'consumption',
    question: 'How long does a year’s consumption take, and does it grow with the store?',
    rows,
    notes,
  };
}
