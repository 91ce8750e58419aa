/** MQTT in, against a real broker: what is recorded, what is not, and what happens when somebody is away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../src/server/config.ts';
import type { Deps } from '../src/server/deps.ts';
import { MqttListener } from '../src/server/mqtt/listener.ts';
import { type Broker, startBroker } from './support/broker.ts';
import { ENGINES } from './support/engines.ts';
import { type House, newHouse } from './support/house.ts';
import { join } from './support/people.ts';
import { expectProblem } from './support/problem.ts';
import { startServer, type TestServer } from './support/server.ts';

const NOW = '2026-06-15T12:00:00Z';

describe.each(ENGINES)('MQTT on %s', (engine) => {
  let server: TestServer;
  let broker: Broker;
  let listener: MqttListener;
  let house: House;
  let now_ms: number;
  let names = 0;

  beforeAll(async () => {
    broker = await startBroker();
    const settings = { MQTT_URL: broker.url, MQTT_PROPERTIES: 'all' };
    server = await startServer(engine, { clock: () => now_ms }, settings);
  });
  afterAll(async () => {
    await server.close();
    await broker.close();
  });
  beforeEach(async () => {
    now_ms = Date.parse(NOW);
    house = await newHouse(server);
    listener = new MqttListener(server.deps, broker.url);
    await listener.sync();
  });
  afterEach(() => listener.stop());

  const newTopic = () => {
    names += 1;
    return `house/${names}`;
  };

  /** Configures a topic and waits until the broker knows. */
  async function listen(more: object = {}, meter_id = house.main_id): Promise<string> {
    const topic = newTopic();
    const { status, body } = await house.post(`/api/meters/${meter_id}/mqtt-topics`, { topic, ...more });
    if (status !== 201) throw new Error(JSON.stringify(body));
    await listener.sync();
    await broker.subscribed(topic);
    return topic;
  }

  /** Publishes a message and waits until it is acknowledged. */
  async function say(topic: string, payload: string | Buffer, retain = false): Promise<void> {
    const acknowledged = broker.acknowledged();
    await broker.publish(topic, payload, { retain });
    await acknowledged;
  }

  const topics = async () => (await house.get(`/api/properties/${house.property_id}/mqtt-topics`)).body.items;
  const readings = async (meter_id = house.main_id) =>
    (await house.get(`/api/readings/meter/${meter_id}/history`)).body.items.map(
      ({ reading_timestamp, value }: Record<string, string>) => [reading_timestamp, value],
    );

  test('a plain number is the register as of now, recorded for whoever configured the topic', async () => {
    const topic = await listen();
    await say(topic, '250.5');
    const { body } = await house.get(`/api/readings/meter/${house.main_id}/history`);
    expect(body.items).toMatchObject([
      {
        reading_timestamp: NOW,
        value: '250.5',
        reading_type: 'absolute',
        source: 'device',
        recorded_by_user_id: house.owner.id,
        recorded_by_api_key_id: null,
      },
    ]);
    expect(await topics()).toEqual([
      {
        id: expect.any(Number),
        property_id: house.property_id,
        meter_id: house.main_id,
        topic,
        value_field: null,
        time_field: null,
        unit: 'kWh',
        interval_seconds: 60,
        configured_by_user_id: house.owner.id,
        created_at: NOW,
        last_reading_timestamp: NOW,
        refused_count: 0,
        last_refused_at: null,
        last_refusal: null,
      },
    ]);
  });

  const FORMS: [string, object, string, string, string][] = [
    ['JSON with a value', {}, '{"value": "12.5", "unit": "kWh"}', NOW, '12.5'],
    ['digits below the Wh are cut off', {}, '12.34567', NOW, '12.345'],
    [
      'Tasmota, with a pointer',
      { value_field: '/ENERGY/Total' },
      '{"Time":"2026-06-15T11:59:00","ENERGY":{"Total":3.185,"Power":12}}',
      NOW,
      '3.185',
    ],
    [
      'Shelly, in Wh and with its own time',
      { value_field: '/aenergy/total', time_field: '/aenergy/minute_ts', unit: 'Wh' },
      '{"id":0,"aenergy":{"total":6532.129,"minute_ts":1781524740}}',
      '2026-06-15T11:59:00Z',
      '6.532',
    ],
    [
      'AI-on-the-edge, with an offset that has no colon',
      { time_field: '/timestamp' },
      '{"value":"521.1","error":"no error","timestamp":"2026-06-15T13:30:00+0200"}',
      '2026-06-15T11:30:00Z',
      '521.1',
    ],
    [
      'a pointer with escapes, milliseconds',
      { value_field: '/a~1b/0', time_field: '/t' },
      '{"a/b":[7],"t":1781524740123}',
      '2026-06-15T11:59:00.123Z',
      '7',
    ],
    ['MWh', { unit: 'MWh' }, '1.5', NOW, '1500'],
  ];
  test.each(FORMS)('%s', async (_, form, payload, at, value) => {
    await say(await listen(form), payload);
    expect(await readings()).toEqual([[at, value]]);
  });

  const BAD: [string, object, string | Buffer, RegExp][] = [
    ['no number', {}, 'unavailable', /plain decimal number of kWh.*unavailable/],
    ['an empty message', {}, '', /plain decimal number/],
    ['bytes', {}, Buffer.from([0, 0xff, 0x31]), /plain decimal number/],
    ['a negative number', {}, '-5', /plain decimal number/],
    ['a number beyond every register', {}, '1000000000', /999999999\.999/],
    ['no such field', { value_field: '/ENERGY/Total' }, '{"ENERGY":{}}', /no field \/ENERGY\/Total/],
    ['a number where a field is wanted', { value_field: '/total' }, '5', /no field \/total/],
    ['an inherited name', { value_field: '/constructor/name' }, '{}', /no field/],
    ['no time', { time_field: '/t' }, '{"value":5}', /no field \/t/],
    ['a time without an offset', { time_field: '/t' }, '{"value":5,"t":"2026-06-15T11:59:00"}', /offset/],
    ['a clock that was never set', { time_field: '/t' }, '{"value":5,"t":17}', /1970.*NTP/],
    ['a clock that is ahead', { time_field: '/t' }, '{"value":5,"t":"2026-06-15T12:06:00Z"}', /future/],
  ];
  test.each(BAD)('%s is refused, acknowledged, and seen', async (_, form, payload, reason) => {
    await say(await listen(form), payload);
    expect(await readings()).toEqual([]);
    expect(await topics()).toMatchObject([
      { refused_count: 1, last_refused_at: NOW, last_refusal: expect.stringMatching(reason) },
    ]);
  });

  test('a conflict and a withdrawn meter are refused and seen', async () => {
    await house.given(house.main_id, '2026-06-15T11:00:00Z', '5');
    const topic = await listen({ time_field: '/t' });
    await say(topic, '{"value":6,"t":"2026-06-15T11:00:00Z"}');
    expect((await topics())[0].last_refusal).toMatch(/not 6 kWh: correct that reading/);
    await house.retire('meters', house.main_id);
    await say(topic, '{"value":7,"t":"2026-06-15T11:30:00Z"}');
    expect(await topics()).toMatchObject([
      { refused_count: 2, last_refusal: expect.stringMatching(/inactive/) },
    ]);
  });

  test('with its own time a message that comes twice, or late, is what it is', async () => {
    const topic = await listen({ time_field: '/t' });
    await say(topic, '{"value":6,"t":"2026-06-15T11:30:00Z"}');
    await say(topic, '{"value":6,"t":"2026-06-15T11:30:00Z"}');
    await say(topic, '{"value":5,"t":"2026-06-15T11:00:00Z"}');
    expect(await readings()).toEqual([
      ['2026-06-15T11:30:00Z', '6'],
      ['2026-06-15T11:00:00Z', '5'],
    ]);
    expect(await topics()).toMatchObject([
      { refused_count: 0, last_reading_timestamp: '2026-06-15T11:30:00Z' },
    ]);
  });

  test('a device that sends all the time is heard once per interval', async () => {
    const topic = await listen({ interval_seconds: 30 });
    for (const value of ['1', '2', '3', '4']) {
      await say(topic, value);
      now_ms += 15_000;
    }
    expect(await readings()).toEqual([
      ['2026-06-15T12:00:30Z', '3'],
      [NOW, '1'],
    ]);
  });

  test('a retained message counts only if it says its time', async () => {
    const [plain, timed] = [newTopic(), newTopic()];
    await broker.publish(plain, '5', { retain: true });
    await broker.publish(timed, '{"value":6,"t":"2026-06-15T11:00:00Z"}', { retain: true });
    const create = (topic: string, more: object) =>
      house.post(`/api/meters/${house.main_id}/mqtt-topics`, { topic, ...more });
    await create(plain, {});
    await create(timed, { time_field: '/t' });
    const both = new Promise<void>((resolve) => {
      let left = 2;
      broker.aedes.on('ack', () => {
        left -= 1;
        if (left === 0) resolve();
      });
    });
    await listener.sync();
    await both;
    expect(await readings()).toEqual([['2026-06-15T11:00:00Z', '6']]);
    // What is published while somebody listens is news, also where the broker keeps it.
    await say(plain, '7', true);
    expect(await readings()).toEqual([
      [NOW, '7'],
      ['2026-06-15T11:00:00Z', '6'],
    ]);
  });

  test('QoS 0 is heard too', async () => {
    const topic = await listen();
    await broker.publish(topic, '1', { qos: 0 });
    // One after the other: once this is acknowledged, that has been taken.
    await say(topic, '2');
    expect(await readings()).toEqual([[NOW, '1']]);
  });

  test('a topic that was taken away is not heard any more', async () => {
    const topic = await listen();
    const [{ id }] = await topics();
    await house.owner.client.deleteMqttTopic({ topic_id: id });
    const unsubscribed = new Promise<string[]>((resolve) => broker.aedes.once('unsubscribe', resolve));
    // It comes before the server has told the broker.
    await say(topic, '5');
    expect(await unsubscribed).toEqual([topic]);
    expect([await readings(), await topics()]).toEqual([[], []]);
  });

  test('a topic speaks for an editor, and no longer than they are one', async () => {
    const anna = await server.newPerson();
    await join(house, anna, 'editor');
    const topic = newTopic();
    await anna.client.createMqttTopic({ meter_id: house.main_id, body: { topic } });
    await listener.sync();
    await broker.subscribed(topic);
    await say(topic, '5');
    const { property_id } = house;
    await house.owner.client.setMember({ property_id, user_id: anna.id, body: { role: 'reader' } });
    now_ms += 60_000;
    await say(topic, '6');
    expect(await readings()).toEqual([[NOW, '5']]);
    expect(await topics()).toMatchObject([
      { configured_by_user_id: anna.id, last_refusal: expect.stringMatching(/role editor/) },
    ]);
  });

  test('a topic is of one meter, has no wildcards, and needs a broker that is for the property', async () => {
    const other = await newHouse(server);
    const topic = await listen();
    const ask = (to: House, body: object) => to.post(`/api/meters/${to.main_id}/mqtt-topics`, body);
    for (const [to, wanted] of [
      [house, topic],
      [other, topic],
    ] as const) {
      expectProblem(await ask(to, { topic: wanted }), 'topic_taken');
    }
    for (const wrong of ['', '#', 'house/+/energy', '$SYS/uptime', 'a\u0000b', 'a\nb', 'x'.repeat(501)]) {
      expectProblem(await ask(house, { topic: wrong }), 'validation_failed', { errors: ['topic'] });
    }
    const more = { topic: newTopic() };
    expectProblem(await ask(house, { ...more, value_field: 'a.b' }), 'validation_failed', {
      errors: ['value_field'],
    });
    expectProblem(await ask(house, { ...more, interval_seconds: 0 }), 'validation_failed', {
      errors: ['interval_seconds'],
    });
    const { config } = server.deps;
    const said = config.MQTT_PROPERTIES;
    try {
      config.MQTT_PROPERTIES = [other.property_id];
      expectProblem(await ask(house, more), 'mqtt_off');
      expect((await ask(other, more)).status).toBe(201);
      // What was configured before is not heard either.
      await say(topic, '5');
      expect(await readings()).toEqual([]);
    } finally {
      config.MQTT_PROPERTIES = said;
    }
  });

  test('a message waits at the broker while the database is away', async () => {
    const topic = await listen();
    await listener.stop();
    // It is connected when the database goes, for one write.
    const { db } = server.deps;
    const failing = { ...server.deps };
    listener = new MqttListener(failing, broker.url);
    await listener.sync();
    await broker.connected();
    let writes = 0;
    failing.db = {
      ...db,
      read: db.read,
      write(job) {
        writes += 1;
        return writes === 1 ? Promise.reject(new Error('the database is away')) : db.write(job);
      },
    };
    let acknowledged = false;
    const repeated = broker.acknowledged().then(() => {
      acknowledged = true;
    });
    const gone = new Promise((resolve) => broker.aedes.once('clientDisconnect', resolve));
    await broker.publish(topic, '5');
    await gone;
    expect([acknowledged, await readings()]).toEqual([false, []]);
    await repeated;
    expect([await readings(), (await topics())[0].refused_count]).toEqual([[[NOW, '5']], 0]);
  });

  test('an acknowledgement that is lost makes no second reading', async () => {
    const topic = await listen({ interval_seconds: 1 });
    await listener.stop();
    const { db } = server.deps;
    // The connection goes as soon as the reading is durable; the repeat comes two seconds later.
    const cutting: Deps = {
      ...server.deps,
      db: {
        ...db,
        read: db.read,
        async write(job) {
          const value = await db.write(job);
          if (publishing && (await readings()).length === 1) {
            publishing = false;
            now_ms += 2000;
            broker.cut();
          }
          return value;
        },
      },
    };
    let publishing = false;
    listener = new MqttListener(cutting, broker.url);
    await listener.sync();
    await broker.connected();
    const cut = new Promise((resolve) => broker.aedes.once('clientDisconnect', resolve));
    publishing = true;
    await broker.publish(topic, '5');
    await cut;
    await broker.acknowledged();
    expect(await readings()).toEqual([[NOW, '5']]);
    // The next one with the same value is news again.
    await broker.publish(topic, '5');
    // Acknowledgements of the repeat may still come in between: what counts is what is recorded in the end.
    await expect.poll(() => readings(), { timeout: 10_000 }).toHaveLength(2);
  });
});

test('the settings name a broker and the properties it is for, or the server does not start', () => {
  expect(loadConfig({})).toMatchObject({ MQTT_URL: null, MQTT_PROPERTIES: [] });
  const read = (MQTT_PROPERTIES: string) => loadConfig({ MQTT_PROPERTIES }).MQTT_PROPERTIES;
  expect([read('all'), read('1, 23')]).toEqual(['all', [1, 23]]);
  for (const wrong of [
    { MQTT_URL: 'http://broker' },
    { MQTT_URL: 'broker:1883' },
    { MQTT_PROPERTIES: 'ALL' },
    { MQTT_PROPERTIES: '1,,2' },
    { MQTT_PROPERTIES: '0' },
  ]) {
    expect(() => loadConfig(wrong), JSON.stringify(wrong)).toThrow(ConfigError);
  }
});

describe('a broker that is away', () => {
  test('at the start, and later: the server goes on, and hears what comes when the broker is back', async () => {
    let now_ms = Date.parse(NOW);
    // Its address is known before it is there.
    const first = await startBroker();
    const { port, url } = first;
    await first.close();
    const server = await startServer(
      'sqlite',
      { clock: () => now_ms },
      { MQTT_URL: url, MQTT_PROPERTIES: 'all' },
    );
    const house = await newHouse(server);
    const topic = 'house/boiler';
    await house.post(`/api/meters/${house.main_id}/mqtt-topics`, { topic });
    const listener = new MqttListener(server.deps, url);
    listener.start();
    await listener.sync();
    for (const value of ['1', '2']) {
      const broker = await startBroker({ port });
      await broker.subscribed(topic);
      const acknowledged = broker.acknowledged();
      await broker.publish(topic, value);
      await acknowledged;
      now_ms += 60_000;
      await broker.close();
    }
    const { body } = await house.get(`/api/readings/meter/${house.main_id}/history`);
    expect(body.items.map(({ value }: { value: string }) => value)).toEqual(['2', '1']);
    await listener.stop();
    await server.close();
  });

  test('what comes while the server is away waits at the broker', async () => {
    const broker = await startBroker();
    const settings = { MQTT_URL: broker.url, MQTT_PROPERTIES: 'all' };
    const server = await startServer('sqlite', { clock: () => Date.parse(NOW) }, settings);
    const house = await newHouse(server);
    const topic = 'house/boiler';
    await house.post(`/api/meters/${house.main_id}/mqtt-topics`, { topic, time_field: '/t' });
    const listen = async () => {
      const listener = new MqttListener(server.deps, broker.url);
      await listener.sync();
      return listener;
    };
    const before = await listen();
    await broker.subscribed(topic);
    await before.stop();
    for (const hour of [8, 9, 10])
      await broker.publish(
        topic,
        JSON.stringify({
          value: hour,
          t: `2026-06-15T${hour}:00:00Z`.replace('T8', 'T08').replace('T9', 'T09'),
        }),
      );
    const three = new Promise<void>((resolve) => {
      let left = 3;
      broker.aedes.on('ack', () => {
        left -= 1;
        if (left === 0) resolve();
      });
    });
    const after = await listen();
    await three;
    const { body } = await house.get(`/api/readings/meter/${house.main_id}/history`);
    expect(body.items.map(({ value }: { value: string }) => value)).toEqual(['10', '9', '8']);
    await after.stop();
    await server.close();
    await broker.close();
  });

  test('a broker that says nothing keeps no server from stopping', async () => {
    const asked = Promise.withResolvers<void>();
    const broker = await startBroker({ authorizeSubscribe: () => asked.resolve() });
    const settings = { MQTT_URL: broker.url, MQTT_PROPERTIES: 'all' };
    const server = await startServer('sqlite', {}, settings);
    const house = await newHouse(server);
    await house.post(`/api/meters/${house.main_id}/mqtt-topics`, { topic: 'house/boiler' });
    const listener = new MqttListener(server.deps, broker.url);
    await listener.sync();
    await asked.promise;
    await listener.stop();
    await server.close();
    await broker.close();
  });

  test('gets the credentials of its address', async () => {
    const tried: string[] = [];
    const broker = await startBroker({
      authenticate(_client, username, password, done) {
        tried.push(`${username} ${password}`);
        done(null, true);
      },
    });
    const address = new URL(broker.url);
    address.username = 'electric';
    address.password = 'p@ss/w:rd';
    const server = await startServer('sqlite', {}, { MQTT_URL: address.href, MQTT_PROPERTIES: 'all' });
    const listener = new MqttListener(server.deps, address.href);
    await listener.sync();
    await broker.connected();
    expect(tried).toEqual(['electric p@ss/w:rd']);
    await listener.stop();
    await server.close();
    await broker.close();
  });

  test('a subscription that the broker forbids is seen', async () => {
    const broker = await startBroker({
      authorizeSubscribe: (_client, _subscription, done) => done(null, null),
    });
    const settings = { MQTT_URL: broker.url, MQTT_PROPERTIES: 'all' };
    const server = await startServer('sqlite', {}, settings);
    const house = await newHouse(server);
    await house.post(`/api/meters/${house.main_id}/mqtt-topics`, { topic: 'house/secret' });
    const listener = new MqttListener(server.deps, broker.url);
    await listener.sync();
    await broker.connected();
    await listener.sync();
    const { body } = await house.get(`/api/properties/${house.property_id}/mqtt-topics`);
    expect(body.items).toMatchObject([
      { refused_count: 1, last_refusal: expect.stringMatching(/subscription/) },
    ]);
    await listener.stop();
    await server.close();
    await broker.close();
  });
});

describe.each(ENGINES)('several processes on %s', (engine) => {
  test('one listens at a time; the next takes over when it stops or is gone', async () => {
    let now_ms = Date.parse(NOW);
    const broker = await startBroker();
    // Processes of their own share a database server only; a file has one.
    const DATABASE_URL = 'postgres://several';
    const settings = { MQTT_URL: broker.url, MQTT_PROPERTIES: 'all', DATABASE_URL };
    const server = await startServer(engine, { clock: () => now_ms }, settings);
    const house = await newHouse(server);
    const topic = 'house/boiler';
    await house.post(`/api/meters/${house.main_id}/mqtt-topics`, { topic });
    const connections: string[] = [];
    broker.aedes.on('clientReady', ({ id }) => connections.push(id));
    const [one, two, three] = [1, 2, 3].map(() => new MqttListener(server.deps, broker.url)) as [
      MqttListener,
      MqttListener,
      MqttListener,
    ];
    await one.sync();
    await broker.subscribed(topic);
    await two.sync();
    const first = broker.acknowledged();
    await broker.publish(topic, '4');
    await first;
    expect(connections).toHaveLength(1);
    await one.stop();
    await two.sync();
    await broker.connected();
    await three.sync();
    expect(connections).toHaveLength(2);
    // The second one hangs: its lease ends, and it leaves when it notices.
    now_ms += 60_000;
    const taken_over = new Promise((resolve) => broker.aedes.once('clientReady', resolve));
    await three.sync();
    await taken_over;
    await two.sync();
    const acknowledged = broker.acknowledged();
    await broker.publish(topic, '5');
    await acknowledged;
    const { body } = await house.get(`/api/readings/meter/${house.main_id}/history`);
    expect(body.total).toBe(2);
    expect(new Set(connections).size).toBe(1);
    await Promise.all([two.stop(), three.stop()]);
    await server.close();
    await broker.close();
  });
});
