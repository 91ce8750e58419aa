/** Reads the answer of a call that tells how far it has come (text/event-stream). */
import type { Problem } from '../contract/problem.ts';

/** What ends a stream of events. */
export type Ending = { report: unknown } | { problem: Problem };

/**
 * @param onProgress gets the data of each `progress` event
 * @returns the last event; null if the stream ends without one: the connection broke
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  onProgress: (data: never) => void,
): Promise<Ending | null> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return null;
    const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
      if (data === undefined) continue;
      if (event === 'progress') onProgress(JSON.parse(data) as never);
      if (event === 'report') return { report: JSON.parse(data) };
      if (event === 'problem') return { problem: JSON.parse(data) as Problem };
    }
  }
}
