/** Counts what the server asks its database for, at the driver. */
import { DatabaseSync, StatementSync } from 'node:sqlite';
import pg from 'pg';
import type { Engine } from './engines.ts';

export interface Counted {
  statements: string[];
  /** Times something was sent while nothing else was under way; always 0 for the embedded engine. */
  round_trips: number;
}

type Method = (...args: unknown[]) => unknown;

/** Puts itself before a method. @returns what takes it away again */
function before(prototype: object, name: string, note: (self: object, args: unknown[]) => void): () => void {
  const methods = prototype as Record<string, Method>;
  const own = methods[name]!;
  methods[name] = function (this: object, ...args) {
    note(this, args);
    return own.apply(this, args);
  };
  return () => {
    methods[name] = own;
  };
}

/** Runs `job` and counts the statements of this process meanwhile. */
export async function counted(engine: Engine, job: () => Promise<unknown>): Promise<Counted> {
  const found: Counted = { statements: [], round_trips: 0 };
  const note = (text: unknown) => void found.statements.push(String(text));
  const text = (_: object, [first]: unknown[]) => note(first);
  const prepared = (self: object) => note((self as StatementSync).sourceSQL);
  const undo =
    engine === 'sqlite'
      ? [
          before(DatabaseSync.prototype, 'exec', text),
          before(StatementSync.prototype, 'run', prepared),
          before(StatementSync.prototype, 'all', prepared),
        ]
      : [onPostgres(found)];
  try {
    await job();
  } finally {
    for (const each of undo) each();
  }
  return found;
}

function onPostgres(found: Counted): () => void {
  let under_way = 0;
  const own = pg.Client.prototype.query as Method;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    found.statements.push(String(args[0]));
    // A connection that does not pipeline waits for each.
    if (under_way === 0 || !this.pipeline) found.round_trips += 1;
    under_way += 1;
    const done = () => {
      under_way -= 1;
    };
    const told = args.at(-1);
    // The pool's own queries, outside a transaction, are answered by a call.
    if (typeof told === 'function') {
      const tell = (...answer: unknown[]) => {
        done();
        told(...answer);
      };
      return own.apply(this, [...args.slice(0, -1), tell]);
    }
    const answered = own.apply(this, args) as Promise<unknown>;
    answered.then(done, done);
    return answered;
  } as never;
  return () => {
    pg.Client.prototype.query = own as never;
  };
}
