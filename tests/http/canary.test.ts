/** Recognisable secrets sent to every route, where secrets stand in a request: no answer and no log line repeats them. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { contracts } from '../../src/contract/index.ts';
import type { Contract } from '../../src/contract/schema.ts';
import { ENGINES } from '../support/engines.ts';
import { newHouse } from '../support/house.ts';
import { startServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const CANARY = 'canary-that-must-not-sing';

describe.each(ENGINES)('secrets in requests on %s', (engine) => {
  test('are repeated by no route, by no log and by no table', async () => {
    let logged = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        logged += chunk;
        done();
      },
    });
    const server = await startServer(engine, { log: pino({ level: 'trace' }, stream) });
    const { owner } = await newHouse(server);
    const body = {
      username: owner.username,
      ...{ password: CANARY, current_password: CANARY, new_password: CANARY },
      ...{ token: CANARY, refresh_token: CANARY, secret: CANARY },
    };
    const repeated: string[] = [];
    for (const [name, contract] of Object.entries(contracts) as [string, Contract][]) {
      const { method, url } = contract;
      const path = url.replace(/:token\b/, CANARY).replace(/:\w+/g, '1');
      const takes_body = ['POST', 'PATCH', 'PUT'].includes(method) || contract.body !== undefined;
      for (const authorization of [
        `Bearer ${CANARY}`,
        `Bearer electric_${CANARY}`,
        `Bearer ${owner.token}`,
      ]) {
        const answer = await server.call(method, path, {
          headers: { authorization, cookie: `__Host-electric_refresh=${CANARY}` },
          ...(takes_body ? { body } : {}),
        });
        const said = JSON.stringify([answer.body, [...answer.headers]]);
        if (said.includes(CANARY) || said.includes(owner.token)) repeated.push(`${name}, ${answer.status}`);
      }
    }
    expect(repeated).toEqual([]);
    expect(logged).toContain('"route":"/api/invitations/:token"');
    expect(logged).not.toContain(CANARY);
    expect(logged).not.toContain(owner.token);
    expect(JSON.stringify(await everything(server.db))).not.toContain(CANARY);
    await server.close();
  });
});
