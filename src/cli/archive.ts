/** Everything of a property as one file, and back into an empty property. */
import type { Command } from 'commander';
import type { Restored } from '../contract/archive.ts';
import { withAccount } from './account.ts';
import { checkOutput, save } from './download.ts';
import { type AccountOptions, accountOptions, PASSWORD_HELP } from './options.ts';
import { findProperty } from './property.ts';
import { printResult } from './terminal.ts';
import { openSource } from './upload.ts';

async function archive(options: AccountOptions & { property: string; output?: string }): Promise<void> {
  checkOutput(options);
  await withAccount(options, async (client) => {
    const { id, display_name } = await findProperty(client, options.property);
    const bytes = (await client.archiveProperty({ property_id: id })) as ReadableStream<Uint8Array>;
    await save(bytes, options, id, `the archive of ${display_name}`);
  });
}

function describeRestored({ meters, entries, readings, archived_head }: Restored): string {
  const restored = `Restored ${meters} meters and ${readings} readings in force, of ${entries} entries.`;
  return archived_head
    ? `${restored}\nThe archived ledger holds; its head: ${archived_head.hash} (batch ${archived_head.sequence})`
    : restored;
}

async function restore(file: string, options: AccountOptions & { property: string }): Promise<void> {
  const { bytes } = await openSource(file);
  await withAccount(options, async (client) => {
    const { id: property_id } = await findProperty(client, options.property);
    const upload = ReadableStream.from(bytes) as ReadableStream<Uint8Array>;
    const restored = await client.restoreArchive({ property_id, content_type: 'application/zip', upload });
    printResult(options.json, restored, () => describeRestored(restored));
  });
}

export function addArchive(program: Command): void {
  const command = program
    .command('archive')
    .description('Take everything of a property away as one ZIP archive: settings, meters, ledger, readings.')
    .requiredOption('--property <id or name>', 'which property')
    .option('--output <file>', 'where to; without it to the output');
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

Example:
  electric archive --property "House in Sceaux" --output sceaux.zip`,
    )
    .action(archive);
}

export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('Restore an archive into an empty property, of this server or of another one.')
    .argument('<file>', 'what `electric archive` wrote; - is standard input')
    .requiredOption('--property <id or name>', 'a property with nothing but its main meter');
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

The ledger of the archive is verified first. All of it comes in, or nothing.

Example:
  electric restore sceaux.zip --property "House in Sceaux, again"`,
    )
    .action(restore);
}
