/** Runs the command line as a user does: as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Engine, freshUrl } from '../support/engines.ts';
import { PASSWORD } from '../support/server.ts';

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
export const MAIN = root('src/cli/main.ts');
export const BIN = root('bin/electric.js');
export const SAMPLE = root('samples/sceaux/daily-registers.csv');

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Standard output as the one JSON document that it must be. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  json(): any;
}

/** Nothing of the environment of the tests reaches the command, but what is given. */
export function start(args: string[], env: Record<string, string> = {}, program = MAIN): ChildProcess {
  return spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

export async function run(
  args: string[],
  env: Record<string, string> = {},
  input: string | Uint8Array = '',
  program = MAIN,
): Promise<Outcome> {
  const child = start(args, env, program);
  // A command that does not read its input ends before it is written.
  child.stdin!.on('error', () => {});
  child.stdin!.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr, json: () => JSON.parse(stdout) };
}

export interface Ledger {
  /** What a command needs to use the ledger as its user. */
  env: { DATABASE_URL: string; ELECTRIC_USERNAME: string; ELECTRIC_PASSWORD: string };
  drop(): Promise<void>;
}

/** An empty database with the environment of a user who is not registered yet. */
export async function freshLedger(engine: Engine): Promise<Ledger> {
  const { url, drop } = await freshUrl(engine);
  return {
    env: {
      DATABASE_URL: url,
      ELECTRIC_USERNAME: 'astrid',
      ELECTRIC_PASSWORD: PASSWORD,
      ...(engine === 'postgres' ? { SECRET_KEY: 'a secret for tests that is long enough' } : {}),
    },
    drop,
  };
}

/** Waits for the line that a server prints once it listens. @returns its address */
export async function address(server: ChildProcess): Promise<string> {
  let output = '';
  for await (const chunk of server.stdout!.iterator({ destroyOnReturn: false })) {
    output += chunk;
    const origin = /listens on (\S+) /.exec(output)?.[1];
    if (origin) return origin;
  }
  throw new Error(`The server ended before it listened: ${output}`);
}
