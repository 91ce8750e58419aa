/** Requests byte by byte, where an ordinary client would tidy them up. */
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/**
 * Sends exactly these bytes and reads the answer until the server closes.
 * @param head the request line and the headers, as they go over the wire
 */
export function sendRaw(
  origin: string,
  head: string[],
  body: string | Uint8Array = '',
  { length = true, host = 'electric' } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const bytes = Buffer.from(body as Uint8Array);
  const lines = [...head, `Host: ${host}`, 'Connection: close'];
  if (length) lines.push(`Content-Length: ${bytes.length}`);
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    // A refusal may come while the body is still on its way; what the server said before counts.
    socket.on('error', (error) => {
      if (received.length === 0) reject(error);
    });
    socket.on('data', (data) => received.push(data));
    socket.on('close', () => {
      if (received.length > 0) resolve(parse(Buffer.concat(received).toString('utf8')));
      else reject(new Error('the server closed without an answer'));
    });
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    socket.write(bytes);
  });
}

function parse(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Headers(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as [string, string];
    }),
  );
  const body = rest.join('\r\n\r\n');
  const json = headers.get('content-type')?.includes('json');
  return { status: Number(first.split(' ')[1]), headers, body: json ? JSON.parse(body) : body };
}
