/** Invitations by mail, where a mail server is set, against a real one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handlers } from '../../src/server/jobs/handlers.ts';
import { ENGINES } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer } from '../support/server.ts';
import { type MailServer, startMailServer } from '../support/smtp.ts';

describe.each(ENGINES)('invitations by mail on %s', (engine) => {
  let smtp: MailServer;
  beforeAll(async () => {
    smtp = await startMailServer();
  });
  afterAll(() => smtp.close());

  test('the link is mailed to whom it is for, and works; a refused invitation mails nothing', async () => {
    const PUBLIC_URL = 'https://electric.example.com';
    const server = await startServer(engine, {}, { SMTP_URL: smtp.url, PUBLIC_URL });
    const house = await newHouse(server);
    const path = `/api/properties/${house.property_id}/invitations`;
    const wanted = { email: 'bo@example.com', role: 'reader', expires_in_days: 3 };
    const { body } = await house.post(path, wanted);
    expectProblem(await house.post(path, { ...wanted, role: 'tenant' }), 'validation_failed', {
      errors: ['meter_ids'],
    });
    await house.post(path, { role: 'reader' });
    await server.deps.jobs.runDue(handlers(server.deps));
    expect(smtp.mails).toHaveLength(1);
    const [mail] = smtp.mails;
    expect(mail).toMatchObject({
      to: [{ address: 'bo@example.com' }],
      subject: `${house.owner.username} invites you to Villa Volt`,
    });
    const [link] = /^https:\/\/\S+$/m.exec(mail!.text!)!;
    expect(link).toBe(body.link);
    expect(mail!.text).toContain('within 3 days');
    const bo = await server.newPerson();
    const token = link.split('/').at(-1)!;
    expect((await bo.client.acceptInvitation({ token })).role).toBe('reader');
    await server.close();
  });

  test('without a mail server the link is the owner’s to send', async () => {
    const server = await startServer(engine);
    const house = await newHouse(server);
    const path = `/api/properties/${house.property_id}/invitations`;
    const { status, body } = await house.post(path, { email: 'bo@example.com', role: 'reader' });
    expect([status, body.link]).toEqual([201, `/invitations/${body.token}`]);
    expect(await server.db.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
    await server.close();
  });
});
