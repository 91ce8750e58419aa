import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { resetPassword } from '../server/auth/new-password.ts';
import { withDatabase } from './database.ts';
import { Failure } from './failure.ts';
import { type DatabaseOption, databaseOption, type JsonOption, jsonOption } from './options.ts';
import { printResult } from './terminal.ts';
import { askTwice } from './user-create.ts';

/** Not from ELECTRIC_PASSWORD, which may hold the keeper's own. */
async function newPassword(username: string): Promise<string> {
  if (process.stdin.isTTY) return askTwice(username);
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '' || /[\r\n]/.test(password)) {
    throw new Failure(
      'Give the new password as one line on standard input, or run this in a terminal.',
      'usage',
    );
  }
  return password;
}

async function run(username: string, { database, json }: DatabaseOption & JsonOption): Promise<void> {
  const password = await newPassword(username);
  const user = await withDatabase(database, (db) => resetPassword(db, username, password));
  printResult(
    json,
    user,
    () => `Set a new password for ${user.username} (id ${user.id}). All their sessions have ended.`,
  );
}

export function addResetPassword(user: Command): void {
  const command = user
    .command('reset-password')
    .description(
      'Set a new password for somebody who has lost theirs, directly in the database: for its keeper.',
    )
    .argument('<username>', 'username or email address');
  jsonOption(databaseOption(command))
    .addHelpText(
      'after',
      `
The new password is asked for twice without showing it, or read from standard input. All sessions of the account end.
A server must be stopped for it where the database is a file; it says so.

Examples:
  electric user reset-password astrid
  electric user reset-password astrid@example.com < new-password.txt`,
    )
    .action(run);
}
