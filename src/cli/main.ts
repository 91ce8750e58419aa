/** The command line: puts the commands together, runs one, and leaves with its exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addArchive, addRestore } from './archive.ts';
import { addConsumption } from './consumption.ts';
import { addDemo } from './demo.ts';
import { addExport } from './export.ts';
import { EXIT, EXIT_CODES, reportFailure } from './failure.ts';
import { addImport } from './import.ts';
import { addLedger } from './ledger.ts';
import { addMigrate } from './migrate.ts';
import { MANIFEST } from './places.ts';
import { addServe } from './serve.ts';
import { addUser } from './user.ts';

const program = new Command('electric')
  .description("Electric keeps the ledger of a property's electricity meters.")
  .version(JSON.parse(readFileSync(MANIFEST, 'utf8')).version)
  .exitOverride()
  .configureOutput({ outputError: () => {} })
  .addHelpText(
    'after',
    `
Examples:
  electric demo                       load a sample house and look at it
  electric serve                      start the server at http://127.0.0.1:8000
  electric import readings.csv --property "House in Sceaux"
  electric consumption --property "House in Sceaux" --from 2009-01-01 --to 2010-01-01 --interval month
  electric help import                what a command takes
${EXIT_CODES}`,
  );

for (const add of [
  addServe,
  addMigrate,
  addUser,
  addImport,
  addExport,
  addArchive,
  addRestore,
  addConsumption,
  addDemo,
  addLedger,
])
  add(program);

// Whoever reads the output may stop early, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  const json = process.argv.includes('--json');
  if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error as Error, json);
  else if (error.exitCode !== 0) {
    // Where the command is missing, the help has been shown already.
    process.exitCode = error.code === 'commander.help' ? EXIT.usage : reportFailure(error, json);
  }
}
