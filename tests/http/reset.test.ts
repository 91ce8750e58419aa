/** Forgotten passwords, and the jobs and mails behind them, against a real mail server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { handlers } from '../../src/server/jobs/handlers.ts';
import { claimDue } from '../../src/server/jobs/store.ts';
import { ENGINES } from '../support/engines.ts';
import { PASSWORD, type Person, startServer, type TestServer } from '../support/server.ts';
import { type MailServer, startMailServer } from '../support/smtp.ts';
import { everything } from '../support/tables.ts';

async function jobsOf({ db }: TestServer) {
  return db.read.selectFrom('jobs').selectAll().orderBy('id').execute();
}

const HOUR_MS = 3_600_000;
const NEW_PASSWORD = 'another sentence that is long enough';
const PUBLIC_URL = 'https://electric.example.com';

describe.each(ENGINES)('forgotten passwords on %s', (engine) => {
  let smtp: MailServer;
  let server: TestServer;
  let person: Person;
  let now_ms = Date.now();
  beforeAll(async () => {
    smtp = await startMailServer();
  });
  afterAll(() => smtp.close());
  beforeEach(async () => {
    now_ms = Date.now();
    smtp.mails.length = 0;
    smtp.refuse(null);
    server = await startServer(engine, { clock: () => now_ms }, { SMTP_URL: smtp.url, PUBLIC_URL });
    person = await server.newPerson();
  });
  afterEach(() => server.close());

  const runDue = (on = server) => on.deps.jobs.runDue(handlers(on.deps));
  const forgot = (username: string) =>
    server.call('POST', '/api/auth/forgot-password', { body: { username } });
  const reset = (token: string, new_password = NEW_PASSWORD) =>
    server.call('POST', '/api/auth/reset-password', { body: { token, new_password } });
  const login = (password: string) =>
    server.call('POST', '/api/auth/login', { body: { username: person.username, password } });
  const linkToken = () => {
    const [, token] = /^https:\/\/electric\.example\.com\/reset-password#(\S+)$/m.exec(
      smtp.mails.at(-1)!.text!,
    )!;
    return token!;
  };
  async function askedToken(): Promise<string> {
    await forgot(person.username);
    await runDue();
    return linkToken();
  }

  test('the mailed link sets a new password, once, and ends all sessions', async () => {
    const { body: tokens } = await login(PASSWORD);
    expect(await forgot(person.username)).toMatchObject({ status: 202, body: {} });
    await runDue();
    expect(smtp.mails).toHaveLength(1);
    expect(smtp.mails[0]).toMatchObject({
      to: [{ address: 'person1@example.com' }],
      from: { address: 'electric@electric.example.com', name: 'Electric' },
      subject: 'Choose a new password for Electric',
    });
    const token = linkToken();
    expect(await reset(token)).toMatchObject({ status: 202, body: {} });
    expect((await login(PASSWORD)).status).toBe(401);
    expect((await login(NEW_PASSWORD)).status).toBe(200);
    const { refresh_token } = tokens;
    expect((await server.call('POST', '/api/auth/refresh', { body: { refresh_token } })).status).toBe(401);
    expect(await reset(token)).toMatchObject({ status: 401, body: { code: 'reset_token_invalid' } });
  });

  test('an email address serves as well, in any case', async () => {
    await forgot('PERSON1@example.com');
    await runDue();
    expect(smtp.mails).toHaveLength(1);
  });

  test('known and unknown accounts get the same answer, and the same is written', async () => {
    const known = await forgot(person.username);
    const unknown = await forgot('nobodyx');
    expect(unknown.status).toBe(known.status);
    expect(unknown.body).toEqual(known.body);
    const [first, second, ...more] = await jobsOf(server);
    expect(more).toEqual([]);
    expect(second).toMatchObject({ kind: first!.kind, run_at: first!.run_at });
    expect(second!.payload).toHaveLength(first!.payload.length);
    await runDue();
    expect(smtp.mails).toHaveLength(1);
  });

  test('a link is good for an hour', async () => {
    const token = await askedToken();
    now_ms += HOUR_MS;
    expect((await reset(token)).status).toBe(401);
    expect((await login(PASSWORD)).status).toBe(200);
  });

  test('a weak password is refused, and the link stays good', async () => {
    const token = await askedToken();
    expect(await reset(token, 'short')).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'new_password' }] },
    });
    expect((await reset(token)).status).toBe(202);
  });

  test('at most three links an hour are sent to one account', async () => {
    for (let i = 0; i < 5; i += 1) await forgot(person.username);
    await runDue();
    expect(smtp.mails).toHaveLength(3);
    now_ms += HOUR_MS;
    await forgot(person.username);
    await runDue();
    expect(smtp.mails).toHaveLength(4);
  });

  test('of ten who use one link at once, one sets the password', async () => {
    const token = await askedToken();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => reset(token, `${NEW_PASSWORD} ${i}`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(9).fill(401)]);
    const won = answers.findIndex(({ status }) => status === 202);
    expect((await login(`${NEW_PASSWORD} ${won}`)).status).toBe(200);
  });

  test('neither the link nor the address stands in the database in clear', async () => {
    smtp.refuse(450);
    await forgot(person.username);
    await runDue();
    const waiting = JSON.stringify(await jobsOf(server));
    expect(waiting).toContain('"mail"');
    expect(waiting).not.toContain('reset-password');
    smtp.refuse(null);
    now_ms += 10_000;
    await runDue();
    const token = linkToken();
    expect(JSON.stringify(await everything(server.db))).not.toContain(token);
  });

  test('a mail server that is away is asked again, later and later, and the mail comes once', async () => {
    smtp.refuse(450);
    await forgot(person.username);
    await runDue();
    const tried: number[] = [];
    for (let minute = 0; minute < 40; minute += 1) {
      now_ms += 60_000;
      const before = (await jobsOf(server))[0]!.attempts;
      await runDue();
      const after = (await jobsOf(server))[0]!.attempts;
      if (after > before) tried.push(minute);
    }
    expect(tried).toEqual([0, 1, 6, 36]);
    smtp.refuse(null);
    now_ms += 5 * HOUR_MS;
    await runDue();
    await runDue();
    expect(smtp.mails).toHaveLength(1);
    expect(await jobsOf(server)).toEqual([]);
  });

  test('a mail that nobody takes for two days is given up, and so is one whose receiver does not exist', async () => {
    smtp.refuse(450);
    await forgot(person.username);
    for (let hour = 0; hour < 60; hour += 1) {
      await runDue();
      now_ms += HOUR_MS;
    }
    expect(await jobsOf(server)).toMatchObject([{ state: 'failed', payload: '', attempts: 15 }]);
    smtp.refuse(550);
    await forgot(person.username);
    await runDue();
    expect((await jobsOf(server))[1]).toMatchObject({
      state: 'failed',
      payload: '',
      attempts: 1,
    });
  });

  test('a job whose process died is done by the next, once its lease is over', async () => {
    await forgot(person.username);
    await server.db.write((tx) => claimDue(tx, now_ms, 120_000, 10));
    await runDue();
    expect(smtp.mails).toHaveLength(0);
    now_ms += 120_000;
    await runDue();
    expect(smtp.mails).toHaveLength(1);
  });

  test('several workers share the jobs: each mail is sent once', async () => {
    for (let i = 0; i < 10; i += 1) await server.newPerson();
    for (let i = 1; i <= 11; i += 1) await forgot(`person${i}`);
    await Promise.all(Array.from({ length: 5 }, () => runDue()));
    expect(smtp.mails.map((mail) => mail.to![0]!.address).sort()).toEqual(
      Array.from({ length: 11 }, (_, i) => `person${i + 1}@example.com`).sort(),
    );
  });

  test('a started worker sends without being asked again, and stops', async () => {
    server.deps.jobs.start(handlers(server.deps));
    await forgot(person.username);
    await expect.poll(() => smtp.mails.length, { timeout: 10_000 }).toBe(1);
    await server.deps.jobs.stop();
    await forgot(person.username);
    expect(await jobsOf(server)).toHaveLength(1);
  });

  test('without a mail server nothing is kept', async () => {
    const without = await startServer(engine);
    const { username } = await without.newPerson();
    const answer = await without.call('POST', '/api/auth/forgot-password', { body: { username } });
    expect(answer).toMatchObject({ status: 202, body: {} });
    expect(await jobsOf(without)).toEqual([]);
    await without.close();
  });
});
