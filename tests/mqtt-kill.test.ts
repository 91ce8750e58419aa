/** The server dies after a reading is durable and before its message is acknowledged: the repeat finds it there. */

import { once } from 'node:events';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createClient } from '../src/client/index.ts';
import { connect } from '../src/server/db/connect.ts';
import { startBroker } from './support/broker.ts';
import { ENGINES, freshUrl } from './support/engines.ts';
import { startProcess } from './support/process.ts';
import { PASSWORD } from './support/server.ts';

const DIE = new URL('./support/die-after-commit.mjs', import.meta.url).href;

test.each(ENGINES)('%s: killed between commit and acknowledgement: one reading', async (engine) => {
  const broker = await startBroker();
  const { url, drop } = await freshUrl(engine);
  const settings = { DATABASE_URL: url, MQTT_URL: broker.url, MQTT_PROPERTIES: 'all' };
  const topic = 'house/boiler';
  let token = '';
  const clientOf = (origin: string) => createClient({ origin, token: () => token });
  const me = { username: 'writer', password: PASSWORD };

  const first = await startProcess(settings);
  const client = clientOf(first.origin);
  await client.register({ body: { ...me, email: 'writer@example.com' } });
  token = (await client.login({ body: me })).access_token;
  const { main_meter_id } = await client.createProperty({ body: { display_name: 'Villa Volt' } });
  const meter_id = main_meter_id!;
  await client.createMqttTopic({ meter_id, body: { topic, interval_seconds: 1 } });
  const stopped = once(first.child, 'exit');
  first.child.kill('SIGTERM');
  expect(await stopped).toEqual([0, null]);

  const dying = await startProcess({ ...settings, DIE_AFTER: 'update "?mqtt_topics' }, ['--import', DIE]);
  await broker.subscribed(topic);
  let acknowledged = false;
  const repeated = broker.acknowledged().then(() => {
    acknowledged = true;
  });
  const died = once(dying.child, 'exit');
  await broker.publish(topic, '5');
  expect([await died, acknowledged]).toEqual([[null, 'SIGKILL'], false]);

  // Nobody else waits for the lease of the dead.
  const db = await connect(url);
  await db.write((tx) => sql`DELETE FROM leases`.execute(tx));
  await db.close();
  const last = await startProcess(settings);
  await repeated;
  const { items } = await clientOf(last.origin).getHistory({ meter_id });
  expect(items).toMatchObject([{ value: '5', source: 'device' }]);
  const ended = once(last.child, 'exit');
  last.child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  await drop();
  await broker.close();
});
