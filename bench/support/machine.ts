/** On what a bench ran: numbers mean nothing without it. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

export type Facts = Record<string, string | number>;

export async function machineFacts(postgres_url: string | null, quick: boolean): Promise<Facts> {
  const memory = new DatabaseSync(':memory:');
  const sqlite = memory.prepare('SELECT sqlite_version() AS version').get()?.version;
  memory.close();
  let postgres = 'not measured';
  if (postgres_url) {
    const client = new pg.Client({ connectionString: postgres_url });
    await client.connect();
    const { rows } = await client.query('SHOW server_version');
    postgres = rows[0].server_version;
    await client.end();
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    CPU: cpus()[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    Node: process.versions.node,
    SQLite: String(sqlite),
    PostgreSQL: postgres,
    ...(quick ? { size: 'quick: a check that it runs, no measurement' } : {}),
  };
}
