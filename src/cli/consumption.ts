import { type Command, Option } from 'commander';
import { BOUNDARIES, INTERVALS } from '../contract/consumption.ts';
import { withAccount } from './account.ts';
import { describeFigures, getFigures, type Question } from './figures.ts';
import { type AccountOptions, accountOptions, PASSWORD_HELP } from './options.ts';
import { findProperty } from './property.ts';
import { printResult } from './terminal.ts';

async function consumption(options: AccountOptions & Question & { property: string }): Promise<void> {
  const figures = await withAccount(options, async (client) =>
    getFigures(client, await findProperty(client, options.property), options),
  );
  printResult(options.json, figures, () => describeFigures(figures));
}

export function addConsumption(program: Command): void {
  const command = program
    .command('consumption')
    .description('Show who used how much, and what nobody metered.')
    .requiredOption('--property <id or name>', 'which property')
    .requiredOption(
      '--from <time>',
      "first instant: a date in the property's time zone, or a time with offset",
    )
    .requiredOption('--to <time>', 'last instant; a date is the midnight it begins with')
    .addOption(new Option('--interval <interval>', 'a row for each').choices(INTERVALS))
    .addOption(
      new Option('--boundary <rule>', 'where a period begins or ends between two readings: estimate, or not')
        .choices(BOUNDARIES)
        .default('interpolate'),
    );
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

Figures are kWh: ~ marks an estimate, ? what is unknown.

Examples:
  electric consumption --property "House in Sceaux" --from 2009-01-01 --to 2010-01-01 --interval month
  electric consumption --property 1 --from 2009-01-01T00:00:00+01:00 --to 2009-02-01 --boundary exact --json`,
    )
    .action(consumption);
}
