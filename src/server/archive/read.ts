/** Reads an archive: what it says of the property, and its ledger, which is verified on the way. */
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ARCHIVED_FILES, ArchivedProperty, archivedPhoto } from '../../contract/archive.ts';
import { ChainCheck, checkLine } from '../../core/chain-check.ts';
import { checkPhoto, MAX_PHOTO_BYTES } from '../../core/photo.ts';
import { MAX_AHEAD_MS } from '../../core/time.ts';
import type { Spool } from '../db/spool.ts';
import { DomainError } from '../errors.ts';
import { checker } from '../http/validation.ts';
import { sha256 } from '../ledger/write.ts';
import type { Photos } from '../photos/photos.ts';
import { Archive } from '../zip/unzip.ts';
import { ArchivedEntry, faultOf } from './entries.ts';
import { checkMeters } from './meters.ts';
import { unreadable } from './refused.ts';
import type { Staging } from './staging.ts';

/** The files of an archive. */
export interface Folder {
  has(name: string): boolean;
  /** @throws validation_failed where it is not there, or not whole */
  read(name: string): AsyncIterable<Uint8Array>;
}

const broken = (what: string) => unreadable('body', `is no archive of Electric that is whole: ${what}`);
const REFUSALS = {
  damaged: broken,
  encrypted: () => broken('it has a password'),
  tooLarge: (what: string) => new DomainError('body_too_large', `The archive ${what}.`),
};

/** Opens an upload as an archive; one that was unpacked and packed again may have a folder around it. */
export function openArchive(spool: Spool): Folder {
  const archive = new Archive(spool, REFUSALS);
  const [inside = ARCHIVED_FILES.property] = [...archive.names].filter((name) =>
    name.endsWith(ARCHIVED_FILES.property),
  );
  const folder = inside.slice(0, -ARCHIVED_FILES.property.length);
  return {
    has: (name) => archive.has(folder + name),
    read: (name) => archive.read(folder + name),
  };
}

/** The longest line of a ledger is a note of 2,000 and a reason of 500 characters, escaped. */
const MAX_LINE_BYTES = 64 * 1024;
const MAX_PROPERTY_BYTES = 32 * 1024 * 1024;

/** Lines of UTF-8, each ended by one line feed. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw unreadable(ARCHIVED_FILES.ledger, 'is not UTF-8: the archive was damaged');
    }
  };
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decode(chunk)).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_BYTES)
      throw unreadable(ARCHIVED_FILES.ledger, 'has a line that no ledger has');
    yield lines;
  }
  if (rest + decode() !== '') throw unreadable(ARCHIVED_FILES.ledger, 'ends within a line: it is not whole');
}

/** A file of the archive. */
async function whole(archive: Folder, name: string, max_bytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of archive.read(name)) {
    size += chunk.length;
    if (size > max_bytes) throw unreadable(name, 'is larger than it can be');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readProperty(archive: Folder, clock: () => number): Promise<ArchivedProperty> {
  const { property } = ARCHIVED_FILES;
  const bytes = await whole(archive, property, MAX_PROPERTY_BYTES);
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw unreadable(property, 'is not JSON: the archive was damaged');
  }
  checker(ArchivedProperty, clock)(said, property);
  const read = said as ArchivedProperty;
  checkMeters(read.meters);
  return read;
}

/**
 * @param staging what the entries are put down in
 * @throws validation_failed where the archive was changed, is not whole, or says what cannot be
 */
export async function readArchive(
  archive: Folder,
  staging: Staging,
  clock: () => number,
): Promise<ArchivedProperty> {
  const { ledger } = ARCHIVED_FILES;
  const archived = await readProperty(archive, clock);
  const meters = new Map(archived.meters.map((meter) => [meter.id, meter]));
  const check = new ChainCheck(sha256);
  const checkEntry = checker(ArchivedEntry, clock);
  const latest_ms = clock() + MAX_AHEAD_MS;
  for await (const lines of linesOf(archive.read(ledger))) {
    for (const line of lines) {
      const entry = checkLine(check, line) as ArchivedEntry | null;
      if (check.fault) break;
      if (!entry) continue;
      checkEntry(entry, ledger);
      const refuse = (message: string) =>
        unreadable(ledger, `has what cannot be, entry ${entry.id}: ${message}`);
      const meter = meters.get(entry.meter_id);
      if (!meter || meter.sub_meter_kind === 'virtual')
        throw refuse('it is of no meter of the archive that is read');
      const fault = faultOf(entry, latest_ms) ?? staging.add(entry);
      if (fault) throw refuse(fault);
    }
    if (check.fault) break;
    await nextTurn();
  }
  check.end();
  if (check.fault) throw unreadable(ledger, `does not hold: ${check.fault.detail}`);
  if (check.head?.hash !== archived.head?.hash) {
    throw unreadable(
      ledger,
      `ends with another head than the one in ${ARCHIVED_FILES.property}: it is not whole`,
    );
  }
  const twins = staging.seal();
  if (twins)
    throw unreadable(ledger, `has two entries in force for one instant: ${twins.id} and ${twins.other_id}`);
  return archived;
}

/** Keeps the photos that the entries name, as far as the archive has them: some are still on a phone. */
export async function readPhotos(archive: Folder, staging: Staging, photos: Photos): Promise<void> {
  for (const sha256 of staging.photos()) {
    const name = archivedPhoto(sha256);
    if (!archive.has(name)) continue;
    const bytes = await whole(archive, name, MAX_PHOTO_BYTES);
    const checked = checkPhoto(bytes);
    if (hash('sha256', bytes, 'hex') !== sha256 || !checked.ok)
      throw unreadable(name, 'is not the photo that the ledger names: the archive was changed');
    await photos.put(sha256, bytes);
  }
}
