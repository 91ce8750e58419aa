/** user create, import and consumption against a running server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { PASSWORD, type Person, startServer, type TestServer } from '../support/server.ts';
import { run } from './support.ts';

const CSV = `timestamp,Main meter,kitchen
2026-01-01T00:00:00+01:00,1000,100
2026-02-01T00:00:00+01:00,1100.5,110.25
2026-03-01T00:00:00+01:00,1200,
2026-03-11T00:00:00+01:00,1300,121
`;
const NDJSON = '{"meter": "kitchen", "reading_timestamp": "2026-03-12T00:00:00+01:00", "value": "122"}\n';

describe.each(ENGINES)('%s', (engine) => {
  let server: TestServer;
  let person: Person;
  let folder: string;
  let env: Record<string, string>;

  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const rows = (stdout: string, first: RegExp) =>
    stdout
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/))
      .filter(([label]) => first.test(label!));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'electric-cli-'));
    server = await startServer(engine);
    person = await server.newPerson();
    env = { ELECTRIC_URL: server.origin, ELECTRIC_USERNAME: person.username, ELECTRIC_PASSWORD: PASSWORD };
    const body = { display_name: 'Villa Åsen', timezone: 'Europe/Stockholm' };
    const { id } = await person.client.createProperty({ body });
    await person.client.createSubmeter({ body: { property_id: id, name: 'kitchen' } });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  describe('user create', () => {
    test('prints the user, never the password', async () => {
      const args = ['user', 'create', '--username', 'åsa', '--email', 'asa@example.com'];
      const created = await run(args, env);
      expect(created).toMatchObject({ code: 0, stderr: '' });
      expect(created.stdout).toMatch(/^Created user åsa \(id \d+\), asa@example\.com\.\n$/);

      const again = await run(args, env);
      expect([again.code, again.stdout]).toEqual([3, '']);
      expect(again.stderr).toMatch(/^electric: .*\.\n$/);

      const other = await run(
        ['user', 'create', '--username', 'bert', '--email', 'bert@example.com', '--json'],
        env,
      );
      expect(other.json()).toEqual({
        id: expect.any(Number),
        username: 'bert',
        email: 'bert@example.com',
        created_at: expect.any(String),
      });
    });

    test('names every wrong field', async () => {
      const args = ['user', 'create', '--username', '-', '--email', 'nobody'];
      const short = { ...env, ELECTRIC_PASSWORD: 'too short' };
      const { code, stdout, stderr } = await run(args, short);
      expect([code, stdout]).toEqual([3, '']);
      for (const field of ['username', 'email', 'password']) {
        expect(stderr).toMatch(new RegExp(`^ {2}${field}: \\w`, 'm'));
      }
      expect(stderr).not.toContain('too short');

      const json = await run([...args, '--json'], short);
      expect(json.stdout).toBe('');
      const problem = JSON.parse(json.stderr);
      expect(problem).toMatchObject({ status: 422, code: 'validation_failed' });
      expect(problem.errors).toHaveLength(3);
    });
  });

  describe('import', () => {
    const to = ['--property', 'villa åsen'];

    test('a dry run says what would happen and records nothing', async () => {
      const path = file('registers.csv', CSV);
      for (const _ of [1, 2]) {
        const { code, stdout } = await run(['import', path, ...to, '--dry-run'], env);
        expect(code).toBe(0);
        expect(stdout).toContain('dry run: 7 readings would be recorded, 0 are there already');
      }
    });

    test('a dry run shows what stands against the import, and leaves 3', async () => {
      const path = file('wrong.csv', `${CSV}2026-03-12T00:00:00Z,1301,-1\n2026-03-12T00:00:00Z,1302,\n`);
      const { code, stdout, stderr } = await run(['import', path, ...to, '--dry-run'], env);
      expect([code, stderr]).toEqual([3, '']);
      expect(rows(stdout, /^meter$/)[0]).toEqual(
        'meter recorded unchanged flagged repeated conflicting kWh first last'.split(' '),
      );
      expect(rows(stdout, /^Main meter$/)[0]!.slice(1, 7)).toEqual(['5', '0', '0', '0', '1', '301']);
      expect(stdout).toMatch(
        /^ {2}line 7: Main meter: Main meter at .* is 1302, but 1301 elsewhere in the file$/m,
      );
      expect(stdout).toMatch(/^ {2}line 6: kitchen: must not be negative$/m);
      expect(stdout).toContain('the file cannot be imported');
    });

    test('names are mapped and created by options', async () => {
      const path = file('names.csv', 'timestamp,K1,attic\n2026-02-01T00:00:00Z,1,2\n');
      const { json } = await run(
        ['import', path, ...to, '--meter-name', 'K1=kitchen', '--create-missing', '--dry-run', '--json'],
        env,
      );
      expect(json()).toMatchObject({ importable: true, meters: [{ name: 'kitchen' }, { created: true }] });
    });

    test('reports per meter', async () => {
      const path = file('registers.csv', CSV);
      const { code, stdout, stderr } = await run(['import', path, ...to], env);
      expect([code, stderr]).toEqual([0, '']);
      expect(rows(stdout, /meter|kitchen/)).toEqual([
        ['meter', 'recorded', 'unchanged', 'flagged', 'first', 'last'],
        ['Main meter', '4', '0', '0', '2026-01-01 00:00+01:00', '2026-03-11 00:00+01:00'],
        ['kitchen', '3', '0', '0', '2026-01-01 00:00+01:00', '2026-03-11 00:00+01:00'],
      ]);
      expect(stdout).toMatch(/^7 readings were recorded, 0 were there already\.$/m);
    });

    test('from standard input, with --json', async () => {
      const args = ['import', '-', '--format', 'ndjson', ...to, '--json'];
      const { code, stderr, json } = await run(args, env, NDJSON);
      expect([code, stderr]).toEqual([0, '']);
      expect(json()).toMatchObject({
        recorded: 1,
        unchanged: 0,
        dry_run: false,
        meters: [{ name: 'kitchen', recorded: 1, flagged: 0 }],
      });
      const again = await run(['import', file('same.jsonl', NDJSON), ...to, '--json'], env);
      expect(again.json()).toMatchObject({ recorded: 0, unchanged: 1 });
    });

    test('a refused file leaves 3, names each wrong line, and records nothing', async () => {
      const path = file('wrong.csv', `${CSV}2026-03-12T00:00:00,1301,122\n2026-03-13T00:00:00Z,12.3456,-1\n`);
      const { code, stdout, stderr } = await run(['import', path, ...to], env);
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^ {2}line 6: timestamp: needs an offset/m);
      expect(stderr).toMatch(/^ {2}line 7: Main meter: .*three decimals/m);
      expect(stderr).toMatch(/^ {2}line 7: kitchen: .*negative/m);
      const conflict = file('other.csv', 'timestamp,kitchen\n2026-01-01T00:00:00+01:00,101\n');
      expect(await run(['import', conflict, ...to], env)).toMatchObject({ code: 3, stdout: '' });
    });

    test('a large file that the server refuses at once is no failed connection', async () => {
      const path = file('large.csv', `timestamp,attic\n${'2026-01-01T00:00:00Z,1\n'.repeat(500_000)}`);
      const { code, stderr } = await run(['import', path, ...to], env);
      expect(stderr).toMatch(/line 1: names "attic"/);
      expect(code).toBe(3);
      const other = await run(['import', path, '--property', '999999'], env);
      expect(other.stderr).toMatch(/^electric: /);
      expect(other.code).toBe(3);
    });
  });

  test('export: what was imported, to a file or to the output, and it comes back in unchanged', async () => {
    const body = { display_name: 'Villa Export', timezone: 'Europe/Stockholm' };
    const { id } = await person.client.createProperty({ body });
    await person.client.createSubmeter({ body: { property_id: id, name: 'kitchen' } });
    const property = ['--property', 'Villa Export'];
    expect((await run(['import', file('in.csv', CSV), ...property], env)).code).toBe(0);
    const output = join(folder, 'out.csv');
    const written = await run(['export', ...property, '--locale', 'sv', '--output', output], env);
    expect(written).toMatchObject({
      stderr: '',
      code: 0,
      stdout: `Wrote the readings of Villa Export to ${output}.\n`,
    });
    const lines = readFileSync(output, 'utf8').trim().split('\r\n');
    expect(lines).toHaveLength(1 + 7);
    expect(lines[1]).toMatch(/^2025-12-31T23:00:00Z;Main meter;main_meter;1000;/);
    const again = await run(['import', output, ...property, '--json'], env);
    expect(JSON.parse(again.stdout)).toMatchObject({ recorded: 0, unchanged: 7 });
    const workbook = join(dirname(output), 'out.xlsx');
    const as_sheets = ['--format', 'xlsx', '--sheets', 'per_meter', '--output', workbook];
    expect((await run(['export', ...property, ...as_sheets], env)).code).toBe(0);
    const of_sheets = await run(['import', workbook, ...property, '--json'], env);
    expect(JSON.parse(of_sheets.stdout)).toMatchObject({
      recorded: 0,
      unchanged: 7,
      plan: { format: 'xlsx' },
    });
    const february = ['--from', '2026-02-01', '--to', '2026-03-01'];
    const { stdout } = await run(['export', ...property, '--format', 'ndjson', ...february], env);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).value),
    ).toEqual(['1100.5', '110.25']);
    expect((await run(['export', ...property, '--json'], env)).code).toBe(2);
  });

  test('archive and restore: everything of a property, into an empty one', async () => {
    const body = { display_name: 'Villa Archive', timezone: 'Europe/Stockholm' };
    const { id } = await person.client.createProperty({ body });
    await person.client.createSubmeter({ body: { property_id: id, name: 'kitchen' } });
    expect((await run(['import', file('all.csv', CSV), '--property', String(id)], env)).code).toBe(0);
    const output = join(folder, 'villa.zip');
    const archived = await run(['archive', '--property', 'Villa Archive', '--output', output], env);
    expect(archived).toMatchObject({
      stderr: '',
      code: 0,
      stdout: `Wrote the archive of Villa Archive to ${output}.\n`,
    });
    await person.client.createProperty({ body: { display_name: 'Villa Again' } });
    const restored = await run(['restore', output, '--property', 'Villa Again'], env);
    expect([restored.stderr, restored.code]).toEqual(['', 0]);
    expect(restored.stdout).toMatch(
      /^Restored 2 meters and 7 readings in force, of 7 entries\.\nThe archived ledger holds; its head: [0-9a-f]{64} \(batch 1\)\n$/,
    );
    const again = await run(['restore', output, '--property', 'Villa Again', '--json'], env);
    expect([again.code, JSON.parse(again.stderr).code]).toEqual([3, 'property_not_empty']);
  });

  describe('consumption', () => {
    const of = ['consumption', '--property', 'Villa Åsen'];

    test('a row per period, and the totals; estimates and unknowns are marked', async () => {
      const args = [...of, '--from', '2026-01-01', '--to', '2026-04-01', '--interval', 'month'];
      const { code, stdout, stderr } = await run(args, env);
      expect([code, stderr]).toEqual([0, '']);
      expect(rows(stdout, /^(kWh|2026-\d\d|total)$/)).toEqual([
        ['kWh', 'main meter', 'kitchen', 'unmetered'],
        ['2026-01', '100.500', '10.250', '90.250'],
        ['2026-02', '~99.500', '~7.921', '~91.579'],
        ['2026-03', '?', '?', '?'],
        ['total', '?', '?', '?'],
      ]);
      expect(stdout).toContain('~ estimated');
      expect(stdout).toContain('? unknown');
      expect(stdout).toContain('Villa Åsen, 2026-01-01 00:00+01:00 … 2026-04-01 00:00+02:00');
    });

    test('with boundary exact nothing is estimated', async () => {
      const args = [...of, '--from', '2026-02-01', '--to', '2026-03-01', '--boundary', 'exact'];
      const { stdout } = await run(args, env);
      expect(rows(stdout, /^total$/)).toEqual([['total', '99.500', '?', '?']]);
      expect(stdout).not.toContain('~');
    });

    test.each([
      ['year', '2026'],
      ['month', '2026-01'],
      ['week', '2026-W01'],
      ['day', '2026-01-01'],
      ['hour', '2026-01-01 00:00+01:00'],
    ])('by %s the first row is %s', async (interval, label) => {
      const args = [...of, '--from', '2026-01-01', '--to', '2026-01-02', '--interval', interval];
      const { stdout } = await run(args, env);
      expect(rows(stdout, /^2026/)[0]![0]).toBe(label);
    });

    test('--json: property, total and series', async () => {
      const period = ['--from', '2026-01-01', '--to', '2026-02-01'];
      const { json } = await run([...of, ...period, '--json'], env);
      expect(json()).toMatchObject({
        property: { display_name: 'Villa Åsen' },
        total: { main_meter_consumption: '100.5', unmetered_consumption: '90.25', warnings: [] },
        series: null,
      });
      const daily = await run([...of, ...period, '--interval', 'day', '--json'], env);
      expect(daily.json().series.buckets).toHaveLength(31);
    });

    test('warnings stand below the figures', async () => {
      const path = file('swapped.csv', 'timestamp,kitchen\n2026-03-11T12:00:00+01:00,90\n');
      expect(await run(['import', path, '--property', 'Villa Åsen'], env)).toMatchObject({ code: 0 });
      const { stdout } = await run([...of, '--from', '2026-03-01', '--to', '2026-03-12'], env);
      expect(stdout).toMatch(/^Warning: .*kitchen/m);
    });

    test.each([
      [
        ['--property', 'Villa', '--from', '2026-01-01', '--to', '2026-02-01'],
        /no property named "Villa".*Villa Åsen/,
      ],
      [['--property', '999999', '--from', '2026-01-01', '--to', '2026-02-01'], /^electric: /],
      [['--property', 'Villa Åsen', '--from', 'May', '--to', '2026-02-01'], /^ {2}start_date: must be/m],
      [['--property', 'Villa Åsen', '--from', '2026-02-01', '--to', '2026-01-01'], /later/],
    ])('refused, leaves 3: %j', async (args, reason) => {
      const { code, stdout, stderr } = await run(['consumption', ...args], env);
      expect(stderr).toMatch(reason);
      expect([code, stdout]).toEqual([3, '']);
    });

    test('a wrong password leaves 3', async () => {
      const wrong = { ...env, ELECTRIC_PASSWORD: 'certainly not this one' };
      const outcome = await run([...of, '--from', '2026-01-01', '--to', '2026-02-01'], wrong);
      expect(outcome).toMatchObject({ code: 3, stdout: '' });
      expect(outcome.stderr).toBe('electric: The username or the password is wrong.\n');
    });

    test('two properties of one name are told apart by id', async () => {
      await person.client.createProperty({ body: { display_name: 'Twin' } });
      const { id } = await person.client.createProperty({ body: { display_name: 'TWIN' } });
      const period = ['--from', '2026-01-01', '--to', '2026-02-01'];
      const { code, stderr } = await run(['consumption', '--property', 'twin', ...period], env);
      expect(stderr).toContain(`${id}`);
      expect(code).toBe(3);
      const found = await run(['consumption', '--property', `${id}`, ...period, '--json'], env);
      expect(found.json().property).toMatchObject({ id, display_name: 'TWIN' });
    });
  });
});
