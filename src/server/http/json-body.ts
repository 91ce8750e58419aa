/** Reads JSON bodies strictly: what two readers could understand differently is refused. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { contracts } from '../../contract/index.ts';
import type { Contract } from '../../contract/schema.ts';
import { DomainError } from '../errors.ts';

const MAX_DEPTH = 32;

/** More digits than a double holds for certain: such a number would be rounded before anybody could refuse it. */
const MAX_FRACTION_DIGITS = 15;
const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;

/** What JSON.parse would round in a number, null if nothing. */
function findRounding(literal: string): string | null {
  const digits = literal.replace(/[eE].*|\D/g, '').replace(/^0+/, '').length;
  return /[.eE]/.test(literal) && digits > MAX_FRACTION_DIGITS
    ? `${literal} has more digits than a JSON number holds exactly: send a string`
    : null;
}

/**
 * Finds what JSON.parse lets pass: a key that stands twice in one object, a number that it would round, and nesting that
 * nobody needs.
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
    } else if (character === '-' || (character! >= '0' && character! <= '9')) {
      NUMBER.lastIndex = i;
      const [literal] = NUMBER.exec(text)!;
      const rounding = findRounding(literal);
      if (rounding) return rounding;
      i += literal.length - 1;
    }
  }
  return null;
}

/** @throws Error that says why nobody, or not everybody, can read `text` as JSON */
export function parseStrictly(text: string): unknown {
  if (text.trim() === '') throw new Error('it is empty');
  const value: unknown = JSON.parse(text);
  const ambiguity = findAmbiguity(text);
  if (ambiguity) throw new Error(ambiguity);
  return value;
}

export function parseJson(bytes: Buffer): unknown {
  const text = decode(bytes);
  try {
    return parseStrictly(text);
  } catch (error) {
    throw new DomainError('invalid_json', `The body cannot be read as JSON: ${(error as Error).message}.`);
  }
}

/** A bare value, also as it comes from clients that name the type of bytes where nobody told them another. */
export const TEXT_TYPES = ['text/plain', 'application/octet-stream'];
const MAX_TEXT_BYTES = 1000;

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DomainError('invalid_json', 'The body is not valid UTF-8.');
  }
}

async function bareValue(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > MAX_TEXT_BYTES)
      throw new DomainError('body_too_large', `A bare value has at most ${MAX_TEXT_BYTES} bytes.`);
    pieces.push(piece);
  }
  return decode(Buffer.concat(pieces)).trim();
}

/** Content types are told apart here alone; what a route does not take never reaches a parser. */
export function jsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    // Many clients name the type of every request, also of one without a body, where a call takes none.
    async ({ routeOptions }: FastifyRequest, bytes: Buffer) =>
      bytes.length === 0 && !routeOptions.schema?.body ? undefined : parseJson(bytes),
  );
  // Imports read their body as it comes in; the contract says which types a route takes.
  const streamed = Object.values(contracts).flatMap(({ streams }: Contract) => streams ?? []);
  app.addContentTypeParser(
    [...new Set([...TEXT_TYPES, ...streamed])],
    async ({ routeOptions }: FastifyRequest, body: AsyncIterable<Buffer>) =>
      routeOptions.schema?.body ? { value: await bareValue(body) } : body,
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
