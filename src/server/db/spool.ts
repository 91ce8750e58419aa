/** Bytes that were streamed in, put down so that any of them can be read again. */
import { openScratch, type Scratch } from './scratch.ts';

const PIECE_BYTES = 65_536;

/** A file without a name, in pieces of a scratch database: however the process ends, nothing of it is left behind. */
export class Spool {
  readonly #scratch: Scratch;
  readonly #read: ReturnType<Scratch['prepare']>;
  /** In bytes. */
  readonly size: number;

  private constructor(scratch: Scratch, size: number) {
    this.#scratch = scratch;
    this.#read = scratch.prepare('SELECT bytes FROM pieces WHERE number = ?');
    this.size = size;
  }

  /** Takes all there is; whoever calls closes what comes of it. */
  static async of(source: AsyncIterable<Uint8Array>): Promise<Spool> {
    const scratch = openScratch(['CREATE TABLE pieces (number INTEGER PRIMARY KEY, bytes BLOB)']);
    try {
      const insert = scratch.prepare('INSERT INTO pieces (number, bytes) VALUES (?, ?)');
      const piece = Buffer.alloc(PIECE_BYTES);
      let [number, filled] = [0, 0];
      for await (const bytes of source) {
        for (let at = 0; at < bytes.length; ) {
          const part = bytes.subarray(at, at + PIECE_BYTES - filled);
          piece.set(part, filled);
          at += part.length;
          filled += part.length;
          if (filled < PIECE_BYTES) continue;
          insert.run(number, piece);
          [number, filled] = [number + 1, 0];
        }
      }
      insert.run(number, piece.subarray(0, filled));
      return new Spool(scratch, number * PIECE_BYTES + filled);
    } catch (error) {
      scratch.close();
      throw error;
    }
  }

  /** The bytes from `start` up to `end`, piece by piece; fewer where the file ends before. */
  *pieces(start: number, end: number): Generator<Uint8Array> {
    for (let at = Math.max(0, start); at < Math.min(end, this.size); ) {
      const number = Math.floor(at / PIECE_BYTES);
      const { bytes } = this.#read.get(number) as { bytes: Uint8Array };
      const begin = number * PIECE_BYTES;
      yield bytes.subarray(at - begin, end - begin);
      at = begin + PIECE_BYTES;
    }
  }

  /** The same at once, for what is small. */
  bytes(start: number, end: number): Buffer {
    return Buffer.concat([...this.pieces(start, end)]);
  }

  close(): void {
    this.#scratch.close();
  }
}
