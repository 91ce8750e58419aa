/** A transaction that stays open beyond the write that began it, for what has to commit together with that write. */
import { sql } from 'kysely';
import type { Database } from './connect.ts';
import type { Tx } from './tables.ts';

type Job<T> = (tx: Tx) => Promise<T>;

export interface Held {
  /** What the work gets for its database: everything it writes goes into one transaction, which its reads see. */
  db: Database;
  /** Whether something was written. */
  hasWritten(): boolean;
  /** Ends the transaction with a last step; opens one for it if nothing was written. */
  commit(last: Job<void>): Promise<void>;
  /** Nothing was written. */
  rollback(): Promise<void>;
}

class RolledBack extends Error {}

/**
 * Holds the transaction that the work's first write begins. While it is open, the work may await nothing but the
 * database: it holds up everybody's writes.
 * @param begin runs first in the transaction; whatever it throws ends the transaction, and the write with it
 */
export function hold(database: Database, begin: Job<void>): Held {
  let open: { tx: Tx; end(last: Job<void>): void; ended: Promise<void> } | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  function first<T>(job: Job<T>): Promise<T> {
    const written = Promise.withResolvers<T>();
    const ending = Promise.withResolvers<Job<void>>();
    const ended = database.write(async (tx) => {
      await begin(tx);
      const value = await job(tx);
      open = { tx, end: ending.resolve, ended };
      written.resolve(value);
      await (await ending.promise)(tx);
    });
    ended.catch(written.reject);
    return written.promise;
  }

  /** Fails by itself, as a transaction of its own would. */
  async function further<T>(tx: Tx, job: Job<T>): Promise<T> {
    await sql`SAVEPOINT further`.execute(tx);
    try {
      return await job(tx);
    } catch (error) {
      await sql`ROLLBACK TO SAVEPOINT further`.execute(tx);
      throw error;
    } finally {
      await sql`RELEASE SAVEPOINT further`.execute(tx);
    }
  }

  const finish = async (last: Job<void>) => {
    if (!open) return;
    open.end(last);
    await open.ended;
  };

  return {
    db: {
      get read() {
        return open ? open.tx : database.read;
      },
      write<T>(job: Job<T>) {
        const done = queue.then(() => (open ? further(open.tx, job) : first(job)));
        queue = done.catch(() => {});
        return done;
      },
      close: () => database.close(),
    },
    hasWritten: () => open !== null,
    commit: (last) =>
      open
        ? finish(last)
        : database.write(async (tx) => {
            await begin(tx);
            await last(tx);
          }),
    rollback: () =>
      finish(() => Promise.reject(new RolledBack())).catch((error) => {
        if (!(error instanceof RolledBack)) throw error;
      }),
  };
}
