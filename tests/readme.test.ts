/** What the README shows is what happens. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startServer } from './support/server.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The code blocks of one section. */
function blocks(heading: string): string[] {
  const section = README.split(/^## /m).find((text) => text.startsWith(heading))!;
  return [...section.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
}

test('the tour of the API, command by command', async () => {
  const server = await startServer('sqlite');
  try {
    const [tour] = blocks('The API');
    // Goes on with what the tour has made.
    const [keys] = blocks('Devices and scripts');
    const script = `${tour}echo\n${keys}`.replace('http://127.0.0.1:8000', server.origin);
    const output = await new Promise<string>((resolve, reject) => {
      execFile('bash', ['-euc', script], (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
    const [toured = '', recorded = ''] = output.split('\n');
    const consumption = JSON.parse(toured.slice(toured.lastIndexOf('{"property_id":1,"start_timestamp"')));
    expect(consumption).toMatchObject({
      main_meter_consumption: '210.4',
      total_submetered_consumption: '47.5',
      unmetered_consumption: '162.9',
    });
    expect(JSON.parse(recorded)).toMatchObject({
      meter_name: 'Kitchen',
      value: '341.2',
      source: 'api',
      recorded_by_api_key_id: 1,
    });
  } finally {
    await server.close();
  }
});

test('the table of the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'electric-'));
  try {
    const settings = { DATABASE_URL: `sqlite:${join(folder, 'electric.db')}` };
    const output = execFileSync(process.execPath, ['src/cli/main.ts', 'demo'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, ...settings },
    });
    const [, table] = blocks('A house to look at');
    for (const line of table!.split('\n').filter((text) => text !== '…'))
      expect(output).toContain(`${line}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('npm has every command the documents name', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const documents = README + readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const named = [...documents.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[a-z]+)\b/g)].map(
    (match) => match[1]!,
  );
  expect(named).toContain('demo');
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
