/** Do deep pages cost what the first one costs, and how long does a search among many properties take? */
import { barePostgres, bareSqlite, type Engine, type Place, pgRun } from './support/database.ts';
import { fill } from './support/fill.ts';
import { buildTown, type Town } from './support/house.ts';
import { type Report, type Row, ratio, repeated, type Spread, spreadOf } from './support/report.ts';

const PAGE = 100;
const STREETS = [
  'Lindengatan',
  'Åkervägen',
  'Straße',
  'Örngränd',
  'İstiklal',
  'Rue des Écoles',
  'Main Street',
];

/** Names as people give them, folded as the server does it. */
const FOLDED = STREETS.map((street) =>
  street.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i'),
);

/** Properties of one user by SQL alone. */
async function addProperties(engine: Engine, { database, user_id }: Town, count: number): Promise<void> {
  const first = 1_000_000;
  const pick = (words: readonly string[]) =>
    `CASE k % ${words.length} ${words.map((word, i) => `WHEN ${i} THEN '${word} '`).join(' ')} END || k`;
  const k =
    engine === 'sqlite'
      ? `(WITH RECURSIVE s (k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM s WHERE k < ${count}) SELECT k FROM s) AS steps`
      : `generate_series(1, ${count}) AS steps (k)`;
  const statements = [
    `INSERT INTO properties (id, display_name, display_name_folded, timezone, currency, is_active, created_at)
      SELECT ${first} + k, ${pick(STREETS)}, ${pick(FOLDED)}, 'UTC', 'SEK', 1, k FROM ${k}`,
    `INSERT INTO meters (id, property_id, name, name_folded, meter_type, is_active, created_at)
      SELECT ${first} + k, ${first} + k, 'Main meter', 'main meter', 'main_meter', 1, k FROM ${k}`,
    `INSERT INTO memberships (property_id, user_id, role, created_at)
      SELECT ${first} + k, ${user_id}, 'owner', k FROM ${k}`,
  ];
  if (engine === 'sqlite') {
    const connection = bareSqlite(database.url);
    connection.exec('BEGIN');
    for (const statement of statements) connection.exec(statement);
    connection.exec('COMMIT');
    connection.close();
    return;
  }
  await pgRun(database.url, statements.join(';'));
  await pgRun(database.url, 'ANALYZE');
}

/** The folded names alone, each held against a word. @returns milliseconds */
async function scanAlone(engine: Engine, { database }: Town): Promise<number> {
  const statement = `SELECT COUNT(*) AS found FROM properties WHERE display_name_folded LIKE '%vägen 4711%'`;
  if (engine === 'sqlite') {
    const connection = bareSqlite(database.url);
    const started_at = performance.now();
    connection.prepare(statement).get();
    const took_ms = performance.now() - started_at;
    connection.close();
    return took_ms;
  }
  const client = await barePostgres(database.url);
  const started_at = performance.now();
  await client.query(statement);
  const took_ms = performance.now() - started_at;
  await client.end();
  return took_ms;
}

/** The median time of a page at the beginning of a range, and of one at its end. */
async function pages({ client, houses }: Town, count: number): Promise<{ first: Spread; last: Spread }> {
  const { property_id } = houses[0]!;
  const period = { start_date: '1950-01-01', end_date: '2090-01-01' };
  const times: number[] = [];
  let cursor: string | null = null;
  let last = 0;
  for (let page = 0; page < count; page += 1) {
    const started_at = performance.now();
    const answer = await client.getPropertyRange({
      property_id,
      ...period,
      limit: PAGE,
      ...(cursor && { cursor }),
    });
    times.push(performance.now() - started_at);
    cursor = answer.next_cursor;
    last = answer.items.length;
  }
  if (last !== PAGE || cursor !== null) throw new Error(`the last page has ${last} readings`);
  // The very first call counts everything, and warms up.
  return { first: spreadOf(times.slice(1, 51)), last: spreadOf(times.slice(-50)) };
}

async function measure(place: Place, engine: Engine): Promise<Row[]> {
  const rows: Row[] = [];
  const unit = 'ms';
  const [steps, properties] = place.quick ? [100, 1000] : [100_000, 100_000];
  const runs = place.quick ? { warmups: 0, runs: 1 } : { warmups: 3, runs: 15 };
  const town = await buildTown(place, engine, { houses: 1, submeters: 9 });
  try {
    const readings = await fill(engine, town, steps);
    const count = readings / PAGE;
    const { first, last } = await pages(town, count);
    rows.push({ what: 'page 2 to 51 of readings', engine, unit, spread: first, ratios: [] });
    rows.push({
      what: `the last 50 of ${count.toLocaleString('en')} pages`,
      engine,
      unit,
      spread: last,
      ratios: [ratio(last, first, 'the first pages', 'times')],
    });
    await addProperties(engine, town, properties);
    const scan = await repeated(runs, () => scanAlone(engine, town));
    const among = `among ${properties.toLocaleString('en')} properties`;
    rows.push({ what: `names alone, ${among}`, engine, unit, spread: scan, ratios: [] });
    const asked: [string, object][] = [
      ['the first page', {}],
      ['search: one found', { search: 'VÄGEN 4711' }],
      ['search: one in seven found', { search: 'strasse' }],
      ['search: none found', { search: 'nowhere' }],
    ];
    for (const [what, query] of asked) {
      const spread = await repeated(runs, async () => {
        const started_at = performance.now();
        await town.client.listProperties(query);
        return performance.now() - started_at;
      });
      const ratios = [ratio(spread, scan, 'the names alone', 'times')];
      rows.push({ what: `${what}, ${among}`, engine, unit, spread, ratios });
    }
    return rows;
  } finally {
    await town.close();
  }
}

export async function lists(place: Place): Promise<Report> {
  const rows: Row[] = [];
  for (const engine of place.engines) rows.push(...(await measure(place, engine)));
  return {
    name: 'lists',
    question: 'Do deep pages cost what the first one costs, and how long does a search take?',
    rows,
    notes: [
      `Over HTTP. Readings of a property of 10 meters, ${PAGE} a page, each page by the cursor of the one before.`,
      'All properties belong to the one who searches: for whoever has three, a search looks at three.',
    ],
  };
}
