/** Uploads with a stream of events for an answer. */

export interface ServerEvent {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  data: any;
}

async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  let rest = '';
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(part)!;
      yield { event: event!, data: JSON.parse(data!) };
    }
  }
}

export type Sent = string | Iterable<string> | AsyncIterable<string | Uint8Array>;

async function* bytesOf(pieces: Exclude<Sent, string>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece as string);
}

/** Sends a file and hands out the events of its import, as they come. */
export async function* importEvents(
  to: { origin: string; token: string; property_id: number; query?: string; type?: string },
  file: Sent,
  headers: Record<string, string> = {},
): AsyncGenerator<ServerEvent> {
  const { origin, token, property_id, query = '', type = 'text/csv' } = to;
  const body = typeof file === 'string' ? file : ReadableStream.from(bytesOf(file));
  const response = await fetch(`${origin}/api/readings/import?property_id=${property_id}${query}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': type,
      accept: 'text/event-stream',
      ...headers,
    },
    body,
    duplex: 'half',
  } as RequestInit);
  const got = response.headers.get('content-type');
  if (got !== 'text/event-stream') throw new Error(`${response.status} ${got}: ${await response.text()}`);
  yield* readEvents(response);
}
