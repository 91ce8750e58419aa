import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BIN, run } from './support.ts';

const COMMANDS = [
  'serve',
  'migrate',
  'user create',
  'user reset-password',
  'import',
  'export',
  'consumption',
  'demo',
  'ledger verify',
  'ledger export',
  'ledger recompute',
];
const ACCOUNT = { ELECTRIC_USERNAME: 'astrid', ELECTRIC_PASSWORD: 'a sentence that is long enough' };

describe('--help', () => {
  test('of the program names every command and the exit codes', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command.split(' ')[0]}\\b`, 'm'));
    for (const exit of [0, 1, 2, 3]) expect(stdout).toMatch(new RegExp(`^  ${exit}  \\w`, 'm'));
  });

  test.each(COMMANDS)('of %s has examples, and says what the environment gives', async (command) => {
    const { code, stdout, stderr } = await run([...command.split(' '), '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Examples?:\n {2}\S*.*electric/m);
    expect(stdout).toContain('--json');
    expect(stdout).toContain('env: DATABASE_URL');
    expect(stdout).not.toContain('--password');
  });

  test('never shows what the environment holds', async () => {
    const { stdout } = await run(['consumption', '--help'], ACCOUNT);
    expect(stdout).toContain('ELECTRIC_PASSWORD');
    expect(stdout).not.toContain(ACCOUNT.ELECTRIC_PASSWORD);
  });
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
});

test('bin/electric.js runs the same program', async () => {
  const outcomes = await Promise.all([run(['--help']), run(['--help'], {}, '', BIN)]);
  expect(outcomes[1]!.stdout).toBe(outcomes[0]!.stdout);
  expect(await run(['nonsense'], {}, '', BIN)).toMatchObject({ code: 2 });
});

describe('wrong usage leaves 2, says why on standard error, and prints nothing else', () => {
  const period = ['--from', '2009-01-01', '--to', '2009-02-01'];
  test.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['serve', '--nonsense'], /unknown option '--nonsense'/],
    [['user', 'create', '--email', 'a@example.com'], /--username/],
    [['consumption', '--username', 'a', ...period], /--property/],
    [
      ['consumption', '--username', 'a', '--property', '1', ...period, '--interval', 'decade'],
      /hour, day, week/,
    ],
    [['migrate', '--database', 'mysql://x'], /--database.*sqlite:<path> or postgres:/],
    [['import', 'x.csv', '--property', '1', '--username', 'a', '--server', 'localhost'], /--server.*http:/],
    [
      ['import', 'x.csv', '--property', '1', '--username', 'a', '--format', 'pdf'],
      /csv, xlsx, greenbutton, ndjson/,
    ],
    [['import', 'x.csv', '--property', '1', '--username', 'a', '--meter-name', 'K1'], /this=that/],
    [['consumption', '--username', 'a', '--property', '1', ...period], /ELECTRIC_PASSWORD/],
  ])('%j', async (args, reason) => {
    const [{ code, stdout, stderr }, json] = await Promise.all([run(args), run([...args, '--json'])]);
    expect(stderr).toMatch(reason);
    expect(stderr).toContain('--help');
    expect([code, stdout]).toEqual([2, '']);

    expect([json.code, json.stdout]).toEqual([2, '']);
    expect(JSON.parse(json.stderr)).toMatchObject({ code: 'usage', detail: expect.stringMatching(reason) });
  });

  test('no command at all shows the help', async () => {
    const { code, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Usage: electric/);
    expect(stderr).not.toContain('outputHelp');
  });
});

describe('what fails leaves 1 and says why', () => {
  const args = ['--property', '1', ...['--server', 'http://127.0.0.1:2']];

  test('a file that is not there', async () => {
    const { code, stderr } = await run(['import', '/nowhere/x.csv', ...args], ACCOUNT);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^electric: .*no such file.*\/nowhere\/x\.csv/);
    expect(stderr).not.toContain('    at ');
  });

  test('a server that does not answer', async () => {
    const { code, stderr } = await run(['import', '-', '--format', 'csv', ...args], ACCOUNT);
    expect([code, stderr]).toEqual([
      1,
      'electric: The server at http://127.0.0.1:2 does not answer (ECONNREFUSED).\n',
    ]);
  });
});
