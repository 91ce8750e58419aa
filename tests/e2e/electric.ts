/** The built server on a free port with a database of its own, and people and houses in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../src/client/index.ts';
import type { Property } from '../../src/contract/properties.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAMPLE = join(ROOT, 'samples/sceaux/daily-registers.csv');

export interface Account {
  username: string;
  password: string;
  /** Calls the server as this account. */
  client: Client;
}

export interface Electric {
  origin: string;
  anonymous: Client;
  newAccount(username: string): Promise<Account>;
  stop(): Promise<void>;
}

export async function startElectric(): Promise<Electric> {
  const folder = mkdtempSync(join(tmpdir(), 'electric-e2e-'));
  const child = spawn(process.execPath, [join(ROOT, 'dist/server.js')], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATABASE_URL: `sqlite:${join(folder, 'electric.db')}`,
      NODE_ENV: 'production',
      SECRET_KEY: 'a secret for tests that is long enough',
      RATE_LIMIT: 'off',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const exited = once(child, 'exit');
  let said = '';
  let origin: string | undefined;
  for await (const text of child.stdout) {
    said += text;
    origin = /listens on (\S+)/.exec(said)?.[1];
    if (origin) break;
  }
  if (!origin) throw new Error(`the server did not start: ${said}`);
  const anonymous = createClient({ origin });
  return {
    origin,
    anonymous,
    async newAccount(username) {
      const password = 'a sentence that is long enough';
      await anonymous.register({ body: { username, password, email: `${username}@example.com` } });
      const { access_token } = await anonymous.login({ body: { username, password } });
      return { username, password, client: createClient({ origin, token: () => access_token }) };
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
      process.off('exit', end);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Four years of a real house: its main meter, and three submeters below it, read every midnight. */
export async function sceaux({ client }: Account, display_name = 'House in Sceaux'): Promise<Property> {
  const property = await client.createProperty({
    body: { display_name, timezone: 'Europe/Paris', currency: 'EUR' },
  });
  await client.importReadings({
    property_id: property.id,
    content_type: 'text/csv',
    upload: readFileSync(SAMPLE, 'utf8'),
    create_missing: true,
    meter_names: JSON.stringify({ main: property.main_meter_id }),
  });
  return property;
}
