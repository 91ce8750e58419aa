/** Servers under measurement, each in a process of its own, so that nothing shares its thread. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const SOURCE = join(ROOT, 'src/server/main.ts');
export const BUNDLE = join(ROOT, 'dist/server.js');
export const BARE_HTTP = join(ROOT, 'bench/support/bare-http.mjs');

const START_LIMIT_MS = 20_000;
const running = new Set<ChildProcess>();

export interface Running {
  pid: number;
  port: number;
  origin: string;
  /** From spawning the process to its first answer. */
  started_ms: number;
  stop(): Promise<void>;
}

export interface Start {
  script: string;
  environment?: Record<string, string>;
  node_options?: string[];
  /** A folder for what the server prints. */
  folder: string;
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

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/api/health', agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
    });
    request.once('error', () => resolve(false));
  });
}

/** Ends a process of ours: politely, then not. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(patience);
  }
  running.delete(child);
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop));
}

/** Remembers a process, so that none outlives the bench. */
export function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Starts a server on a free port of 127.0.0.1 and waits for its first 200 of /api/health. */
export async function start({ script, environment, node_options = [], folder }: Start): Promise<Running> {
  const port = await freePort();
  // Its log goes to a file, as a service's does: a pipe would cost this process time.
  const log_path = join(folder, `server-${port}.log`);
  const log = openSync(log_path, 'a');
  const started_at = performance.now();
  const child = track(
    spawn(process.execPath, [...node_options, script], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(port),
        RATE_LIMIT: 'off',
        ...environment,
      },
      stdio: ['ignore', log, log],
    }),
  );
  closeSync(log);
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() - started_at > START_LIMIT_MS) {
      await stop(child);
      throw new Error(`${script} did not start:\n${readFileSync(log_path, 'utf8')}`);
    }
    await sleep(1);
  }
  const started_ms = performance.now() - started_at;
  const origin = `http://127.0.0.1:${port}`;
  return { pid: child.pid!, port, origin, started_ms, stop: () => stop(child) };
}

/** The memory of a process that is really in RAM, in MB. */
export function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** The most memory that a process ever had, in MiB. */
export function peakMib(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
