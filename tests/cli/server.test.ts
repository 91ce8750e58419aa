/** serve and migrate, and which server a command talks to. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES, type Engine } from '../support/engines.ts';
import { address, BIN, freshLedger, type Ledger, MAIN, run, start } from './support.ts';

const USER = ['user', 'create', '--email', 'astrid@example.com'];

let ledger: Ledger;
let serving: ChildProcess[] = [];
const use = (engine: Engine) => async () => {
  ledger = await freshLedger(engine);
};
afterEach(async () => {
  for (const server of serving.filter(({ exitCode, signalCode }) => exitCode === null && !signalCode)) {
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
  }
  serving = [];
  await ledger.drop();
});

function serve(args: string[] = [], program = MAIN): ChildProcess {
  const server = start(['serve', ...args], { ...ledger.env, PORT: '0', LOG_LEVEL: 'silent' }, program);
  serving.push(server);
  return server;
}

describe.each(ENGINES)('%s', (engine) => {
  beforeEach(use(engine));

  test('migrate brings the schema up to date, once', async () => {
    const first = await run(['migrate'], ledger.env);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^Applied .*ledger.*\.\n$/);
    const second = await run(['migrate'], ledger.env);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/^Nothing to do/);
    const third = await run(['migrate', '--json'], ledger.env);
    expect(third.json()).toEqual({ applied: [], schema_version: expect.any(Number) });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('serve ends in order with %s', async (signal) => {
    const server = serve();
    const origin = await address(server);
    expect((await fetch(`${origin}/api/health`)).status).toBe(200);
    const exited = once(server, 'exit');
    server.kill(signal);
    expect(await exited).toEqual([0, null]);
    await expect(fetch(`${origin}/api/health`)).rejects.toThrow();
  });

  test('a command starts a server of its own where none is named or found, and stops it', async () => {
    expect(await run(USER, ledger.env)).toMatchObject({ code: 0, stderr: '' });
    expect(await run(USER, ledger.env)).toMatchObject({ code: 3, stdout: '' });
    const { env } = ledger;
    const argument = await run([...USER, '--database', env.DATABASE_URL], { ...env, DATABASE_URL: '' });
    expect(argument).toMatchObject({ code: 3, stdout: '' });
    expect(serversOf(env.DATABASE_URL)).toEqual([]);
  });
});

/** The processes that run a server for a database. */
function serversOf(url: string): string[] {
  const lines = execFileSync('ps', ['-e', 'ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const pids = lines.flatMap((line) => /^\s*(\d+) .*server\/main\.ts/.exec(line)?.[1] ?? []);
  return pids.filter((pid) => {
    const place = [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`];
    return place.some((path) => existsSync(path) && readFileSync(path, 'utf8').includes(url));
  });
}

describe('with an embedded database', () => {
  beforeEach(use('sqlite'));
  const beside = (name: string) => `${ledger.env.DATABASE_URL.slice('sqlite:'.length)}${name}`;

  test('a command finds the server that is using it', async () => {
    const origin = await address(serve());
    const { json } = await run(['demo', '--json'], { DATABASE_URL: ledger.env.DATABASE_URL });
    expect(json().server).toEqual({ origin, is_running: true });
    expect(json().account.username).toBe('demo');
  });

  test('serve --json prints its address, and a later command finds it', async () => {
    const server = serve(['--json'], BIN);
    const [line] = await once(server.stdout!, 'data');
    const { server: origin } = JSON.parse(String(line));
    expect((await fetch(`${origin}/api/health`)).status).toBe(200);
    expect(await run(USER, ledger.env)).toMatchObject({ code: 0 });
    expect(readFileSync(beside('-server'), 'utf8')).toBe(origin);
  });

  test('what writes the file itself is refused while a server is using it', async () => {
    await address(serve());
    const { code, stdout, stderr } = await run(['migrate'], ledger.env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^electric: Another Electric process is using .*\n$/);
    const second = await run(['serve'], { ...ledger.env, PORT: '0' });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain('Another Electric process is using');
  });

  test('the address of a server that was killed is not used, even if another answers there', async () => {
    const stranger = createServer((_, response) => response.end('{"status":"ok"}'));
    await new Promise<void>((listen) => stranger.listen(0, '127.0.0.1', listen));
    expect(await run(['migrate'], ledger.env)).toMatchObject({ code: 0 });
    writeFileSync(beside('-server'), `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`);
    expect(await run(USER, ledger.env)).toMatchObject({ code: 0, stderr: '' });
    stranger.close();
  });

  test('what answers may not be Electric at all', async () => {
    const stranger = createServer((_, response) => response.end('hello'));
    await new Promise<void>((listen) => stranger.listen(0, '127.0.0.1', listen));
    const origin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    const { code, stderr } = await run([...USER, '--server', origin], ledger.env);
    expect([code, stderr]).toEqual([1, `electric: What answers at ${origin} is not an Electric server.\n`]);
    stranger.close();
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('%s to a command ends its server too', async (signal) => {
    expect(await run(USER, ledger.env)).toMatchObject({ code: 0 });
    const { env } = ledger;
    const args = ['import', '-', '--format', 'csv', '--property', '1'];
    const command = start(args, env);
    // Its standard input stays open, so it waits, with its server up.
    await expect.poll(() => existsSync(beside('-server')), { timeout: 10_000 }).toBe(true);
    command.kill(signal);
    await once(command, 'exit');
    await expect.poll(() => serversOf(env.DATABASE_URL), { timeout: 10_000 }).toEqual([]);
    expect(existsSync(beside('-server'))).toBe(false);
  });

  test('a server that cannot start says why', async () => {
    const env = { ...ledger.env, SECRET_KEY: 'short' };
    const { code, stdout, stderr } = await run(USER, env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^electric: Electric cannot start\. SECRET_KEY must/);
  });
});
