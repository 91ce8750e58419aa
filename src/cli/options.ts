/** Options that several commands share. Commander reads their environment variables and shows them in --help. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DATABASE_URL_FORMS, defaultDatabaseUrl, isDatabaseUrl } from '../server/db/connect.ts';

export interface JsonOption {
  json?: true;
}

export interface DatabaseOption {
  database: string;
  /** Settings for a server that this command starts, beyond the environment, which it inherits. */
  settings: string[];
}

export interface ServerOptions extends DatabaseOption {
  server?: string;
}

export interface AccountOptions extends ServerOptions, JsonOption {
  username: string;
  password?: string;
}

function parseServer(text: string): string | undefined {
  if (text === '') return undefined;
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? '')) {
    throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:8000.');
  }
  return text;
}

const DATABASE_FORMS = DATABASE_URL_FORMS.replaceAll('`', '');

function parseDatabase(text: string): string {
  if (text === '') return defaultDatabaseUrl();
  if (!isDatabaseUrl(text)) throw new InvalidArgumentError(`It must have the form ${DATABASE_FORMS}.`);
  return text;
}

export function jsonOption(command: Command): Command {
  return command.option('--json', 'print one JSON document; an error is problem JSON on standard error');
}

export function databaseOption(command: Command): Command {
  const database = new Option('--database <url>', `the ledger: ${DATABASE_FORMS}`);
  return command
    .addOption(database.env('DATABASE_URL').default(defaultDatabaseUrl()).argParser(parseDatabase))
    .hook('preAction', (acting) => {
      // Arguments can be seen by everybody on the machine: nothing from the environment goes into one.
      const is_argument = acting.getOptionValueSource('database') === 'cli';
      acting.setOptionValue('settings', is_argument ? [`DATABASE_URL=${acting.opts().database}`] : []);
    });
}

/** For a command that talks to a server. */
export function serverOptions(command: Command): Command {
  const server = new Option(
    '--server <url>',
    'the server to talk to; without it the one that is using the database, else one of its own for as long as it runs',
  );
  return databaseOption(command.addOption(server.env('ELECTRIC_URL').argParser(parseServer)));
}

/** For a command that needs a password, which never has to stand on the command line. */
export function passwordOption(command: Command): Command {
  return command.addOption(new Option('--password <password>').env('ELECTRIC_PASSWORD').hideHelp());
}

export const PASSWORD_HELP = `
The password is taken from ELECTRIC_PASSWORD, or asked for without showing it.`;

/** For a command that acts for somebody. */
export function accountOptions(command: Command): Command {
  const username = new Option('--username <name>', 'who you are: username or email address');
  return passwordOption(
    serverOptions(jsonOption(command).addOption(username.env('ELECTRIC_USERNAME').makeOptionMandatory())),
  );
}
