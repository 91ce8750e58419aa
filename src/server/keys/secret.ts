/** The secrets of API keys: recognisable, whole or not, and kept only as a hash. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const MARK = 'electric_';
const RANDOM_BYTES = 32;
const FORM = /^electric_[A-Za-z0-9_-]{48}$/;
/** The mark and six characters: enough to tell keys apart, nothing to guess the rest from. */
const SHOWN = MARK.length + 6;

function checksum(random: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(random));
  return bytes;
}

/** Whether a bearer token means to be an API key. */
export function isApiKey(token: string): boolean {
  return token.startsWith(MARK);
}

/** @param token 256 random bits, base64url @returns `electric_` and the bits with their CRC-32, base64url */
export function makeSecret(token: string): string {
  const random = Buffer.from(token, 'base64url');
  return MARK + Buffer.concat([random, checksum(random)]).toString('base64url');
}

/** Whether a secret is as long as it should be and its checksum right: scanners and typing errors need no look-up. */
export function isWhole(secret: string): boolean {
  if (!FORM.test(secret)) return false;
  const bytes = Buffer.from(secret.slice(MARK.length), 'base64url');
  return checksum(bytes.subarray(0, RANDOM_BYTES)).equals(bytes.subarray(RANDOM_BYTES));
}

/**
 * By this a key is looked up: how long the look-up takes tells about hashes, from which nobody gets to a secret. Of 256
 * random bits a fast hash is enough.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function prefixOf(secret: string): string {
  return secret.slice(0, SHOWN);
}
