/** The ledger itself: check its chain, take a proof file away, make the projection again. */
import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Verification } from '../contract/ledger.ts';
import type { Sha256 } from '../core/chain.ts';
import { ChainCheck, checkLine } from '../core/chain-check.ts';
import { type Recomputed, recompute } from '../server/projection/recompute.ts';
import { withAccount } from './account.ts';
import { withDatabase } from './database.ts';
import { checkOutput, save } from './download.ts';
import { EXIT, Failure } from './failure.ts';
import {
  type AccountOptions,
  accountOptions,
  type DatabaseOption,
  databaseOption,
  type JsonOption,
  jsonOption,
  PASSWORD_HELP,
  passwordOption,
  serverOptions,
} from './options.ts';
import { findProperty } from './property.ts';
import { printResult } from './terminal.ts';

const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');

/** The lines of a file. Not readline: it also ends a line where a note has a line separator. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') throw new Failure('The file ends within a line: it is not whole.');
}

/** Checks a proof file: the same as the server does with its own ledger. */
async function verifyFile(file: string): Promise<Omit<Verification, 'property_id'>> {
  const check = new ChainCheck(sha256);
  try {
    for await (const line of linesOf(createReadStream(file))) {
      checkLine(check, line);
      if (check.fault) break;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    throw new Failure('The file is not UTF-8: it was damaged, or is no proof file.');
  }
  check.end();
  const { fault, head, entries } = check;
  return { verified: fault === null, batches: head?.sequence ?? 0, entries, head, fault };
}

function describeVerification({ batches, entries, head, fault }: Omit<Verification, 'property_id'>): string {
  const checked = `${batches} batches, ${entries} entries checked`;
  if (fault) return `FAULT: ${fault.detail}\n${checked} before it.`;
  return head
    ? `The chain holds: ${checked}.\nHead: ${head.hash} (batch ${head.sequence})`
    : 'The ledger is empty.';
}

async function verify(
  file: string | undefined,
  options: AccountOptions & { property?: string },
): Promise<void> {
  const { property, username } = options;
  if ((file === undefined) === (property === undefined)) {
    throw new Failure('Name either a proof file, or with --property a ledger of the server.', 'usage');
  }
  if (file === undefined && username === undefined) {
    throw new Failure("required option '--username <name>' not specified", 'usage');
  }
  const found =
    file === undefined
      ? await withAccount(options, async (client) =>
          client.verifyLedger({ property_id: (await findProperty(client, property!)).id }),
        )
      : await verifyFile(file);
  printResult(options.json, found, () => describeVerification(found));
  if (!found.verified) process.exitCode = EXIT.failed;
}

async function exportLedger(options: AccountOptions & { property: string; output?: string }): Promise<void> {
  checkOutput(options);
  await withAccount(options, async (client) => {
    const { id, display_name } = await findProperty(client, options.property);
    const bytes = (await client.exportLedger({ property_id: id })) as ReadableStream<Uint8Array>;
    await save(bytes, options, id, `the ledger of ${display_name}`);
  });
}

function describeRecomputed({ meters, readings, difference }: Recomputed, check: boolean): string {
  if (difference) return `DIFFERENCE: ${difference.detail}.\nWithout --check the projection is made again.`;
  const what = check ? 'is what the ledger says' : 'was made again from the ledger';
  return `The projection ${what}: ${meters} meters, ${readings} readings.`;
}

async function recomputeAll({
  database,
  json,
  check = false,
}: DatabaseOption & JsonOption & { check?: boolean }): Promise<void> {
  const found = await withDatabase(database, (db) =>
    db.write((tx) => recompute(tx, check ? 'check' : 'rewrite')),
  );
  printResult(json, found, () => describeRecomputed(found, check));
  if (found.difference) process.exitCode = EXIT.failed;
}

function addVerify(ledger: Command): void {
  const command = ledger
    .command('verify')
    .description('Check the chain of a ledger: of a proof file offline, or of a property on the server.')
    .argument('[file]', 'a proof file, as export writes it')
    .option('--property <id or name>', 'whose ledger to check on the server')
    .addOption(new Option('--username <name>', 'who you are, with --property').env('ELECTRIC_USERNAME'));
  passwordOption(serverOptions(jsonOption(command)))
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

A chain shows that nothing in it was changed. Compare its head with one that you hold (on a statement, in an older
export) to see that it is the same chain. scripts/verify-ledger.mjs checks the same without Electric.

Examples:
  electric ledger verify ledger-1.ndjson
  electric ledger verify --property "House in Sceaux"`,
    )
    .action(verify);
}

function addExport(ledger: Command): void {
  const command = ledger
    .command('export')
    .description('Take the whole ledger away as a proof file, which anybody can check.')
    .requiredOption('--property <id or name>', 'whose ledger')
    .option('--output <file>', 'where to write it; without it to standard output');
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

Example:
  electric ledger export --property "House in Sceaux" --output ledger.ndjson`,
    )
    .action(exportLedger);
}

function addRecompute(ledger: Command): void {
  const command = ledger
    .command('recompute')
    .description(
      'Make the energy of every reading again from the ledger, directly in the database: for its keeper.',
    )
    .option('--check', 'change nothing: say where it differs, and leave 1 if it does');
  jsonOption(databaseOption(command))
    .addHelpText(
      'after',
      `
Examples:
  electric ledger recompute --check
  electric ledger recompute`,
    )
    .action(recomputeAll);
}

export function addLedger(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('Look after the ledger: verify it, export it, recompute.');
  for (const add of [addVerify, addExport, addRecompute]) add(ledger);
}
