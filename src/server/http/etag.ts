/** Versions of resources: ETag, If-None-Match and If-Match (RFC 9110, sections 8.8.3 and 13.1). */
import { hash } from 'node:crypto';
import { DomainError } from '../errors.ts';

const TAG_CHARACTERS = 22;
const TAG = /(W\/)?"[\x21\x23-\x7e\x80-\xff]*"/;
const LIST = new RegExp(`^[ \\t,]*${TAG.source}[ \\t]*(,[ \\t]*(${TAG.source}[ \\t]*)?)*$`);

/** A strong tag: 128 bits of the SHA-256 of what a resource looks like. */
export function entityTag(body: unknown): string {
  return `"${hash('sha256', JSON.stringify(body), 'base64url').slice(0, TAG_CHARACTERS)}"`;
}

/** The tags of If-Match or If-None-Match; `*` stands for every version. Throws invalid_request. */
export function readTags(name: 'If-Match' | 'If-None-Match', header: string): '*' | string[] {
  if (header.trim() === '*') return '*';
  if (LIST.test(header)) return header.match(new RegExp(TAG, 'g'))!;
  throw new DomainError(
    'invalid_request',
    `${name} must be *, or ETags in their quotation marks, separated by commas.`,
  );
}

/** Whether a change may go ahead: a weak tag promises too little. */
export function matchesStrongly(tags: '*' | string[], current: string): boolean {
  return tags === '*' || tags.includes(current);
}

/** Whether the client has this version already. */
export function matchesWeakly(tags: '*' | string[], current: string): boolean {
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === current);
}
