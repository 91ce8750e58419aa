import { type Command, InvalidArgumentError, Option } from 'commander';
import { withAccount } from './account.ts';
import { EXIT } from './failure.ts';
import { type AccountOptions, accountOptions, PASSWORD_HELP } from './options.ts';
import { findProperty } from './property.ts';
import { printResult } from './terminal.ts';
import { describeImport, openSource, upload } from './upload.ts';

/** As commander names them; those that are not set are left for the server to guess. */
interface ImportOptions extends AccountOptions {
  property: string;
  dryRun?: true;
  createMissing?: true;
  round?: true;
  format?: 'csv' | 'xlsx' | 'greenbutton' | 'ndjson';
  delimiter?: string;
  decimal?: ',' | '.';
  dateFormat?: string;
  timezone?: string;
  unit?: 'wh' | 'kwh' | 'mwh';
  readingType?: 'absolute' | 'relative';
  label?: 'start' | 'end';
  encoding?: string;
  meter?: string;
  column?: Record<string, string>;
  meterName?: Record<string, string>;
}

/** Collects `key=value`, given as often as is needed. */
function pairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must have the form this=that.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function toQuery(options: ImportOptions) {
  const { format, delimiter, decimal, timezone, unit, label, encoding, meter, column, meterName } = options;
  const said = {
    ...{ format, delimiter, decimal, timezone, unit, label, encoding, meter },
    dry_run: options.dryRun,
    create_missing: options.createMissing,
    round: options.round,
    date_format: options.dateFormat,
    reading_type: options.readingType,
    columns: column && JSON.stringify(column),
    meter_names: meterName && JSON.stringify(meterName),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const source = await openSource(file);
  await withAccount(options, async (client) => {
    const property = await findProperty(client, options.property);
    const report = await upload(client, property.id, source, toQuery(options), !options.json);
    printResult(options.json, report, () => describeImport(report, property.timezone));
    if (report.dry_run && !report.importable) process.exitCode = EXIT.refused;
  });
}

/** What may be said of a file that is guessed otherwise. */
function wishOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'what the file is').choices(['csv', 'xlsx', 'greenbutton', 'ndjson']),
    )
    .option('--delimiter <characters>', 'what stands between cells: , ; | or tab')
    .addOption(new Option('--decimal <character>', 'the decimal separator').choices([',', '.']))
    .option('--date-format <pattern>', 'how dates are written, for example dd.mm.yyyy')
    .option('--timezone <zone>', 'of times without an offset; else the zone of the property')
    .addOption(new Option('--unit <unit>', 'of the values').choices(['wh', 'kwh', 'mwh']))
    .addOption(
      new Option('--reading-type <type>', 'registers or intervals').choices(['absolute', 'relative']),
    )
    .addOption(
      new Option('--label <end>', 'which end of its interval a time names').choices(['start', 'end']),
    )
    .option('--encoding <name>', 'of the text, for example windows-1252')
    .option('--column <role=heading>', 'what a column holds, as timestamp=Zeit; may be repeated', pairs)
    .option('--round', 'round values with more than three decimals, keeping the sum')
    .option('--meter <name>', 'whose readings a file holds that names no meter')
    .option(
      '--meter-name <in file=meter>',
      "a name of the file and the meter's name or id; may be repeated",
      pairs,
    )
    .option('--create-missing', 'create submeters for names that the property does not know');
}

export function addImport(program: Command): void {
  const command = program
    .command('import')
    .description('Record the readings of a file: all of them, or none if anything is wrong.')
    .argument(
      '<file>',
      'CSV, XLSX, Green Button XML or NDJSON, told apart by its content; - is standard input',
    )
    .requiredOption('--property <id or name>', 'whose readings they are')
    .option('--dry-run', 'say what would happen, record nothing; leaves 3 if the file cannot be imported');
  accountOptions(wishOptions(command))
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

How the file is built is recognised; a dry run says how it was understood, and the options override it.
A reading that is there already, with the same value, is left as it is.

Examples:
  electric import registers.csv --property "House in Sceaux" --dry-run
  electric import utility.csv --property 1 --column value=Verbrauch --unit kwh --meter "Main meter"
  zcat registers.ndjson.gz | electric import - --property 1`,
    )
    .action(importFile);
}
