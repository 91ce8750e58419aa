import { hash } from 'node:crypto';
import type { StoredPhoto } from '../../contract/photos.ts';
import { checkPhoto, MAX_PHOTO_BYTES } from '../../core/photo.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid, notFound } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { findEntry } from '../ledger/store.ts';
import { openPropertyOf } from '../properties/access.ts';

/** What the ledger says of a reading's photo. Throws not_found, forbidden. */
async function photoOf({ db }: Deps, caller: Caller, reading_id: number): Promise<string> {
  const entry = await findEntry(db.read, reading_id);
  if (!entry || entry.kind === 'device') throw notFound('such reading');
  await openPropertyOf(db.read, caller, entry, 'reading');
  if (entry.photo_sha256 === null) throw notFound('photo of this reading: it was recorded without one');
  return entry.photo_sha256;
}

async function read(upload: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of upload) {
    size += chunk.length;
    if (size > MAX_PHOTO_BYTES)
      throw new DomainError('body_too_large', 'A photo may have 2 MiB: make the picture smaller.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export async function uploadPhoto(
  deps: Deps,
  caller: Caller,
  reading_id: number,
  upload: AsyncIterable<Uint8Array>,
): Promise<Outcome<StoredPhoto>> {
  const photo_sha256 = await photoOf(deps, caller, reading_id);
  const bytes = await read(upload);
  const is_it = hash('sha256', bytes, 'hex') === photo_sha256;
  const checked = is_it ? checkPhoto(bytes) : null;
  if (!checked?.ok) {
    const message = checked?.message ?? `is not the photo of this reading, whose SHA-256 is ${photo_sha256}`;
    throw invalid([{ path: 'body', message }]);
  }
  const there = await deps.photos.get(photo_sha256);
  if (!there) await deps.photos.put(photo_sha256, bytes);
  return { created: !there, body: { reading_id, photo_sha256, bytes: bytes.length } };
}

export async function getPhoto(deps: Deps, caller: Caller, reading_id: number): Promise<Uint8Array> {
  const bytes = await deps.photos.get(await photoOf(deps, caller, reading_id));
  if (bytes) return bytes;
  throw notFound('photo of this reading here yet: the phone that took it has not sent it');
}
