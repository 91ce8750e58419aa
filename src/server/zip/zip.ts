/** Writes a ZIP archive as it goes (APPNOTE 6.3.10): sizes and checksums follow each file, so nothing is kept. */
import { once } from 'node:events';
import { crc32, createDeflateRaw } from 'node:zlib';

/** A file of an archive, which comes piece by piece. */
export interface ZippedFile {
  name: string;
  content: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;
}

const MAX_BYTES = 0xffffffff;
/** Bit 3: sizes follow; bit 11: names are UTF-8. */
const FLAGS = 0x0808;
const VERSION = 20;
const DEFLATED = 8;
/** 1980-01-01, the first day there is: the same content is the same archive. */
const DATE = 0x21;

interface Written {
  name: Buffer;
  crc: number;
  packed: number;
  size: number;
  offset: number;
}

function numbers(...fields: [bytes: 2 | 4, value: number][]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntLE(value, 0, bytes);
      return field;
    }),
  );
}

function localHeader(name: Buffer): Buffer {
  const head = numbers([4, 0x04034b50], [2, VERSION], [2, FLAGS], [2, DEFLATED], [2, 0], [2, DATE]);
  return Buffer.concat([head, numbers([4, 0], [4, 0], [4, 0], [2, name.length], [2, 0]), name]);
}

function directoryEntry({ name, crc, packed, size, offset }: Written): Buffer {
  const head = numbers(
    [4, 0x02014b50],
    [2, VERSION],
    [2, VERSION],
    [2, FLAGS],
    [2, DEFLATED],
    [2, 0],
    [2, DATE],
  );
  const sizes = numbers([4, crc], [4, packed], [4, size], [2, name.length]);
  return Buffer.concat([head, sizes, numbers([2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name]);
}

/** Passes content through the compressor. @returns checksum and size of what went in */
async function* deflated(
  content: ZippedFile['content'],
): AsyncGenerator<Buffer, { crc: number; size: number }> {
  const deflate = createDeflateRaw();
  let crc = 0;
  let size = 0;
  const feeding = (async () => {
    for await (const piece of content) {
      const bytes = Buffer.from(piece as string);
      crc = crc32(bytes, crc);
      size += bytes.length;
      if (!deflate.write(bytes)) await once(deflate, 'drain');
    }
    deflate.end();
  })();
  // What goes wrong while it is fed is thrown to whoever reads.
  feeding.catch((error) => deflate.destroy(error));
  for await (const bytes of deflate) yield bytes as Buffer;
  await feeding;
  return { crc, size };
}

/** @throws RangeError for an archive of 4 GiB or more, which would need another format */
export async function* zip(files: AsyncIterable<ZippedFile> | Iterable<ZippedFile>): AsyncGenerator<Buffer> {
  const written: Written[] = [];
  let offset = 0;
  for await (const file of files) {
    const name = Buffer.from(file.name);
    const begin = offset;
    const header = localHeader(name);
    yield header;
    offset += header.length;
    let packed = 0;
    const pieces = deflated(file.content);
    let piece = await pieces.next();
    for (; !piece.done; piece = await pieces.next()) {
      packed += piece.value.length;
      yield piece.value;
    }
    const { crc, size } = piece.value;
    offset += packed;
    if (size > MAX_BYTES || offset > MAX_BYTES) throw new RangeError('the archive is larger than 4 GiB');
    const descriptor = numbers([4, 0x08074b50], [4, crc], [4, packed], [4, size]);
    yield descriptor;
    offset += descriptor.length;
    written.push({ name, crc, packed, size, offset: begin });
  }
  const directory = Buffer.concat(written.map(directoryEntry));
  yield directory;
  const count = written.length;
  yield numbers(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, directory.length],
    [4, offset],
    [2, 0],
  );
}
