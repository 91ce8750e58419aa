/** Recognises a file by how it begins. */
import { openCsv } from './csv.ts';
import type { Opened, Wishes } from './format.ts';
import { openNdjson } from './ndjson.ts';

/** Its first bytes, and all of it. */
async function peek(body: AsyncIterable<Uint8Array>) {
  const iterator = body[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let text = '';
  while (text.trim() === '') {
    const { done, value } = await iterator.next();
    if (done) break;
    head.push(value);
    text = Buffer.from(value).toString('latin1').replace('\u00ef\u00bb\u00bf', '');
  }
  async function* whole() {
    try {
      yield* head;
      for (;;) {
        const { done, value } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { begins: text.trimStart(), bytes: whole() };
}

/** Recognises a file by its first bytes. @param zone of the property, for times without an offset */
export async function open(body: AsyncIterable<Uint8Array>, wishes: Wishes, zone: string): Promise<Opened> {
  const { begins, bytes } = await peek(body);
  const is_ndjson = wishes.format === undefined ? /^[{["]/.test(begins) : wishes.format === 'ndjson';
  return is_ndjson ? openNdjson(bytes, zone) : openCsv(bytes, zone);
}
