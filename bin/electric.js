#!/usr/bin/env node
// Runs on any Node.js: hands over to the one that comes with the install where its own is too old for Electric.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 15)) {
  await import(existsSync(at('../src/cli/main.ts')) ? '../src/cli/main.ts' : '../dist/electric.js');
} else if (existsSync(at('../node_modules/.bin/node'))) {
  const child = spawn(at('../node_modules/.bin/node'), process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code === null ? 1 : code));
} else {
  process.stderr.write(
    `Electric needs Node.js 24.15 or newer, this is ${process.version}: run npm ci, or install it from nodejs.org.\n`,
  );
  process.exitCode = 1;
}
