/** Opens a database. Together with dialect.ts the only file that knows which engine it is. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  DefaultQueryExecutor,
  Kysely,
  PostgresDialect,
  type QueryResult,
  SqliteDialect,
} from 'kysely';
import pg from 'pg';
import { Rows } from './dialect.ts';
import type { Db, Tables, Tx } from './tables.ts';

export interface Database {
  /** Committed state, outside any transaction. */
  read: Db;
  /**
   * Runs `job` in one transaction: all of it is durable when the promise resolves, nothing of it if it rejects.
   * Await nothing but the database inside, and leave nothing running: see together.
   */
  write<T>(job: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Why the database cannot be used, in a sentence for whoever starts the server. */
export class DatabaseUnusable extends Error {}

const FILE_SCHEME = 'sqlite:';
export const DATABASE_URL_FORMS = '`sqlite:<path>` or `postgres://user:password@host/database`';
export const DEFAULT_DATABASE_TEXT =
  '`sqlite:/data/electric.db` if the folder `/data` exists, else `sqlite:./data/electric.db`';

/** Where the ledger is kept if nothing else is said: on the volume of a container, else beside the program. */
export function defaultDatabaseUrl(): string {
  const volume = statSync('/data', { throwIfNoEntry: false })?.isDirectory();
  return volume ? 'sqlite:/data/electric.db' : 'sqlite:./data/electric.db';
}

export function isDatabaseUrl(url: string): boolean {
  return /^(sqlite:.+|postgres(ql)?:\/\/.+)$/.test(url);
}

/** The file of an embedded database; null for a server. */
export function databaseFile(url: string): string | null {
  return url.startsWith(FILE_SCHEME) ? url.slice(FILE_SCHEME.length) : null;
}

/** @param url in one of the DATABASE_URL_FORMS */
export async function connect(url: string): Promise<Database> {
  const file = databaseFile(url);
  return file === null ? connectPostgres(url) : connectSqlite(file);
}

const OLDEST_SQLITE = [3, 51, 3] as const;
const LOCK_WAIT_MS = 5000;
const CACHED_STATEMENTS = 500;

function isOlder(version: string, oldest: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  const differing = oldest.findIndex((part, i) => parts[i] !== part);
  return differing >= 0 && parts[differing]! < oldest[differing]!;
}

/** Opens one connection with durable settings and refuses if one did not take. */
function openSqlite(path: string, readOnly: boolean): DatabaseSync {
  const connection = new DatabaseSync(path, { readOnly, timeout: LOCK_WAIT_MS });
  const wanted = {
    foreign_keys: 1,
    synchronous: 2,
    busy_timeout: LOCK_WAIT_MS,
    journal_mode: 'wal',
    // REPLACE deletes rows: without this it would pass by the triggers that keep the ledger.
    recursive_triggers: 1,
  };
  for (const [pragma, value] of Object.entries(wanted)) {
    if (!(readOnly && pragma === 'journal_mode')) connection.exec(`PRAGMA ${pragma} = ${value}`);
    const took = Object.values(connection.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
    if (took !== value) {
      throw new DatabaseUnusable(
        `${path}: ${pragma} is ${took}, but must be ${value} for writes to be durable.`,
      );
    }
  }
  connection.exec('PRAGMA cache_size = -16000');
  return connection;
}

/** node:sqlite binds a missing value as NULL and a Date as NULL; nothing of the kind gets past here. */
function checkCells(cells: readonly unknown[]): void {
  for (const cell of cells) {
    const fine =
      typeof cell === 'number'
        ? Number.isFinite(cell)
        : typeof cell === 'string' || cell === null || cell instanceof Uint8Array;
    if (!fine) throw new TypeError(`cannot store a value of type ${typeof cell}: ${String(cell)}`);
  }
}

/** The connection as Kysely's dialect expects one, with its prepared statements kept. */
function withStatements(connection: DatabaseSync) {
  const cache = new Map<string, { reader: boolean; statement: StatementSync }>();
  function prepared(text: string) {
    let found = cache.get(text);
    if (!found) {
      const statement = connection.prepare(text);
      found = { statement, reader: statement.columns().length > 0 };
      if (cache.size >= CACHED_STATEMENTS) cache.delete(cache.keys().next().value!);
    } else {
      cache.delete(text);
    }
    cache.set(text, found);
    return found;
  }
  return {
    close: () => connection.close(),
    prepare(text: string) {
      const { statement, reader } = prepared(text);
      return {
        reader,
        all(cells: readonly unknown[]) {
          checkCells(cells);
          return statement.all(...(cells as never[]));
        },
        run(cells: readonly unknown[]) {
          const [many] = cells;
          if (!(many instanceof Rows)) {
            checkCells(cells);
            return statement.run(...(cells as never[]));
          }
          for (const row of many.rows) {
            checkCells(row);
            statement.run(...row);
          }
          return { changes: many.rows.length, lastInsertRowid: 0 };
        },
        iterate(): never {
          throw new Error('streaming a query is not used');
        },
      };
    },
  };
}

type Statements = ReturnType<typeof withStatements>;

/** Runs queries at once: an embedded engine has no pool to wait for, and Kysely's way there takes ten ticks a query. */
class DirectExecutor extends DefaultQueryExecutor {
  readonly #statements: Statements;
  constructor(dialect: SqliteDialect, statements: Statements) {
    super(dialect.createQueryCompiler(), dialect.createAdapter(), {
      provideConnection: () => Promise.reject(new Error('queries go straight to the connection')),
    });
    this.#statements = statements;
  }
  override async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#statements.prepare(sql);
    if (statement.reader) return { rows: statement.all(parameters) as R[] };
    const { changes } = statement.run(parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }
}

function overSqlite(connection: DatabaseSync): Kysely<Tables> {
  const statements = withStatements(connection);
  const dialect = new SqliteDialect({ database: statements });
  const executor = new DirectExecutor(dialect, statements);
  return new Kysely<Tables>({ config: { dialect }, dialect, driver: dialect.createDriver(), executor });
}

/** Keeps every other process from writing to this file for as long as this one lives: two writers starve each other. */
function lockForThisProcess(path: string, timeout = LOCK_WAIT_MS): DatabaseSync {
  const lock = new DatabaseSync(`${path}-lock`, { timeout });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch {
    lock.close();
    throw new DatabaseUnusable(
      `Another Electric process is using ${path}. Stop it first, or talk to it over HTTP: one process writes a file.`,
    );
  }
}

/** Whether another process has this embedded database open. */
export function isInUse(path: string): boolean {
  if (!existsSync(`${path}-lock`)) return false;
  try {
    lockForThisProcess(path, 0).close();
    return false;
  } catch {
    return true;
  }
}

interface Job {
  run(tx: Tx): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Group commit: jobs that arrive while others run share the next transaction and its one flush to disk. Each has a
 * savepoint of its own; it is answered after COMMIT.
 */
function groupCommit(connection: DatabaseSync, tx: Tx): <T>(run: (tx: Tx) => Promise<T>) => Promise<T> {
  let queue: Job[] = [];
  let flushing = false;

  async function runGroup(jobs: Job[]): Promise<void> {
    const answers: (() => void)[] = [];
    connection.exec('BEGIN IMMEDIATE');
    try {
      for (const job of jobs) {
        connection.exec('SAVEPOINT job');
        try {
          const value = await job.run(tx);
          answers.push(() => job.resolve(value));
        } catch (error) {
          // Out of space, for one, has ended the whole transaction already: then nobody's write is safe.
          if (!connection.isTransaction) throw error;
          connection.exec('ROLLBACK TO job');
          answers.push(() => job.reject(error));
        }
        connection.exec('RELEASE job');
      }
      connection.exec('COMMIT');
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK');
      throw error;
    }
    for (const answer of answers) answer();
  }

  async function flush(): Promise<void> {
    while (queue.length > 0) {
      const jobs = queue;
      queue = [];
      try {
        await runGroup(jobs);
      } catch (error) {
        for (const job of jobs) job.reject(error);
      }
      // Let the sockets be read: what has come in meanwhile forms the next group.
      await new Promise((resolve) => setImmediate(resolve));
    }
    flushing = false;
  }

  return <T>(run: (tx: Tx) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      queue.push({ run, resolve: resolve as (value: unknown) => void, reject });
      if (!flushing) {
        flushing = true;
        setImmediate(flush);
      }
    });
}

async function connectSqlite(path: string): Promise<Database> {
  mkdirSync(dirname(path), { recursive: true });
  const lock = lockForThisProcess(path);
  const writer = openSqlite(path, false);
  const version = String(writer.prepare('SELECT sqlite_version() AS version').get()?.version);
  if (isOlder(version, OLDEST_SQLITE)) {
    throw new DatabaseUnusable(
      `SQLite ${version} is older than ${OLDEST_SQLITE.join('.')} and can corrupt a database: use the Node.js that comes with the install.`,
    );
  }
  const reader = openSqlite(path, true);
  const writing = overSqlite(writer);
  const read = overSqlite(reader);
  return {
    read,
    write: groupCommit(writer, writing as Tx),
    async close() {
      // The writer last: it checkpoints, and leaves one file.
      reader.close();
      writer.close();
      lock.close();
    },
  };
}

pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond exact integers`);
  return value;
});

/** The connection to the server broke, or could not be made: whether what was under way took place, nobody knows. */
class ConnectionLost extends Error {
  /** SQLSTATE connection_failure, whatever word the socket had for it. */
  readonly code = '08006';
}

/** @throws ConnectionLost for every error that is not the server's own word */
async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof pg.DatabaseError || error instanceof TypeError || error instanceof RangeError)
      throw error;
    throw new ConnectionLost((error as Error).message, { cause: error });
  }
}

/** Sends queries at once, without waiting for those before: on one connection they share a round trip (together). */
class PipeliningExecutor extends DefaultQueryExecutor {
  readonly #on: pg.Pool | pg.PoolClient;
  constructor(dialect: PostgresDialect, on: pg.Pool | pg.PoolClient) {
    super(dialect.createQueryCompiler(), dialect.createAdapter(), {
      provideConnection: () => Promise.reject(new Error('queries go straight to the connection')),
    });
    this.#on = on;
  }
  override async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount } = await reached(this.#on.query(sql, parameters as unknown[]));
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
  }
}

function overPostgres(on: pg.Pool | pg.PoolClient, dialect: PostgresDialect): Kysely<Tables> {
  const executor = new PipeliningExecutor(dialect, on);
  return new Kysely<Tables>({ config: { dialect }, dialect, driver: dialect.createDriver(), executor });
}

/** Runs `job` in a transaction on a connection of its own. BEGIN goes out with the first statement. */
async function inTransaction<T>(
  pool: pg.Pool,
  dialect: PostgresDialect,
  job: (tx: Tx) => Promise<T>,
): Promise<T> {
  const client = await reached(pool.connect());
  try {
    const begun = reached(client.query('BEGIN'));
    begun.catch(() => {});
    const answer = await job(overPostgres(client, dialect) as Tx);
    await begun;
    const { command } = await reached(client.query('COMMIT'));
    if (command !== 'COMMIT') throw new Error('the transaction had failed before it was to be committed');
    client.release();
    return answer;
  } catch (error) {
    const broken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw error;
  }
}

async function connectPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({ connectionString: url, max: 10, application_name: 'electric', pipeline: true });
  // A connection that breaks must not end the process: what was under way on it fails, and the next query gets a new one.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  try {
    for (const setting of ['fsync', 'synchronous_commit']) {
      const { rows } = await pool.query(`SHOW ${setting}`);
      if (rows[0][setting] === 'off') {
        throw new DatabaseUnusable(
          `PostgreSQL has ${setting} = off: an answered write would not survive power loss.`,
        );
      }
    }
  } catch (error) {
    await pool.end();
    throw error;
  }
  const dialect = new PostgresDialect({ pool });
  return {
    read: overPostgres(pool, dialect),
    write: (job) => inTransaction(pool, dialect, job),
    close: () => pool.end(),
  };
}
