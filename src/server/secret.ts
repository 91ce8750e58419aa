/** The secret from which every signing key is derived. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from './config.ts';
import { databaseFile } from './db/connect.ts';

/** SECRET_KEY, or the secret kept beside the database, made there at the first start. */
export function loadSecret(config: Config): string {
  if (config.SECRET_KEY !== null) return config.SECRET_KEY;
  const folder = dirname(databaseFile(config.DATABASE_URL) ?? './data/electric.db');
  const path = join(folder, 'secret.key');
  mkdirSync(folder, { recursive: true });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600, flush: true });
  try {
    // A link appears whole or not at all, and fails if another process that starts now was first.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(path, 'utf8');
}

/** A 32-byte key for one purpose (HKDF, RFC 5869): knowing one tells nothing of the others. */
export function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `electric ${purpose}`, 32));
}
