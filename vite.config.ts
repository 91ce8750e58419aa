/** Builds src/web into dist/web: what the server sends to browsers, compressed beforehand. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { preact } from '@preact/preset-vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';
import { callsOf } from './src/client/describe.ts';
import { contracts } from './src/contract/index.ts';

const OUTPUT = fileURLToPath(new URL('dist/web', import.meta.url));

/** The calls of the API without their schemas, which a browser has no use for. */
function calls(): Plugin {
  const NAME = 'virtual:calls';
  return {
    name: 'calls',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(callsOf(contracts))}` : null),
  };
}

/** Compresses once, as well as it goes, what the server would else compress at every request. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const names = readdirSync(OUTPUT, { recursive: true, encoding: 'utf8' });
      for (const name of names.filter((each) => /\.(js|css|html|svg|webmanifest|csv)$/.test(each))) {
        const file = join(OUTPUT, name);
        const bytes = readFileSync(file);
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('src/web', import.meta.url)),
  plugins: [calls(), preact(), tailwindcss(), compressed()],
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    reportCompressedSize: false,
    rolldownOptions: {
      // The router asks React for what Preact has not, and does without.
      onLog: (level, log, handle) => void (log.code === 'IMPORT_IS_UNDEFINED' || handle(level, log)),
    },
  },
  // For whoever works on the app: `npm run dev` beside a running server.
  server: { proxy: { '/api': 'http://127.0.0.1:8000' } },
});
