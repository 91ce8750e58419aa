/** The real server process, killed while it writes: what it has answered is there when it starts again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { freshUrl } from '../support/engines.ts';
import { PASSWORD } from '../support/server.ts';

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url));
const WRITERS = 4;
/** As many answers as make sure that the kill comes in the middle of the work. */
const ANSWERS_BEFORE_KILL = 150;

async function start(url: string) {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'silent', NODE_ENV: 'test' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Whatever the test finds, no server outlives it.
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for await (const text of child.stdout) {
    said += text;
    const origin = /http:\/\/\S+:\d+/.exec(said)?.[0];
    if (origin) return { child, origin };
  }
  throw new Error(`the server did not start: ${said}`);
}

test('kill -9 while four clients write: every acknowledged reading is there, each one whole', async () => {
  const { url, drop } = await freshUrl('sqlite');
  onTestFinished(drop);
  const first = await start(url);
  const me = { username: 'writer', password: PASSWORD };
  let token = '';
  const before = createClient({ origin: first.origin, token: () => token });
  await before.register({ body: { ...me, email: 'writer@example.com' } });
  token = (await before.login({ body: me })).access_token;
  const property = await before.createProperty({ body: { display_name: 'Villa Volt' } });

  const acknowledged = new Map<number, string>();
  let next = 0;
  async function write(): Promise<void> {
    for (;;) {
      const value = `${next}`;
      const reading_timestamp = new Date(Date.parse('2026-01-01T00:00:00Z') + next++ * 60_000).toISOString();
      try {
        const body = { meter_id: property.main_meter_id!, reading_timestamp, value };
        const { id } = await before.createReading({ body });
        acknowledged.set(id, value);
        if (acknowledged.size === ANSWERS_BEFORE_KILL) first.child.kill('SIGKILL');
      } catch {
        // The server is gone: what was under way has no answer.
        return;
      }
    }
  }
  const gone = once(first.child, 'exit');
  await Promise.all(Array.from({ length: WRITERS }, write));
  expect((await gone)[1]).toBe('SIGKILL');
  expect(acknowledged.size).toBeGreaterThanOrEqual(ANSWERS_BEFORE_KILL);

  const second = await start(url);
  const after = createClient({ origin: second.origin, token: () => token });
  const { items, total } = await after.getHistory({ meter_id: property.main_meter_id!, limit: 1000 });
  const there = new Map(items.map(({ id, value }) => [id, value]));
  for (const [id, value] of acknowledged) expect(there.get(id)).toBe(value);
  // Beside them at most those that were under way.
  expect(total).toBeLessThanOrEqual(acknowledged.size + WRITERS);
  for (const { reading_timestamp, value } of items) {
    expect(Date.parse(reading_timestamp)).toBe(Date.parse('2026-01-01T00:00:00Z') + Number(value) * 60_000);
  }
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
});
