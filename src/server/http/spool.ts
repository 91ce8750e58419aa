/** An upload that is read in another order than it comes in. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DomainError } from '../errors.ts';

const MIB = 1024 * 1024;

/**
 * Puts an upload down in a file of the system's folder for temporary files (TMPDIR) that has no name there any more:
 * however the process ends, nothing is left behind. Whoever asks for it closes it.
 * @throws body_too_large
 */
export async function spool(upload: AsyncIterable<Uint8Array>, max_mib: number): Promise<FileHandle> {
  const path = join(tmpdir(), `electric-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    let bytes = 0;
    for await (const chunk of upload) {
      bytes += chunk.length;
      if (bytes > max_mib * MIB)
        throw new DomainError(
          'body_too_large',
          `An upload may have ${max_mib} MiB (MAX_IMPORT_MIB): split the file.`,
        );
      await file.write(chunk);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
