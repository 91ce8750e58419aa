/** Passwords: argon2id, at most two at a time so that a small machine lives through many sign-ins at once. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { DomainError } from '../errors.ts';

const hashArgon2 = promisify(argon2);
/** The work itself: 19 MiB and some 25 ms of a processor, off the event loop. */
export const argon2id = (parameters: Argon2Parameters) => hashArgon2('argon2id', parameters);
/** OWASP's first choice for argon2id: 19 MiB, two passes. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
const AT_ONCE = 2;
const MAX_WAITING = 100;
const NEVER = new AbortController().signal;

/** PHC string format, as every other argon2 library writes it. */
function encode(nonce: Buffer, hash: Buffer): string {
  const { memory, passes, parallelism } = COST;
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(nonce)}$${text(hash)}`;
}

const ENCODED = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/;

/** Nobody reads it; it keeps the work from being done. */
const away = () => new DomainError('invalid_request', 'The client has gone away.');

/** @param derive does the work; a test counts with it */
export function passwords(derive = argon2id) {
  let running = 0;
  const waiting: (() => void)[] = [];

  /** @returns when it is one's turn; throws if the client goes away before, whose place is given up */
  function turn(gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        gone.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(away());
      };
      gone.addEventListener('abort', leave);
      waiting.push(begin);
    });
  }

  async function inTurn<T>(gone: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (gone.aborted) throw away();
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
      await turn(gone);
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

  const compute = (password: string, nonce: Buffer, cost: typeof COST, gone: AbortSignal) =>
    inTurn(gone, () => derive({ message: password.normalize('NFC'), nonce, ...cost }));

  /** Stands in for the hash of a user who does not exist, so that both answers take the same work. */
  const nobody = encode(randomBytes(16), randomBytes(32));

  return {
    /** @param gone aborted once nobody waits for the answer any more */
    async hash(password: string, gone: AbortSignal = NEVER): Promise<string> {
      const nonce = randomBytes(16);
      return encode(nonce, await compute(password, nonce, COST, gone));
    },

    /** @param encoded the stored hash; null for a user who does not exist: takes as long, and is false */
    async verify(password: string, encoded: string | null, gone: AbortSignal = NEVER): Promise<boolean> {
      const [, memory, passes, parallelism, nonce, expected] = ENCODED.exec(encoded ?? nobody) ?? [];
      if (!nonce || !expected) throw new Error('a stored password hash cannot be read');
      const wanted = Buffer.from(expected, 'base64');
      const cost = {
        memory: Number(memory),
        passes: Number(passes),
        parallelism: Number(parallelism),
        tagLength: wanted.length,
      };
      const actual = await compute(password, Buffer.from(nonce, 'base64'), cost, gone);
      return timingSafeEqual(actual, wanted) && encoded !== null;
    },
  };
}
