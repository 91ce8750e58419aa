/** Reads ZIP archives (APPNOTE 6.3.10) by their directory, and believes nothing that it says of sizes. */
import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import type { Spool } from '../db/spool.ts';
import { DomainError } from '../errors.ts';

const MAX_ENTRIES = 60_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
/** Of all entries, unpacked. A spreadsheet's largest sheet with every cell of a dozen columns filled has some 1.2 GiB. */
const MAX_BYTES = 4 * 1024 ** 3;
/** Text of readings packs to a tenth; what packs to less than this of its size is no such thing. */
const MAX_RATIO = 200;
/** Below this size any ratio will do. */
const SMALL_BYTES = 1024 * 1024;
const PIECE_BYTES = 65_536;

const DIRECTORY_END = Buffer.from([0x50, 0x4b, 5, 6]);
const DIRECTORY_END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const LARGE_END_LOCATOR = 0x07064b50;
const LARGE_END_LOCATOR_BYTES = 20;
const LARGE_END = 0x06064b50;
const LARGE_END_BYTES = 56;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const LARGE_FIELD = 1;
/** A field of four or two bytes that says: see the field for large archives. */
const [SEE_LARGE, SEE_LARGE_COUNT] = [0xffffffff, 0xffff];
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 0x1;

/** A file of the archive. */
interface Entry {
  name: string;
  is_encrypted: boolean;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
}

/** The words in which whoever reads an archive refuses it; the sentences go on "the file …". */
export interface Refusals {
  damaged(what: string): DomainError;
  encrypted(): DomainError;
  tooLarge(what: string): DomainError;
}

/** Numbers of eight bytes; those that no upload can reach are as good as endless. */
const large = (bytes: Buffer, at: number) => Number(bytes.readBigUInt64LE(at));

interface Directory {
  count: number;
  start: number;
  end: number;
}

function findDirectory(spool: Spool, { damaged }: Refusals): Directory {
  const from = Math.max(0, spool.size - DIRECTORY_END_BYTES - MAX_COMMENT_BYTES);
  const tail = spool.bytes(from, spool.size);
  if (tail.length < DIRECTORY_END_BYTES) throw damaged('it has no end');
  const at = tail.lastIndexOf(DIRECTORY_END, tail.length - DIRECTORY_END_BYTES);
  if (at < 0) throw damaged('it has no end');
  const [disk, count, size, offset] = [
    tail.readUInt16LE(at + 4),
    tail.readUInt16LE(at + 10),
    tail.readUInt32LE(at + 12),
    tail.readUInt32LE(at + 16),
  ];
  const is_large = count === SEE_LARGE_COUNT || size === SEE_LARGE || offset === SEE_LARGE;
  if (is_large) return findLargeDirectory(spool, from + at, damaged);
  if (disk !== 0) throw damaged('it is one part of several');
  return { count, start: offset, end: offset + size };
}

function findLargeDirectory(spool: Spool, end_at: number, damaged: Refusals['damaged']): Directory {
  const locator = spool.bytes(end_at - LARGE_END_LOCATOR_BYTES, end_at);
  if (locator.length < LARGE_END_LOCATOR_BYTES || locator.readUInt32LE(0) !== LARGE_END_LOCATOR)
    throw damaged('it has no directory');
  const offset = large(locator, 8);
  const end = spool.bytes(offset, offset + LARGE_END_BYTES);
  if (end.length < LARGE_END_BYTES || end.readUInt32LE(0) !== LARGE_END) throw damaged('it has no directory');
  const start = large(end, 48);
  return { count: large(end, 32), start, end: start + large(end, 40) };
}

/** Sizes and place of an entry that did not fit into four bytes each. */
function widen(entry: Entry, extra: Buffer, damaged: Refusals['damaged']): void {
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    let field = at + 4;
    at = field + length;
    if (id !== LARGE_FIELD) continue;
    for (const what of ['size', 'packed', 'offset'] as const) {
      if (entry[what] !== SEE_LARGE) continue;
      if (field + 8 > Math.min(at, extra.length)) throw damaged('its directory is cut off');
      entry[what] = large(extra, field);
      field += 8;
    }
  }
}

function readEntries(bytes: Buffer, count: number, { damaged }: Refusals): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + DIRECTORY_ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== DIRECTORY_ENTRY)
      throw damaged('its directory is cut off');
    const [named, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const name_at = at + DIRECTORY_ENTRY_BYTES;
    const entry = {
      name: bytes.toString('utf8', name_at, name_at + named),
      is_encrypted: (bytes.readUInt16LE(at + 8) & ENCRYPTED) !== 0,
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
    };
    widen(entry, bytes.subarray(name_at + named, name_at + named + extra), damaged);
    entries.push(entry);
    at = name_at + named + extra + comment;
  }
  return entries;
}

/** What no file that a spreadsheet saved has: bombs, and entries that share their bytes. */
function checkEntries(
  entries: readonly Entry[],
  directory_at: number,
  { damaged, tooLarge }: Refusals,
): void {
  const in_order = entries.toSorted((a, b) => a.offset - b.offset);
  for (const [i, { offset, packed, size }] of in_order.entries()) {
    const next = in_order[i + 1]?.offset ?? directory_at;
    if (offset + LOCAL_HEADER_BYTES + packed > next) throw damaged('its parts overlap');
    if (size > SMALL_BYTES && size > packed * MAX_RATIO)
      throw tooLarge(`unpacks to more than ${MAX_RATIO} times its size, which no list of readings does`);
  }
  if (entries.reduce((total, { size }) => total + size, 0) > MAX_BYTES)
    throw tooLarge(`unpacks to more than ${MAX_BYTES / 1024 ** 3} GiB`);
}

/** Names are compared without case, as spreadsheets do. */
const keyOf = (name: string) => name.replaceAll('\\', '/').replace(/^\/+/, '').toLowerCase();

/** An archive whose files can be read in any order. */
export class Archive {
  readonly #spool: Spool;
  readonly #refusals: Refusals;
  readonly #entries: ReadonlyMap<string, Entry>;

  /** @throws what the refusals say for what is no archive, or one that nobody would have written */
  constructor(spool: Spool, refusals: Refusals) {
    const { damaged, tooLarge } = refusals;
    const { count, start, end } = findDirectory(spool, refusals);
    if (count > MAX_ENTRIES) throw tooLarge(`has more than ${MAX_ENTRIES} parts`);
    if (end - start > MAX_DIRECTORY_BYTES || end > spool.size) throw damaged('its directory is cut off');
    const entries = readEntries(spool.bytes(start, end), count, refusals);
    checkEntries(entries, start, refusals);
    this.#spool = spool;
    this.#refusals = refusals;
    this.#entries = new Map(entries.map((entry) => [keyOf(entry.name), entry]));
  }

  /** As they are compared. */
  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(keyOf(name));
  }

  /** What a file unpacks to, piece by piece. @throws what the refusals say where it is not there or not as announced */
  async *read(name: string): AsyncGenerator<Buffer> {
    const { damaged, encrypted } = this.#refusals;
    const entry = this.#entries.get(keyOf(name));
    if (!entry) throw damaged(`${name.slice(0, 100)} is missing`);
    if (entry.is_encrypted) throw encrypted();
    if (entry.method !== STORED && entry.method !== DEFLATED)
      throw damaged(`packed by method ${entry.method}`);
    let [size, crc] = [0, 0];
    for await (const bytes of entry.method === STORED ? this.#packed(entry) : this.#inflated(entry)) {
      size += bytes.length;
      if (size > entry.size) throw damaged('a part is larger than announced');
      crc = crc32(bytes, crc);
      yield bytes;
    }
    if (size < entry.size || crc !== entry.crc) throw damaged('a part is not what it was');
  }

  *#packed({ offset, packed }: Entry): Generator<Buffer> {
    const header = this.#spool.bytes(offset, offset + LOCAL_HEADER_BYTES);
    if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER)
      throw this.#refusals.damaged('a part has no beginning');
    const start = offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    for (const piece of this.#spool.pieces(start, start + packed)) yield Buffer.from(piece);
  }

  async *#inflated(entry: Entry): AsyncGenerator<Buffer> {
    const inflate = createInflateRaw({ chunkSize: PIECE_BYTES });
    const source = Readable.from(this.#packed(entry));
    source.on('error', (error) => inflate.destroy(error));
    source.pipe(inflate);
    try {
      for await (const bytes of inflate) yield bytes as Buffer;
    } catch (error) {
      if (error instanceof DomainError) throw error;
      throw this.#refusals.damaged('a part cannot be unpacked');
    } finally {
      source.destroy();
      inflate.destroy();
    }
  }
}
