/**
 * Listens to the broker, in one process at a time. A message is acknowledged once it is durable: what comes in between
 * (a crash, a database that is away) makes the broker send it again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { databaseFile } from '../db/connect.ts';
import type { Deps } from '../deps.ts';
import { heardTopics, type Message, noteUnheard, releaseLease, takeLease, takeMessage } from './actions.ts';

/** How often topics that were configured meanwhile are looked for, and the lease is renewed. */
const TICK_MS = 10_000;
const LEASE_MS = 30_000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** A broker that does not answer is left without a word. */
const GOODBYE_MS = 2000;
/** The broker's answer to a subscription that its rules forbid. */
const REFUSED = 128;

/** Taken apart here: the library would cut a password at its last colon. */
function addressOf(text: string) {
  const url = new URL(text);
  const protocol = url.protocol === 'mqtts:' ? 'mqtts' : 'mqtt';
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port ? Number(url.port) : protocol === 'mqtts' ? 8883 : 1883,
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  } as const;
}

export class MqttListener {
  readonly #deps: Deps;
  readonly #url: string;
  readonly #holder: string;
  #client: MqttClient | null = null;
  /** What the broker was told to send. */
  #subscribed = new Set<string>();
  /** Topics of which something came since the connection was made. */
  #heard = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** What is being done, one thing after the other. */
  #syncing: Promise<void> = Promise.resolve();
  #taking: Promise<void> = Promise.resolve();

  /** @param url of the broker, with the credentials */
  constructor(deps: Deps, url: string) {
    this.#deps = deps;
    this.#url = url;
    // A file has one process at a time: the next one need not wait for the lease of one that died.
    this.#holder = databaseFile(deps.config.DATABASE_URL) ? 'the only process' : deps.ids.uuid();
  }

  /** From now on what is configured is heard. */
  start(): void {
    void this.sync().finally(() => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.start(), TICK_MS);
      this.#timer.unref();
    });
  }

  /** Renews the lease and hears what is configured by now. Failures are logged: the next time may be better. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing
      .then(() => this.#sync())
      .catch((error: Error) =>
        this.#deps.log.warn({ error: error.message }, 'MQTT topics cannot be looked up'),
      );
    return this.#syncing;
  }

  /** Finishes the message that is being taken, leaves the rest to the broker, and lets another process listen. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    // What waits for the broker ends with the connection, and may have made one meanwhile.
    await this.#leave();
    await this.#syncing;
    await this.#leave();
    await releaseLease(this.#deps, this.#holder).catch(() => {});
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    this.#subscribed.clear();
    await this.#taking;
    if (!client) return;
    await Promise.race([client.endAsync(), delay(GOODBYE_MS, undefined, { ref: false })]);
    client.stream.destroy();
  }

  async #sync(): Promise<void> {
    if (this.#stopped) return;
    if (!(await takeLease(this.#deps, this.#holder, LEASE_MS))) return this.#leave();
    this.#client ??= await this.#connect();
    if (!this.#client.connected) return;
    const wanted = await heardTopics(this.#deps);
    for (const topic of [...this.#subscribed].filter((each) => !wanted.has(each))) {
      await this.#client.unsubscribeAsync(topic);
      this.#subscribed.delete(topic);
    }
    for (const topic of [...wanted].filter((each) => !this.#subscribed.has(each))) {
      await this.#subscribe(this.#client, topic);
    }
    this.#client.options.reconnectPeriod = FIRST_RETRY_MS;
  }

  async #subscribe(client: MqttClient, topic: string): Promise<void> {
    const granted = await client.subscribeAsync(topic, { qos: 1 }).catch((error: Error) => {
      if (!client.connected) throw error;
      return [{ qos: REFUSED }];
    });
    this.#subscribed.add(topic);
    if (granted.some(({ qos }) => qos === REFUSED)) await noteUnheard(this.#deps, topic);
  }

  async #connect(): Promise<MqttClient> {
    const { log, mqttClientId } = this.#deps;
    // Loaded where there is a broker only: it costs the start 75 ms.
    const { default: mqtt } = await import('mqtt');
    const client = mqtt.connect({
      ...addressOf(this.#url),
      clientId: mqttClientId,
      // The broker keeps what comes while nobody listens.
      clean: false,
      resubscribe: false,
      reconnectPeriod: FIRST_RETRY_MS,
    });
    client.handleMessage = (packet, done) => {
      this.#taking = this.#take(client, packet as IPublishPacket, done);
    };
    client.on('connect', () => {
      log.info('connected to the MQTT broker');
      this.#subscribed.clear();
      this.#heard.clear();
      void this.sync();
    });
    client.on('error', (error) => log.warn({ error: error.message }, 'MQTT broker'));
    client.on('close', () => {
      client.options.reconnectPeriod = Math.min(2 * client.options.reconnectPeriod!, LAST_RETRY_MS);
    });
    return client;
  }

  #toMessage({ topic, payload, retain, dup, messageId }: IPublishPacket): Message {
    // Not every broker says that it repeats itself, but what it repeats comes first.
    const repeated = dup || !this.#heard.has(topic);
    this.#heard.add(topic);
    return {
      topic,
      payload: Buffer.from(payload),
      retained: retain,
      repeated,
      packet_id: messageId ?? null,
    };
  }

  /** @param done acknowledges the message, and lets the next one come */
  async #take(client: MqttClient, packet: IPublishPacket, done: (error?: Error) => void): Promise<void> {
    // Somebody else may be listening by now.
    if (client !== this.#client) return;
    try {
      // The broker remembers what was subscribed before this process started.
      if (!(await takeMessage(this.#deps, this.#toMessage(packet)))) client.unsubscribe(packet.topic);
      done();
    } catch (error) {
      const { message } = error as Error;
      this.#deps.log.error({ topic: packet.topic, error: message }, 'an MQTT message waits at the broker');
      client.stream.destroy();
    }
  }
}
