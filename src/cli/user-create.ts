import type { Command } from 'commander';
import { clientFor } from './account.ts';
import { Failure } from './failure.ts';
import { type AccountOptions, accountOptions, PASSWORD_HELP } from './options.ts';
import { withServer } from './server.ts';
import { askSecretly, printResult } from './terminal.ts';

/** Asks on the terminal for a password that is to be set. */
export async function askTwice(username: string): Promise<string> {
  const password = await askSecretly(`Password for ${username}, at least 15 characters`);
  if (password !== (await askSecretly('Once more'))) throw new Failure('The two passwords differ.');
  return password;
}

async function createUser(options: AccountOptions & { email: string }): Promise<void> {
  const { username, email, json } = options;
  const password = options.password ?? (await askTwice(username));
  const user = await withServer(options, (server) =>
    clientFor(server).register({ body: { username, email, password } }),
  );
  printResult(json, user, () => `Created user ${user.username} (id ${user.id}), ${user.email}.`);
}

export function addCreate(user: Command): void {
  const command = user
    .command('create')
    .description('Create a user account.')
    .requiredOption('--email <address>', 'email address; good for signing in too');
  accountOptions(command)
    .addHelpText(
      'after',
      `${PASSWORD_HELP}

Example:
  electric user create --username astrid --email astrid@example.com`,
    )
    .action(createUser);
}
