/** Reads a ZIP archive (APPNOTE 6.3.10) from a file: what it says of itself is not believed, nothing is held whole. */
import type { FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { unreadable } from './refused.ts';

const END = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const ENCRYPTED = 0x0001;
const STORED = 0;
const DEFLATED = 8;
/** Of some hundred thousand photos. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

interface Entry {
  name: string;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
}

const broken = (what: string) => unreadable('body', `is no archive of Electric: ${what}`);

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
  if (bytesRead < length) throw broken('it ends too early');
  return buffer;
}

async function directoryOf(file: FileHandle): Promise<Entry[]> {
  const { size } = await file.stat();
  const tail = await readAt(
    file,
    Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES),
    Math.min(size, END_BYTES + MAX_COMMENT_BYTES),
  );
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || end + END_BYTES > tail.length || tail.readUInt32LE(end) !== END)
    throw broken('it is no ZIP file, or not whole');
  const [bytes, offset] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (bytes > MAX_DIRECTORY_BYTES || offset + bytes > size)
    throw broken('its directory is not where it should be');
  const directory = await readAt(file, offset, bytes);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes; ) {
    if (at + DIRECTORY_ENTRY_BYTES > bytes || directory.readUInt32LE(at) !== DIRECTORY_ENTRY)
      throw broken('its directory is damaged');
    const [name_length, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    if (directory.readUInt16LE(at + 8) & ENCRYPTED) throw broken('it is encrypted');
    const name_at = at + DIRECTORY_ENTRY_BYTES;
    entries.push({
      name: directory.toString('utf8', name_at, name_at + name_length),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at = name_at + name_length + extra + comment;
  }
  return entries;
}

const baseOf = (name: string) => name.slice(name.lastIndexOf('/') + 1);

/** The files of a ZIP archive. Folders are looked through: who unpacks and packs again often adds one. */
export class Unzipped {
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, Entry[]>;

  private constructor(file: FileHandle, entries: readonly Entry[]) {
    this.#file = file;
    this.#entries = Map.groupBy(entries, ({ name }) => baseOf(name));
  }

  /** @throws validation_failed where it is no ZIP archive */
  static async of(file: FileHandle): Promise<Unzipped> {
    return new Unzipped(file, await directoryOf(file));
  }

  has(name: string): boolean {
    return this.#entries.has(baseOf(name));
  }

  /**
   * The bytes of the one file of a name.
   * @throws validation_failed where there is none, and where it is not as the archive says
   */
  async *open(name: string): AsyncGenerator<Buffer> {
    const found = this.#entries.get(baseOf(name)) ?? [];
    const [entry] = found;
    if (!entry || found.length > 1) throw broken(`it has ${found.length} files named ${name}`);
    if (entry.method !== DEFLATED && entry.method !== STORED)
      throw broken(`${name} is packed in an unknown way`);
    const local = await readAt(this.#file, entry.offset, LOCAL_BYTES);
    if (local.readUInt32LE(0) !== LOCAL) throw broken(`${name} is not where it should be`);
    const from = entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
    let crc = 0;
    let size = 0;
    try {
      for await (const bytes of this.#unpacked(entry, from)) {
        size += bytes.length;
        if (size > entry.size) break;
        crc = crc32(bytes, crc);
        yield bytes;
      }
    } catch (error) {
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
      throw broken(`${name} is damaged`);
    }
    if (size !== entry.size || crc !== entry.crc) throw broken(`${name} is damaged`);
  }

  #unpacked({ method, packed }: Entry, from: number): AsyncIterable<Buffer> {
    const bytes = this.#packed(from, packed);
    if (method === STORED) return bytes;
    const inflate = createInflateRaw();
    // What goes wrong is thrown to whoever reads.
    pipeline(Readable.from(bytes), inflate, () => {});
    return inflate;
  }

  async *#packed(from: number, length: number): AsyncGenerator<Buffer> {
    for (let at = from; at < from + length; ) {
      const bytes = await readAt(this.#file, at, Math.min(64 * 1024, from + length - at));
      at += bytes.length;
      yield bytes;
    }
  }
}
