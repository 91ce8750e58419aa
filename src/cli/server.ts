/** The server a command talks to: the one named, the one that is using the database, or one of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { databaseFile, isInUse } from '../server/db/connect.ts';
import { Failure } from './failure.ts';
import type { ServerOptions } from './options.ts';
import { SERVER } from './places.ts';

const HEALTH_TIMEOUT_MS = 3000;

export interface Server {
  origin: string;
  /** Whether it was there before the command, and stays. */
  is_running: boolean;
}

/**
 * Starts a server process. The channel to it closes when this process ends, however it ends; then the server ends too.
 * @param settings on top of this process's environment, which it inherits
 */
export function spawnServer(settings: string[], stdout: 'pipe' | 'inherit', stderr = stdout): ChildProcess {
  return spawn(process.execPath, [SERVER, ...settings], { stdio: ['ignore', stdout, stderr, 'ipc'] });
}

/** @returns the address that a server says it listens on; null if it ends before that */
export async function listening({ stdout }: ChildProcess): Promise<string | null> {
  for await (const line of createInterface({ input: stdout! })) {
    const [, origin] = /^Electric listens on (\S+)/.exec(line) ?? [];
    if (origin) return origin;
  }
  return null;
}

async function isHealthy(origin: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    return (await fetch(new URL('/api/health', origin), { signal })).ok;
  } catch {
    return false;
  }
}

/** @returns the address of the server that is using an embedded database, null if none is */
async function findServer(database: string): Promise<string | null> {
  const file = databaseFile(database);
  // An address is left behind by a server that was killed; its lock is not.
  if (file === null || !isInUse(file)) return null;
  try {
    const origin = readFileSync(`${file}-server`, 'utf8');
    return (await isHealthy(origin)) ? origin : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export async function withServer<T>(
  { server, database, settings }: ServerOptions,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const running = server ?? (await findServer(database));
  if (running) return work({ origin: running, is_running: true });

  const own = spawnServer([...settings, 'HOST=127.0.0.1', 'PORT=0', 'LOG_LEVEL=silent'], 'pipe');
  const exited = once(own, 'exit');
  const complaint = text(own.stderr!);
  try {
    const origin = await listening(own);
    if (origin) return await work({ origin, is_running: false });
    // Somebody else may have been quicker to start one.
    const other = await findServer(database);
    if (other) return await work({ origin: other, is_running: true });
    throw new Failure((await complaint).trim());
  } finally {
    own.kill('SIGTERM');
    await exited;
  }
}
