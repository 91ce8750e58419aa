import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { ApiError, type Client } from '../client/index.ts';
import type { ImportReport } from '../contract/imports.ts';
import type { Property } from '../contract/properties.ts';
import { clientFor, withSession } from './account.ts';
import { describeFigures, type Figures, getFigures } from './figures.ts';
import { type JsonOption, jsonOption, passwordOption, type ServerOptions, serverOptions } from './options.ts';
import { SAMPLE } from './places.ts';
import { propertiesNamed } from './property.ts';
import { type Server, withServer } from './server.ts';
import { askSecretly, printResult } from './terminal.ts';
import { describeImport, openSource, upload } from './upload.ts';

const HOUSE = { display_name: 'House in Sceaux', timezone: 'Europe/Paris', currency: 'EUR' };
const SUBMETERS = ['kitchen', 'laundry', 'water_heater'];

interface DemoOptions extends ServerOptions, JsonOption {
  username?: string;
  password?: string;
}

interface Demo {
  server: Server;
  account: { username: string; password: string; is_new: boolean };
  imported: ImportReport;
  figures: Figures;
}

/** A new account: demo, or if that is taken demo- and four letters. */
async function newAccount(server: Server): Promise<Demo['account']> {
  const password = randomBytes(15).toString('base64url');
  const create = async (username: string) => {
    const email = `${username}@example.com`;
    await clientFor(server).register({ body: { username, email, password } });
    return { username, password, is_new: true };
  };
  try {
    return await create('demo');
  } catch (error) {
    if (!(error instanceof ApiError && error.problem.status === 409)) throw error;
    return create(`demo-${randomBytes(2).toString('hex')}`);
  }
}

/** The house with its meters; what is there already stays. */
async function prepareHouse(client: Client): Promise<Property> {
  const [existing] = await propertiesNamed(client, HOUSE.display_name);
  const property = existing ?? (await client.createProperty({ body: HOUSE }));
  const property_id = property.id;
  const { items } = await client.listMeters({ property_id });
  const main = items.find(({ meter_type }) => meter_type === 'main_meter')!;
  if (main.name !== 'main') await client.updateMeter({ meter_id: main.id, body: { name: 'main' } });
  for (const name of SUBMETERS.filter((wanted) => !items.some((meter) => meter.name === wanted))) {
    await client.createSubmeter({ body: { property_id, name } });
  }
  return property;
}

/** Loads the sample and asks for its consumption by month, from the first reading to the last. */
async function load(client: Client, show_progress: boolean): Promise<Pick<Demo, 'imported' | 'figures'>> {
  const property = await prepareHouse(client);
  const imported = await upload(client, property.id, await openSource(SAMPLE), {}, show_progress);
  const [from, to] = [
    imported.meters[0]!.first_reading_timestamp!,
    imported.meters[0]!.last_reading_timestamp!,
  ];
  return { imported, figures: await getFigures(client, property, { from, to, interval: 'month' }) };
}

function describe({ server, account, imported, figures }: Demo, options: DemoOptions): string {
  const { is_new, username, password } = account;
  const who = is_new
    ? `Created the user ${username} with the password ${password} (shown only now).`
    : `Signed in as ${username}.`;
  const where = server.is_running
    ? `The server is at ${server.origin}; its API reference is at ${server.origin}/docs.`
    : 'Start the server with: npx electric serve';
  const credentials = is_new ? `ELECTRIC_USERNAME=${username} ELECTRIC_PASSWORD=${password} ` : '';
  const there = options.server
    ? ` --server ${options.server}`
    : options.settings.length > 0
      ? ` --database ${options.database}`
      : '';
  const property = `--property ${figures.property.id}`;
  return `${who}

${describeImport(imported, figures.property.timezone)}

${describeFigures(figures)}

${where}
Look further, for example at March 2009 day by day:
  ${credentials}npx electric consumption ${property} --from 2009-03-01 --to 2009-04-01 --interval day${there}
${is_new ? `Load this demo again into the same account:\n  ${credentials}npx electric demo${there}\n` : ''}
Data: G. Hebrail and A. Berard (EDF R&D), UCI Machine Learning Repository, 2012, CC BY 4.0: samples/README.md`;
}

async function demo(options: DemoOptions): Promise<void> {
  const { username, json } = options;
  const password = username ? (options.password ?? (await askSecretly(`Password of ${username}`))) : '';
  await withServer(options, async (server) => {
    const account = username ? { username, password, is_new: false } : await newAccount(server);
    const loaded = await withSession(server, account.username, account.password, (client) =>
      load(client, !json),
    );
    const { imported, figures } = loaded;
    const { is_new } = account;
    const shown = { username: account.username, password: is_new ? account.password : null, is_new };
    printResult(json, { server, account: shown, import: imported, ...figures }, () =>
      describe({ server, account, ...loaded }, options),
    );
  });
}

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('Load a sample house (four years of a house near Paris) and show what Electric makes of it.')
    .addOption(
      new Option('--username <name>', 'load it into this account instead of a new one').env(
        'ELECTRIC_USERNAME',
      ),
    );
  passwordOption(serverOptions(jsonOption(command)))
    .addHelpText(
      'after',
      `
Without --username every run makes an account of its own with a random password. With it, what is there
already is left as it is, and the password is taken from ELECTRIC_PASSWORD, or asked for without showing it.

Examples:
  electric demo
  electric demo --server http://127.0.0.1:8000`,
    )
    .action(demo);
}
