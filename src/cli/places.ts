/** Where the command line finds what comes with it: in a checkout, or beside the bundle in dist/. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

function place(in_checkout: string, beside_bundle: string): string {
  const path = extname(import.meta.url) === '.ts' ? in_checkout : beside_bundle;
  return fileURLToPath(new URL(path, import.meta.url));
}

export const MANIFEST = place('../../package.json', '../package.json');

/** What `node` runs to start the server. */
export const SERVER = place('../server/start.ts', './server.js');

export const SAMPLE = place(
  '../../samples/sceaux/daily-registers.csv',
  '../samples/sceaux/daily-registers.csv',
);
