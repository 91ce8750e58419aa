/** Makes load from a process of its own: bare sockets that are kept alive, so that the client costs little. */
import { connect, type Socket } from 'node:net';

export interface Load {
  port: number;
  token: string;
  clients: number;
  /** Ends after this many answers, or after this time, whichever comes first. */
  requests: number;
  seconds: number;
  /** Readings of random ones of these meters; without meters: GET `path`. */
  meters: number[];
  path: string;
  /** The instant of every meter's first reading; the next is a minute later. */
  from_ms: number;
}

export interface Answered {
  count: number;
  seconds: number;
  p50_ms: number;
  p99_ms: number;
}

const SINCE_MS = Date.UTC(2000, 0, 1);

function requestMaker({ port, token, meters, path, from_ms }: Load): () => string {
  const head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n`;
  if (meters.length === 0) return () => `GET ${path} HTTP/1.1\r\n${head}\r\n`;
  const next_ms = new Map(meters.map((id) => [id, from_ms]));
  return () => {
    const meter_id = meters[Math.floor(Math.random() * meters.length)]!;
    const instant_ms = next_ms.get(meter_id)!;
    next_ms.set(meter_id, instant_ms + 60_000);
    const value = ((instant_ms - SINCE_MS) / 60_000_000).toFixed(3);
    const reading_timestamp = new Date(instant_ms).toISOString();
    const body = JSON.stringify({ meter_id, reading_timestamp, value });
    const type = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    return `POST /api/readings HTTP/1.1\r\n${head}${type}\r\n${body}`;
  };
}

/** Hands over each whole answer: its status line decides, its body is only waited for. */
function onAnswers(socket: Socket, take: (head: string) => void): void {
  let pending = '';
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    pending += text;
    const end = pending.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0);
    if (pending.length < end + 4 + length) return;
    const head = pending;
    pending = '';
    take(head);
  });
}

async function run(load: Load): Promise<Answered> {
  const next = requestMaker(load);
  const latencies: number[] = [];
  const started_at = performance.now();
  const until = started_at + load.seconds * 1000;
  let sent = 0;
  const client = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(load.port, '127.0.0.1');
      socket.setNoDelay(true);
      let asked_at = 0;
      const ask = () => {
        if (sent >= load.requests || performance.now() >= until) {
          socket.end();
          resolve();
          return;
        }
        sent += 1;
        asked_at = performance.now();
        socket.write(next());
      };
      socket.once('connect', ask);
      socket.once('error', reject);
      onAnswers(socket, (head) => {
        latencies.push(performance.now() - asked_at);
        if (!/^HTTP\/1.1 20[01] /.test(head)) reject(new Error(`unexpected answer: ${head}`));
        else ask();
      });
    });
  await Promise.all(Array.from({ length: load.clients }, client));
  const seconds = (performance.now() - started_at) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return { count: latencies.length, seconds, p50_ms: at(0.5), p99_ms: at(0.99) };
}

process.once('message', async (load: Load) => {
  try {
    process.send!(await run(load));
  } catch (error) {
    process.send!({ error: (error as Error).message });
  }
  process.disconnect();
});
