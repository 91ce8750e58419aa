import type { Command } from 'commander';
import { connect } from '../server/db/connect.ts';
import { migrate, SCHEMA_VERSION } from '../server/db/migrate.ts';
import { type DatabaseOption, databaseOption, type JsonOption, jsonOption } from './options.ts';
import { printResult } from './terminal.ts';

async function run({ database, json }: DatabaseOption & JsonOption): Promise<void> {
  const db = await connect(database);
  try {
    const applied = await migrate(db, Date.now());
    const result = { applied, schema_version: SCHEMA_VERSION };
    printResult(json, result, () =>
      applied.length > 0
        ? `Applied ${applied.join(', ')}: the schema has version ${SCHEMA_VERSION}.`
        : `Nothing to do: the schema has version ${SCHEMA_VERSION} already.`,
    );
  } finally {
    await db.close();
  }
}

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description(
      "Bring the database to this version's schema. The server does so at every start; this is for doing it before.",
    );
  jsonOption(databaseOption(command))
    .addHelpText(
      'after',
      `
Example:
  electric migrate`,
    )
    .action(run);
}
