/** Puts a server under load from another process. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answered, Load } from './load-process.ts';
import { track } from './processes.ts';

const SCRIPT = fileURLToPath(new URL('./load-process.ts', import.meta.url));

const NOTHING: Omit<Load, 'port'> = {
  token: '-',
  clients: 1,
  requests: Number.MAX_SAFE_INTEGER,
  seconds: 60,
  meters: [],
  path: '/api/health',
  from_ms: 0,
};

export function underLoad(load: Partial<Load> & { port: number }): Promise<Answered> {
  const child = track(fork(SCRIPT, { env: { PATH: process.env.PATH } }));
  return new Promise((resolve, reject) => {
    child.once('message', (answered: Answered | { error: string }) => {
      if ('error' in answered) reject(new Error(answered.error));
      else resolve(answered);
    });
    child.once('exit', (code) => reject(new Error(`the load ended with exit code ${code}`)));
    child.send({ ...NOTHING, ...load });
  });
}
