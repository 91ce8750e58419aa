/**
 * Measures Electric against the physical limits of the machine it runs on, in the same run: `npm run bench`.
 * `--quick` runs everything small, to see that it works; names of benches after it run only those.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../tests/support/postgres.ts';
import { consumption } from './consumption.ts';
import { exports } from './export.ts';
import { bulkImport } from './import.ts';
import { ledgerCosts } from './ledger.ts';
import { lists } from './lists.ts';
import { singleReadings } from './single.ts';
import { coldStart } from './start.ts';
import type { Place } from './support/database.ts';
import { machineFacts } from './support/machine.ts';
import { stopAll } from './support/processes.ts';
import { publish, type Report } from './support/report.ts';

const BENCHES: Record<string, (place: Place) => Promise<Report>> = {
  start: coldStart,
  single: singleReadings,
  import: bulkImport,
  export: exports,
  lists,
  consumption,
  ledger: ledgerCosts,
};

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const quick = words.includes('--quick');
  const named = words.filter((word) => word !== '--quick');
  const unknown = named.find((name) => !(name in BENCHES));
  if (unknown) throw new Error(`${unknown} is none of ${Object.keys(BENCHES).join(', ')}`);

  const folder = mkdtempSync(join(tmpdir(), 'electric-bench-'));
  chmodSync(folder, 0o755);
  const postgres = await startPostgres();
  const cleanUp = async () => {
    await stopAll();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('SIGINT', () => cleanUp().finally(() => process.exit(130)));
  try {
    const facts = await machineFacts(postgres.url, quick);
    const place: Place = { folder, postgres_url: postgres.url, engines: ['sqlite', 'postgres'], quick };
    const results = quick ? null : fileURLToPath(new URL('./results', import.meta.url));
    for (const [name, bench] of Object.entries(BENCHES)) {
      if (named.length > 0 && !named.includes(name)) continue;
      publish(await bench(place), facts, results);
    }
  } finally {
    await cleanUp();
  }
}

await main();
