/** Runs the two verifiers that anybody can run on a file. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const STANDALONE = root('scripts/verify-ledger.mjs');
const MAIN = root('src/cli/main.ts');

export interface Verdict {
  code: number;
  /** What it printed, on standard output or standard error. */
  said: string;
}

async function run(args: string[]): Promise<Verdict> {
  const child = spawn(process.execPath, args, { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, said: stdout + stderr };
}

async function onFile(content: string | Uint8Array, args: (file: string) => string[]): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'electric-proof-'));
  try {
    const file = join(folder, 'proof');
    writeFileSync(file, content);
    return await run(args(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What scripts/verify-ledger.mjs says of a file, with --head if one is given. */
export function standalone(content: string | Uint8Array, head?: string): Promise<Verdict> {
  return onFile(content, (file) => [STANDALONE, file, ...(head ? ['--head', head] : [])]);
}

/** What `electric ledger verify FILE` says of a file. */
export function offline(content: string | Uint8Array): Promise<Verdict> {
  return onFile(content, (file) => [MAIN, 'ledger', 'verify', file]);
}
