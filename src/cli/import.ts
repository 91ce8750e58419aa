import { type Command, Option } from 'commander';
import { withAccount } from './account.ts';
import { type AccountOptions, accountOptions, PASSWORD_HELP } from './options.ts';
import { findProperty } from './property.ts';
import { printResult } from './terminal.ts';
import { describeImport, FORMATS, type Format, openSource, upload } from './upload.ts';

interface ImportOptions extends AccountOptions {
  property: string;
  format?: Format;
  dryRun?: true;
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const source = await openSource(file, options.format);
  await withAccount(options, async (client) => {
    const property = await findProperty(client, options.property);
    const how = { dry_run: options.dryRun === true, show_progress: !options.json };
    const report = await upload(client, property.id, source, how);
    printResult(options.json, report, () => describeImport(report, property.timezone));
  });
}

export function addImport(program: Command): void {
  const command = program
    .command('import')
    .description('Record the readings of a file: all of them, or none if anything is wrong.')
    .argument('<file>', 'a file that ends in .csv, .ndjson or .jsonl; - is standard input')
    .requiredOption('--property <id or name>', 'whose readings they are')
    .addOption(new Option('--format <format>', 'what the file holds').choices(Object.keys(FORMATS)))
    .option('--dry-run', 'say what would happen, record nothing');
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

CSV: a column headed timestamp, then one column per meter headed by its name; the values are kWh.
NDJSON: an object per line, {"meter": "kitchen", "reading_timestamp": "2026-03-29T12:00:00Z", "value": "250.5"}
Timestamps carry their offset. A reading that is there already, with the same value, is left as it is.

Examples:
  electric import registers.csv --property "House in Sceaux" --dry-run
  zcat registers.ndjson.gz | electric import - --format ndjson --property 1`,
    )
    .action(importFile);
}
