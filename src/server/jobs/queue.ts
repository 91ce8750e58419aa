/**
 * The outbox: what must happen outside the database is written down in the transaction of the change, and done
 * afterwards, at least once, by whichever process takes it first. What a job holds is sealed: it may carry a link that
 * opens an account.
 */
import type { Logger } from 'pino';
import type { Database } from '../db/connect.ts';
import type { Tx } from '../db/tables.ts';
import type { Seal } from '../seal.ts';
import * as store from './store.ts';

/** What each kind of job holds. */
export interface Payloads {
  mail: { to: string; subject: string; text: string };
  /** Somebody says to have forgotten the password of this username or email address. */
  forgot_password: { login: string };
}
export type JobKind = keyof Payloads;

/** Does one kind of job. It is done when the promise resolves; `finish` ends it within a transaction of its own. */
export type Handlers = {
  [K in JobKind]: (payload: Payloads[K], finish: (tx: Tx) => Promise<void>) => Promise<void>;
};

/** A failure that no repetition will mend. */
export class Hopeless extends Error {}

/** Longer than any handler takes. */
const LEASE_MS = 120_000;
const AT_ONCE = 4;
/** Another process may have written a job down, so somebody looks even if nobody says so. */
const POLL_MS = 5000;
const MINUTE_MS = 60_000;
/** Between the tries: about two days in all. */
const DELAYS_MS = [5000, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, ...Array(10).fill(5 * 60 * MINUTE_MS)];

export class Jobs {
  readonly #deps: { db: Database; clock: () => number; log: Logger; seal: Seal };
  #handlers: Handlers | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: { db: Database; clock: () => number; log: Logger; seal: Seal }) {
    this.#deps = deps;
  }

  /** Writes a job down; call `wake` once the transaction is through. */
  async add<K extends JobKind>(tx: Tx, kind: K, payload: Payloads[K]): Promise<void> {
    const now_ms = this.#deps.clock();
    await store.insertJob(tx, {
      kind,
      payload: this.#deps.seal.seal(JSON.stringify(payload)),
      state: 'ready',
      run_at: now_ms,
      attempts: 0,
      error: null,
      created_at: now_ms,
    });
  }

  /** From now on jobs are done as they fall due. */
  start(handlers: Handlers): void {
    this.#handlers = handlers;
    this.wake();
  }

  /** Looks at once for jobs that are due. */
  wake(): void {
    if (!this.#handlers) return;
    clearTimeout(this.#timer);
    const handlers = this.#handlers;
    this.#running = this.#running
      .then(() => this.runDue(handlers))
      .catch((error) => this.#deps.log.warn({ err: error }, 'the jobs that are due cannot be read'))
      .then(() => this.#sleep());
  }

  /** Takes no more jobs, and waits for those that are being done. */
  async stop(): Promise<void> {
    this.#handlers = null;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #sleep(): void {
    if (!this.#handlers) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), POLL_MS);
    this.#timer.unref();
  }

  /** Does everything that is due now. */
  async runDue(handlers: Handlers): Promise<void> {
    const { db, clock } = this.#deps;
    for (;;) {
      const due = await store.nextDue(db.read);
      if (due === null || due > clock()) return;
      const jobs = await db.write((tx) => store.claimDue(tx, clock(), LEASE_MS, AT_ONCE));
      if (jobs.length === 0) return;
      await Promise.all(jobs.map((job) => this.#run(handlers, job)));
    }
  }

  async #run(handlers: Handlers, { id, kind, payload, attempts, created_at }: store.JobRow): Promise<void> {
    const { db, clock, log, seal } = this.#deps;
    const handle = handlers[kind as JobKind] as Handlers[JobKind];
    let finished = false;
    const finish = async (tx: Tx) => {
      await store.deleteJob(tx, id);
      finished = true;
    };
    try {
      await handle(JSON.parse(seal.open(payload)), finish);
      if (!finished) await db.write(finish);
    } catch (error) {
      const { message } = error as Error;
      const delay_ms = error instanceof Hopeless ? undefined : DELAYS_MS[attempts - 1];
      const age_s = Math.round((clock() - created_at) / 1000);
      if (delay_ms === undefined)
        log.error({ job_id: id, kind, attempts, age_s, error: message }, 'job given up');
      else log.warn({ job_id: id, kind, attempts, age_s, error: message }, 'job failed, will be tried again');
      await db.write((tx) =>
        delay_ms === undefined
          ? store.failJob(tx, id, message)
          : store.postponeJob(tx, id, clock() + delay_ms, message),
      );
    }
  }
}
