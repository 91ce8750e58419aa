/**
 * Whether the time of a refusal tells who has an account: signs in with wrong passwords, 200 times each as somebody and
 * as nobody, one after the other and in turn, and prints how the times are distributed. `node scripts/login-times.ts`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening, spawnServer } from '../src/cli/server.ts';
import { createClient } from '../src/client/index.ts';

const TIMES = 200;
const QUANTILES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

const folder = mkdtempSync(join(tmpdir(), 'electric-login-times-'));
const database = `DATABASE_URL=sqlite:${join(folder, 'electric.db')}`;
const server = spawnServer([database, 'PORT=0', 'RATE_LIMIT=off', 'LOG_LEVEL=silent'], 'pipe', 'inherit');
try {
  const origin = (await listening(server))!;
  const username = 'somebody';
  const password = 'a sentence that is long enough';
  await createClient({ origin }).register({ body: { username, email: 'somebody@example.com', password } });
  const logins = {
    known: 'somebody',
    'known address': 'somebody@example.com',
    unknown: 'nobody1',
    'unknown address': 'nobody1@example.com',
  };
  const times = Object.fromEntries(Object.keys(logins).map((name) => [name, [] as number[]]));
  for (let i = -10; i < TIMES; i++) {
    for (const [name, login] of Object.entries(logins)) {
      const start = performance.now();
      const answer = await fetch(`${origin}/api/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: login, password: 'not the sentence at all' }),
      });
      await answer.text();
      if (answer.status !== 401) throw new Error(`answered ${answer.status}`);
      if (i >= 0) times[name]!.push(performance.now() - start);
    }
  }
  process.stdout.write(`ms at     ${QUANTILES.map((q) => `${q * 100} %`.padStart(8)).join('')}\n`);
  for (const [name, all] of Object.entries(times)) {
    const sorted = all.sort((a, b) => a - b);
    const cells = QUANTILES.map((q) => sorted[Math.round(q * (sorted.length - 1))]!.toFixed(2).padStart(8));
    process.stdout.write(`${name.padEnd(16)}${cells.join('')}\n`);
  }
} finally {
  server.kill('SIGTERM');
  await new Promise((ended) => server.once('exit', ended));
  rmSync(folder, { recursive: true });
}
