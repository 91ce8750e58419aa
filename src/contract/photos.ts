import { type Static, Type } from 'typebox';
import { contract, Id } from './schema.ts';

const ReadingParams = Type.Object({ reading_id: Id });

export const StoredPhoto = Type.Object(
  {
    reading_id: Id,
    photo_sha256: Type.String({ description: 'As it stands in the ledger' }),
    bytes: Type.Integer(),
  },
  { $id: 'StoredPhoto' },
);
export type StoredPhoto = Static<typeof StoredPhoto>;

export const uploadPhoto = contract({
  name: 'uploadPhoto',
  method: 'POST',
  url: '/api/readings/:reading_id/photo',
  summary: 'Bring the photo of a reading',
  description:
    'Its SHA-256 stands in the ledger since the reading was recorded with `photo_sha256`; other bytes are refused (422). ' +
    'JPEG of at most 2 MiB without EXIF, XMP or comments: drawn anew, so that it does not say where it was taken. ' +
    '200 where it is there already.',
  tag: 'readings',
  role: 'tenant',
  scope: 'readings:write',
  params: ReadingParams,
  streams: ['image/jpeg'],
  response: { 201: StoredPhoto, 200: StoredPhoto },
  errors: ['forbidden', 'not_found', 'body_too_large'],
});

export const getPhoto = contract({
  name: 'getPhoto',
  method: 'GET',
  url: '/api/readings/:reading_id/photo',
  summary: 'The photo of a reading',
  description: '404 where it has none, or where its photo has not been brought yet.',
  tag: 'readings',
  role: 'tenant',
  params: ReadingParams,
  download: ['image/jpeg'],
  response: { 200: Type.Unsafe<unknown>({ type: 'string', contentMediaType: 'image/jpeg' }) },
  errors: ['forbidden', 'not_found'],
});
