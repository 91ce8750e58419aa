/** Starts the built server once from a copy without any packages, uses it, and stops it. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '../src/client/index.ts';

const copy = mkdtempSync(join(tmpdir(), 'electric-smoke-'));
// No packages at all: the bundle carries everything it needs.
for (const name of ['dist', 'package.json']) cpSync(name, join(copy, name), { recursive: true });

const server = spawn('node', ['dist/server.js'], {
  cwd: copy,
  env: {
    ...process.env,
    PORT: '0',
    NODE_ENV: 'production',
    SECRET_KEY: 'for this one start only '.repeat(3),
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = new Promise<number | null>((resolve) => server.once('exit', resolve));
try {
  let origin: string | undefined;
  for await (const line of createInterface({ input: server.stdout })) {
    origin = /listens on (\S+)/.exec(line)?.[1];
    if (origin) break;
  }
  if (!origin) throw new Error('the server ended before it listened');
  const nobody = createClient({ origin });
  await nobody.getReadiness({});
  const credentials = { username: 'smoke', password: 'a sentence that is long enough' };
  await nobody.register({ body: { ...credentials, email: 'smoke@example.com' } });
  const { access_token } = await nobody.login({ body: credentials });
  const { createProperty } = createClient({ origin, token: () => access_token });
  await createProperty({ body: { display_name: 'Smoke' } });
  const page = await fetch(`${origin}/docs/swagger-ui-bundle.js`);
  if (!page.ok) throw new Error(`the API reference answered ${page.status}`);
  const app = await fetch(origin, { headers: { accept: 'text/html' } });
  if (!(await app.text()).includes('<div id="app">')) throw new Error('the web app is not served');
} finally {
  server.kill('SIGTERM');
  await exited;
  rmSync(copy, { recursive: true });
}
const code = await exited;
if (code !== 0) throw new Error(`the server ended with ${code}`);
process.stdout.write('The built server starts, answers and stops.\n');
