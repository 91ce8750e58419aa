/** Photos as files, by their SHA-256: the same picture is kept once, and nothing is ever changed. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Photos } from './photos.ts';

export function diskPhotos(folder: string): Photos {
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), `${sha256}.jpg`);
  return {
    async put(sha256, bytes) {
      const path = pathOf(sha256);
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${randomUUID()}`;
      try {
        const file = await open(draft, 'wx', 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      // The name is only kept once its folder is.
      const named = await open(dirname(path));
      await named.sync().finally(() => named.close());
    },
    async get(sha256) {
      try {
        return await readFile(pathOf(sha256));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
  };
}
