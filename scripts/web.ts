/** Builds the web app into dist/web where that is missing or older than its source. Runs before start and the browser tests. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['src/web', 'src/client', 'src/contract', 'src/core', 'samples'];
const FILES = ['vite.config.ts', 'package-lock.json'];

function modified(path: string): number {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(): number {
  const inside = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return Math.max(...[...FILES, ...inside].map(modified));
}

export async function buildWeb(): Promise<void> {
  if (modified('dist/web/index.html') > newest()) return;
  await build({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' });
}

if (import.meta.main) await buildWeb();
