/** Passwords: argon2id, at most two at a time so that a small machine lives through many sign-ins at once. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { DomainError } from '../errors.ts';

const hashArgon2 = promisify(argon2);
/** OWASP's first choice for argon2id: 19 MiB, two passes. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
const AT_ONCE = 2;
const MAX_WAITING = 100;

function derive(password: string, nonce: Buffer, cost: typeof COST): Promise<Buffer> {
  return hashArgon2('argon2id', { message: password.normalize('NFC'), nonce, ...cost });
}

/** PHC string format, as every other argon2 library writes it. */
function encode(nonce: Buffer, hash: Buffer): string {
  const { memory, passes, parallelism } = COST;
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(nonce)}$${text(hash)}`;
}

const ENCODED = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/;

export function passwords() {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE) {
      if (waiting.length >= MAX_WAITING) {
        throw new DomainError(
          'unavailable',
          'Too many people are signing in right now. Try again in a few seconds.',
          {
            retry_after: 5,
          },
        );
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  async function hash(password: string): Promise<string> {
    const nonce = randomBytes(16);
    return encode(nonce, await inTurn(() => derive(password, nonce, COST)));
  }

  /** Stands in for the hash of a user who does not exist, so that both answers take the same work. */
  const nobody = encode(randomBytes(16), randomBytes(32));

  return {
    hash,
    /** @param encoded the stored hash; null for a user who does not exist: takes as long, and is false */
    async verify(password: string, encoded: string | null): Promise<boolean> {
      const [, memory, passes, parallelism, nonce, expected] = ENCODED.exec(encoded ?? nobody) ?? [];
      if (!nonce || !expected) throw new Error('a stored password hash cannot be read');
      const wanted = Buffer.from(expected, 'base64');
      const cost = {
        memory: Number(memory),
        passes: Number(passes),
        parallelism: Number(parallelism),
        tagLength: wanted.length,
      };
      const actual = await inTurn(() => derive(password, Buffer.from(nonce, 'base64'), cost));
      return timingSafeEqual(actual, wanted) && encoded !== null;
    },
  };
}
