import { createHash } from 'node:crypto';

/** How a token that opens something is stored: it has 256 random bits, so nothing slower is needed. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
