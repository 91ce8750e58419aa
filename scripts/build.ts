/** Builds dist/: the server and the command line, a file each, with everything they need to run, and the web app. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { buildWeb } from './web.ts';

/** What CommonJS packages expect to find in a module. */
const COMMONJS = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __fileURLToPath(new URL('.', import.meta.url));`;

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { server: 'src/server/start.ts', electric: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunk-[hash]',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: COMMONJS },
  external: ['pg-native'],
  legalComments: 'linked',
  logLevel: 'warning',
});

mkdirSync('dist/docs');
for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
  copyFileSync(`node_modules/swagger-ui-dist/${name}`, `dist/docs/${name}`);
}

await buildWeb();
