/** Reads JSON bodies strictly: what two readers could understand differently is refused. */
import type { FastifyInstance } from 'fastify';
import { DomainError } from '../errors.ts';

const MAX_DEPTH = 32;

/**
 * Finds what JSON.parse lets pass: a key that stands twice in one object, and nesting that nobody needs.
 * @param text valid JSON
 */
function findAmbiguity(text: string): string | null {
  /** The keys seen so far of each object we are inside of; null for an array. */
  const open: (Set<string> | null)[] = [];
  let expects_key = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null);
      expects_key = character === '{';
      if (open.length > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      expects_key = open.at(-1) !== null;
    } else if (character === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (!expects_key) continue;
      expects_key = false;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return `the key ${JSON.stringify(key)} stands twice in one object`;
      keys.add(key);
    }
  }
  return null;
}

export function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DomainError('invalid_json', 'The body is not valid UTF-8.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : (error as Error).message;
    throw new DomainError('invalid_json', `The body cannot be read as JSON: ${reason}.`);
  }
  const ambiguity = findAmbiguity(text);
  if (ambiguity) throw new DomainError('invalid_json', `The body cannot be read as JSON: ${ambiguity}.`);
  return value;
}

/** Content types are told apart here alone; what a route does not take never reaches a parser. */
export function jsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => parseJson(bytes),
  );
  // Imports read their body as it comes in; the contract says which types a route takes.
  app.addContentTypeParser(
    ['application/x-ndjson', 'text/csv'],
    async (_request: unknown, body: unknown) => body,
  );
}

/**
 * The media type of a Content-Type header, bare and in lower case; null if there is none or it is junk.
 * @param header as it was sent
 */
export function mediaType(header: string | undefined): string | null {
  const [essence = '', ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset && !/^charset="?utf-?8"?$/.test(charset)) return null;
  return /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/.test(essence) ? essence : null;
}
