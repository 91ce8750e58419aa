/** The commands of docs/devices.md, as they stand there. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { newHouse } from '../support/house.ts';
import { startServer } from '../support/server.ts';

const TEXT = readFileSync(new URL('../../docs/devices.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...TEXT.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!);

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!has('curl'))('every command does what is said of it', async () => {
  const server = await startServer('sqlite', {}, { MQTT_URL: 'mqtt://127.0.0.1', MQTT_PROPERTIES: 'all' });
  const house = await newHouse(server);
  await house.submeter('Kitchen');
  const said = {
    api: `${server.origin}/api`,
    token: house.owner.token,
    property: String(house.property_id),
    meter: String(house.main_id),
  };
  const run = async (commands: string, key = '') => {
    const env = { ...process.env, ...said, key };
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', commands.replace(/(^|\n)curl/g, '$1echo; curl')],
      {
        env,
      },
    );
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  };
  const [making, sending, camera, , topic] = blocks('sh') as [string, string, string, string, string];
  const [{ secret }] = await run(making);
  const source = 'device';
  expect(await run(sending, secret)).toMatchObject([
    { value: '10432.871', source },
    { value: '10431.9', reading_timestamp: '2026-03-29T12:00:00Z', source },
  ]);
  expect(await run(camera, secret)).toMatchObject([
    {
      recorded: 0,
      unchanged: 1,
      skipped: 1,
      refused: 0,
      readings: [{}, { reason: expect.stringContaining('Neg. Rate') }],
    },
  ]);
  expect(await run(topic)).toMatchObject([{ value_field: '/ENERGY/Total', interval_seconds: 900 }]);
  await server.close();
});

test("Home Assistant's payload is what the server takes", async () => {
  const server = await startServer('sqlite');
  const house = await newHouse(server);
  const [yaml] = blocks('yaml') as [string];
  const field = (name: string) => new RegExp(`^ +${name}: ["']?(.*?)["']?$`, 'm').exec(yaml)![1]!;
  const url = new URL(field('url').replace('/1/', `/${house.main_id}/`));
  const payload = field('payload').replace(/\{\{.*?\}\}/, '10432.871');
  const { status, body } = await server.call(field('method').toUpperCase(), url.pathname, {
    token: house.owner.token,
    body: payload,
    headers: { 'content-type': field('content_type') },
  });
  expect([status, body]).toMatchObject([201, { value: '10432.871', source: 'device' }]);
  await server.close();
});
