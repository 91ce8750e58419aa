/** Where photos are kept: in a folder, or in storage that speaks S3 where several servers share one database. */
import { dirname, join } from 'node:path';
import { databaseFile } from '../db/connect.ts';
import { diskPhotos } from './disk.ts';
import type { Photos } from './photos.ts';
import { s3Photos } from './s3.ts';

/** @param url of PHOTOS_URL; null: the folder `photos` beside the database */
export function openPhotos(url: string | null, database_url: string): Photos {
  if (url?.startsWith('s3')) return s3Photos(url);
  const beside = dirname(databaseFile(database_url) ?? './data/electric.db');
  return diskPhotos(url === null ? join(beside, 'photos') : url.slice('file:'.length));
}
