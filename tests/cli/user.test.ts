/** The keeper sets a new password for somebody who has lost theirs. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { ENGINES } from '../support/engines.ts';
import { PASSWORD } from '../support/server.ts';
import { address, freshLedger, type Ledger, run, start } from './support.ts';

const NEW = 'quite another sentence';
const RESET = ['user', 'reset-password', 'astrid'];

describe.each(ENGINES)('user reset-password on %s', (engine) => {
  let ledger: Ledger;
  beforeEach(async () => {
    ledger = await freshLedger(engine);
    await run(['user', 'create', '--email', 'astrid@example.com'], ledger.env);
  });
  afterEach(() => ledger.drop());

  async function served<T>(work: (origin: string) => Promise<T>): Promise<T> {
    const server = start(['serve'], { ...ledger.env, PORT: '0', LOG_LEVEL: 'silent' });
    try {
      return await work(await address(server));
    } finally {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
    }
  }
  const login = (origin: string, password: string) =>
    createClient({ origin }).login({ body: { username: 'astrid', password } });

  test('sets the password that standard input gives, and ends all sessions', async () => {
    const { access_token } = await served((origin) => login(origin, PASSWORD));
    const { code, stdout, stderr } = await run(RESET, ledger.env, `${NEW}\n`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('Set a new password for astrid (id 1). All their sessions have ended.\n');
    await served(async (origin) => {
      await expect(login(origin, PASSWORD)).rejects.toMatchObject({
        problem: { code: 'invalid_credentials' },
      });
      const old = createClient({ origin, token: () => access_token });
      await expect(old.getMe({})).rejects.toMatchObject({ problem: { code: 'not_authenticated' } });
      const { access_token: token } = await login(origin, NEW);
      expect(await createClient({ origin, token: () => token }).getMe({})).toMatchObject({
        username: 'astrid',
      });
    });
  });

  test('takes an email address, in whatever case, and answers with JSON', async () => {
    const outcome = await run(['user', 'reset-password', 'ASTRID@example.com', '--json'], ledger.env, NEW);
    expect(outcome.code).toBe(0);
    expect(outcome.json()).toEqual({ id: 1, username: 'astrid', email: 'astrid@example.com' });
    expect(outcome.stdout).not.toContain(NEW);
  });

  test('what is no password, or for nobody, is refused and changes nothing', async () => {
    const refused: [string, string, number, RegExp][] = [
      ['astrid', 'short\n', 3, /password: must have at least 15/],
      ['astrid', 'password password\n', 3, /password: is mostly made of well-known/],
      ['astrid', 'astrid@example.com\n', 3, /password: is mostly made of your name/],
      ['nobody', `${NEW}\n`, 3, /There is no user nobody/],
      // Not the keeper's own, which the environment holds.
      ['astrid', '', 2, /standard input/],
      ['astrid', `${NEW}\n${NEW}\n`, 2, /one line/],
    ];
    for (const [name, input, code, reason] of refused) {
      const outcome = await run(['user', 'reset-password', name], ledger.env, input);
      expect([outcome.code, outcome.stdout]).toEqual([code, '']);
      expect(outcome.stderr).toMatch(reason);
    }
    await served((origin) => login(origin, PASSWORD));
  });

  test('while a server runs: PostgreSQL serves both, a file has one user at a time', async () => {
    await served(async (origin) => {
      const { access_token } = await login(origin, PASSWORD);
      const { code, stderr } = await run(RESET, ledger.env, NEW);
      if (engine === 'sqlite') {
        expect(code).toBe(1);
        expect(stderr).toMatch(/^electric: Another Electric process is using .*\n$/);
        await login(origin, PASSWORD);
        return;
      }
      expect(code).toBe(0);
      const old = createClient({ origin, token: () => access_token });
      await expect(old.getMe({})).rejects.toMatchObject({ problem: { code: 'not_authenticated' } });
      await login(origin, NEW);
    });
  });
});

test('a database that is not there yet is not made', async () => {
  const ledger = await freshLedger('sqlite');
  const { code, stderr } = await run(RESET, ledger.env, NEW);
  expect(code).toBe(1);
  expect(stderr).toMatch(/schema version 0/);
  await ledger.drop();
});
