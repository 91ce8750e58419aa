/** Passwords whose real work is watched. */
import { argon2id, passwords } from '../../src/server/auth/password.ts';

type Derive = typeof argon2id;

export interface Watched {
  passwords: ReturnType<typeof passwords>;
  /** How many passwords were to be verified; how many derivations have begun, how many run, the most at once. */
  seen: { asked: number; begun: number; running: number; most: number };
  /** No derivation that begins from now on ends, until what is returned is called. */
  hold(): () => void;
}

export function watchedPasswords(): Watched {
  const seen = { asked: 0, begun: 0, running: 0, most: 0 };
  let gate = Promise.resolve();
  const derive: Derive = async (parameters) => {
    const held = gate;
    seen.begun += 1;
    seen.running += 1;
    seen.most = Math.max(seen.most, seen.running);
    try {
      const key = await argon2id(parameters);
      await held;
      return key;
    } finally {
      seen.running -= 1;
    }
  };
  const real = passwords(derive);
  return {
    passwords: {
      ...real,
      verify(...parameters) {
        seen.asked += 1;
        return real.verify(...parameters);
      },
    },
    seen,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}
