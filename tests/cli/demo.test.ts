import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { freshLedger, type Ledger, type Outcome, run, SAMPLE } from './support.ts';

/** Months, then main, kitchen, laundry, water_heater and unmetered in kWh. */
const MONTHS = {
  '2009-01': ['1049.167', '74.651', '72.952', '329.606', '571.958'],
  '2009-03': ['912.649', '64.645', '48.427', '328.697', '470.880'],
  '2009-10': ['851.479', '54.728', '53.729', '327.505', '415.517'],
  '2009-12': ['1015.083', '57.801', '53.490', '383.909', '519.883'],
};
const TOTALS = ['37283.748', '2299.135', '2661.031', '13235.167', '19088.415'];

test('the sample is the file whose answers are known', () => {
  const digest = createHash('sha256').update(readFileSync(SAMPLE)).digest('hex');
  expect(digest).toBe('d2b7c811dd1ca3948385d6c7472e81dae094ea546bca00700d3775a087beadd8');
});

/** The rows of the monthly table, by their first cell. */
function rows(stdout: string): Map<string, string[]> {
  const lines = stdout.split('\n').filter((line) => /^(\d{4}-\d{2}|total) /.test(line));
  return new Map(lines.map((line) => line.split(/\s+/)).map(([label, ...cells]) => [label!, cells]));
}

function checkTable({ code, stdout, stderr }: Outcome): void {
  expect([code, stderr]).toEqual([0, '']);
  const { total, ...months } = Object.fromEntries(rows(stdout));
  expect(total).toEqual(TOTALS);
  expect(months).toMatchObject(MONTHS);
  expect(Object.keys(months)).toHaveLength(48);
  expect([Object.keys(months)[0], Object.keys(months).at(-1)]).toEqual(['2006-12', '2010-11']);
  const wh = (text: string) => Number(text.replace('.', ''));
  for (const [column, sum] of TOTALS.entries()) {
    expect(Object.values(months).reduce((all, cells) => all + wh(cells[column]!), 0)).toBe(wh(sum));
  }
}

describe.each(ENGINES)('demo with a server of its own, %s', (engine) => {
  let ledger: Ledger;
  let env: Record<string, string>;
  beforeAll(async () => {
    ledger = await freshLedger(engine);
    const { ELECTRIC_USERNAME: _, ELECTRIC_PASSWORD: __, ...nobody } = ledger.env;
    env = nobody;
  });
  afterAll(() => ledger.drop());

  test('works from nothing, again, and again into the same account', async () => {
    const first = await run(['demo'], env);
    checkTable(first);
    const [, username, password] = /user (\S+) with the password (\S+)/.exec(first.stdout)!;
    expect(username).toBe('demo');
    expect(first.stdout).toContain('5772 readings were recorded, 0 were there already.');
    expect(first.stdout).toContain('electric serve');

    const second = await run(['demo'], env);
    checkTable(second);
    expect(second.stdout).toMatch(/Created the user demo-[0-9a-f]{4} with/);
    expect(second.stdout).toContain('5772 readings were recorded, 0 were there already.');

    const account = { ELECTRIC_USERNAME: username!, ELECTRIC_PASSWORD: password! };
    const third = await run(['demo'], { ...env, ...account });
    checkTable(third);
    expect(third.stdout).toContain('Signed in as demo.');
    expect(third.stdout).toContain('0 readings were recorded, 5772 were there already.');
    expect(third.stdout).not.toContain(password);
  });
});

describe.each(ENGINES)('demo with a running server, %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(engine);
  });
  afterAll(() => server.close());

  test('shows where to look further', async () => {
    const outcome = await run(['demo', '--server', server.origin]);
    checkTable(outcome);
    expect(outcome.stdout).toContain(`${server.origin}/docs`);
  });

  test('--json prints one document', async () => {
    const { code, stderr, json } = await run(['demo', '--json'], { ELECTRIC_URL: server.origin });
    expect([code, stderr]).toEqual([0, '']);
    const { account, import: report, total, series, property, ...rest } = json();
    expect(rest).toEqual({ server: { origin: server.origin, is_running: true } });
    expect(account).toEqual({
      username: expect.stringMatching(/^demo/),
      password: expect.any(String),
      is_new: true,
    });
    expect(property).toMatchObject({
      display_name: 'House in Sceaux',
      timezone: 'Europe/Paris',
      currency: 'EUR',
    });
    expect(report).toMatchObject({ recorded: 5772, unchanged: 0, dry_run: false });
    expect(total).toMatchObject({ main_meter_consumption: TOTALS[0], unmetered_consumption: TOTALS[4] });
    expect(series.buckets).toHaveLength(48);
  });
});
