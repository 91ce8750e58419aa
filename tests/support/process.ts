/** Server processes of their own, for tests that kill them. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SECRET } from './server.ts';

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url));

/** @param options of Node.js @returns once it listens; whatever the test finds, no server outlives it */
export async function startProcess(settings: Record<string, string>, options: string[] = []) {
  const child = spawn(process.execPath, [...options, MAIN], {
    env: { PORT: '0', LOG_LEVEL: 'silent', NODE_ENV: 'test', SECRET_KEY: SECRET, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let said = '';
  for await (const text of child.stdout) {
    said += text;
    const origin = /http:\/\/\S+:\d+/.exec(said)?.[0];
    if (origin) return { child, origin };
  }
  throw new Error(`the server did not start: ${said}`);
}
