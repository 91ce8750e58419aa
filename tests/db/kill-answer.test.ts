/** The server dies after a change is durable and before its answer is out: the repeated request finds both. */

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { type Client, createClient } from '../../src/client/index.ts';
import { ENGINES, freshUrl } from '../support/engines.ts';
import { startProcess } from '../support/process.ts';
import { PASSWORD } from '../support/server.ts';

const DIE = new URL('../support/die-after-commit.mjs', import.meta.url).href;

interface Work {
  client: Client;
  token(): string;
  property_id: number;
  post(origin: string, path: string, type: string, body: string): Promise<Response>;
}

async function prepare(origin: string): Promise<Work> {
  let token = '';
  const client = createClient({ origin, token: () => token });
  const me = { username: 'writer', password: PASSWORD };
  await client.register({ body: { ...me, email: 'writer@example.com' } });
  token = (await client.login({ body: me })).access_token;
  const { id: property_id } = await client.createProperty({ body: { display_name: 'Villa Volt' } });
  return {
    client,
    token: () => token,
    property_id,
    post: (to, path, type, body) =>
      fetch(to + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': type, 'idempotency-key': 'the-one' },
        body,
      }),
  };
}

test.each(
  ENGINES.flatMap((engine) => [[engine, 'a single reading'] as const, [engine, 'an import'] as const]),
)(
  '%s: %s, killed between commit and answer, then repeated: the first answer, one effect',
  async (engine, what) => {
    const { url, drop } = await freshUrl(engine);
    const dying = await startProcess({ DATABASE_URL: url }, ['--import', DIE]);
    try {
      const { post, property_id, client, token } = await prepare(dying.origin);
      const { main_meter_id: meter_id } = await client.getProperty({ property_id });
      const request: [string, string, string] =
        what === 'an import'
          ? [
              `/api/readings/import?property_id=${property_id}`,
              'text/csv',
              'timestamp,Main meter\n2026-01-01T00:00:00Z,5\n2026-01-02T00:00:00Z,7\n',
            ]
          : [
              '/api/readings',
              'application/json',
              JSON.stringify({ meter_id, reading_timestamp: '2026-01-01T00:00:00Z', value: '5' }),
            ];
      const exited = once(dying.child, 'exit');
      await expect(post(dying.origin, ...request)).rejects.toThrow();
      expect(await exited).toEqual([null, 'SIGKILL']);

      const { child, origin } = await startProcess({ DATABASE_URL: url });
      try {
        const answers = [await post(origin, ...request), await post(origin, ...request)];
        expect(answers.map(({ status, headers }) => [status, headers.get('idempotency-replayed')])).toEqual([
          [201, 'true'],
          [201, 'true'],
        ]);
        const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
        expect(second).toBe(first);
        // One batch, the one that the answer names.
        const ledger = await createClient({ origin, token }).listBatches({ property_id });
        expect(ledger).toMatchObject({ total: 1, items: [{ id: JSON.parse(first!).batch_id }] });
      } finally {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
    } finally {
      dying.child.kill('SIGKILL');
      await drop();
    }
  },
);
