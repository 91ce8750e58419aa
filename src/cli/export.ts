import { type Command, Option } from 'commander';
import { EXPORT_FORMATS, EXPORT_LOCALES, type ExportFormat, type ExportLocale } from '../contract/exports.ts';
import { withAccount } from './account.ts';
import { checkOutput, save } from './download.ts';
import { type AccountOptions, accountOptions, PASSWORD_HELP } from './options.ts';
import { findProperty } from './property.ts';

interface ExportOptions extends AccountOptions {
  property: string;
  format: ExportFormat;
  locale: ExportLocale;
  sheets: 'one' | 'per_meter';
  from?: string;
  to?: string;
  output?: string;
}

async function exportReadings(options: ExportOptions): Promise<void> {
  checkOutput(options);
  const { format, locale, sheets, from, to } = options;
  await withAccount(options, async (client) => {
    const { id, display_name } = await findProperty(client, options.property);
    const period = { ...(from && { start_date: from }), ...(to && { end_date: to }) };
    const query = { property_id: id, format, locale, sheets, ...period };
    const bytes = (await client.exportReadings(query)) as ReadableStream<Uint8Array>;
    await save(bytes, options, id, `the readings of ${display_name}`);
  });
}

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('Write the readings of a property to a file.')
    .requiredOption('--property <id or name>', 'which property')
    .addOption(new Option('--format <format>', 'what to write').choices(EXPORT_FORMATS).default('csv'))
    .addOption(
      new Option('--locale <locale>', 'of a CSV: de and sv write decimal commas and semicolons')
        .choices(EXPORT_LOCALES)
        .default('en'),
    )
    .addOption(new Option('--sheets <sheets>', 'of an XLSX').choices(['one', 'per_meter']).default('one'))
    .option('--from <time>', "first instant: a date in the property's time zone, or a time with offset")
    .option('--to <time>', 'where it ends: a date is the midnight it begins with')
    .option('--output <file>', 'where to; without it to the output');
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

Examples:
  electric export --property "House in Sceaux" --output readings.csv
  electric export --property 1 --format xlsx --from 2009-01-01 --to 2010-01-01 --output 2009.xlsx`,
    )
    .action(exportReadings);
}
