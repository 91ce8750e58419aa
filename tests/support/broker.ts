/** A real MQTT broker on a free port, and a look at what it has been told. */
import { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes, type AedesOptions } from 'aedes';

export interface Broker {
  port: number;
  url: string;
  aedes: Aedes;
  publish(topic: string, payload: string | Buffer, more?: { qos?: 0 | 1; retain?: boolean }): Promise<void>;
  /** Resolves when a client acknowledges the next message. */
  acknowledged(): Promise<void>;
  /** Resolves once a client listens to the topic. */
  subscribed(topic: string): Promise<void>;
  /** Resolves once a client is connected. */
  connected(): Promise<void>;
  /** Cuts every connection; the broker goes on. */
  cut(): void;
  close(): Promise<void>;
}

/** @param options of the broker; `port` if it must be a certain one */
export async function startBroker(options: AedesOptions & { port?: number } = {}): Promise<Broker> {
  const { port: wanted = 0, ...more } = options;
  const aedes = await Aedes.createBroker(more);
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  aedes.on('clientError', () => {});
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const heard = new Set<string>();
  const events = new EventEmitter();
  aedes.on('subscribe', (subscriptions) => {
    for (const { topic } of subscriptions) {
      heard.add(topic);
      events.emit(topic);
    }
  });
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    aedes,
    publish: (topic, payload, { qos = 1, retain = false } = {}) =>
      new Promise((resolve, reject) =>
        aedes.publish({ cmd: 'publish', dup: false, topic, payload, qos, retain }, (error) =>
          error ? reject(error) : resolve(),
        ),
      ),
    acknowledged: () => new Promise((resolve) => aedes.once('ack', () => resolve())),
    subscribed: (topic) =>
      heard.has(topic) ? Promise.resolve() : new Promise((resolve) => events.once(topic, () => resolve())),
    connected: () =>
      aedes.connectedClients > 0
        ? Promise.resolve()
        : new Promise((resolve) => aedes.once('clientReady', () => resolve())),
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}
