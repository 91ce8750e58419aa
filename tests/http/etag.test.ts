/** Versions: whoever changes something may say which version the change is meant for. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type CallResult, startServer, type TestServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';

const EDITORS = 50;
const AT = '2026-01-01T00:00:00Z';

describe.each(ENGINES)('ETag on %s', (engine) => {
  let server: TestServer;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, house ? { owner: house.owner } : {});
  });

  const tag = ({ headers }: CallResult) => headers.get('etag')!;
  function send(method: string, path: string, headers: Record<string, string>, body?: unknown) {
    return server.call(method, path, { token: house.owner.token, headers, body });
  }
  const change = (path: string, if_match: string, body: unknown) =>
    send('PATCH', path, { 'if-match': if_match }, body);
  const property = () => `/api/properties/${house.property_id}`;
  const meter = () => `/api/meters/${house.main_id}`;

  test('is strong, the same as long as nothing changes, and another after a change', async () => {
    const first = await house.get(property());
    expect(tag(first)).toMatch(/^"[\w-]{22}"$/);
    expect(tag(await house.get(property()))).toBe(tag(first));
    const changed = await house.patch(property(), { address: 'Storgatan 1' });
    expect(tag(changed)).not.toBe(tag(first));
    expect(tag(await house.get(property()))).toBe(tag(changed));
    await house.patch(property(), { address: null });
    expect(tag(await house.get(property()))).toBe(tag(first));
  });

  test('what a POST or PATCH answers is the version that GET answers', async () => {
    const { property_id, main_id } = house;
    async function expectVersion(path: string, answering: Promise<CallResult>) {
      const answer = await answering;
      expect([200, 201]).toContain(answer.status);
      expect(tag(await house.get(`${path}/${answer.body.id}`))).toBe(tag(answer));
      return answer;
    }
    await expectVersion('/api/properties', house.post('/api/properties', { display_name: 'New' }));
    const submeter = (more: object) => house.post('/api/meters/submeter', { property_id, ...more });
    await expectVersion('/api/meters', submeter({ name: 'x' }));
    const formula = [{ meter: 'x', factor: '1' }];
    await expectVersion('/api/meters', submeter({ name: 'v', sub_meter_kind: 'virtual', formula }));
    await expectVersion('/api/meters', house.patch(meter(), { location: 'cellar' }));
    const recorded = await expectVersion('/api/readings', house.record(main_id, AT, '5'));
    await expectVersion('/api/readings', house.record(main_id, AT, '5'));
    const correction = { value: '6', reason: 'slip' };
    const correct = house.patch(`/api/readings/${recorded.body.id}`, correction);
    const corrected = await expectVersion('/api/readings', correct);
    expect(corrected.headers.get('content-location')).toBe(`/api/readings/${corrected.body.id}`);
    await house.given(main_id, '2026-01-02T00:00:00Z', '999');
    const fallen = await house.given(main_id, '2026-01-03T00:00:00Z', '1');
    const settle = { digits: 3, reason: 'went round' };
    await expectVersion('/api/readings', house.post(`/api/readings/${fallen}/rollover`, settle));
    expect(tag(await house.get('/api/users/me'))).toMatch(/^"/);
  });

  test('lists and the like have none', async () => {
    for (const path of [
      '/api/properties',
      `${meter()}/devices`,
      `/api/readings/meter/${house.main_id}/history`,
    ])
      expect((await house.get(path)).headers.get('etag')).toBeNull();
  });

  test('If-None-Match: 304 without a body for what the client has', async () => {
    const current = tag(await house.get(meter()));
    for (const known of [current, `W/${current}`, `"other", ${current}`, '*', ` , ${current},`]) {
      const answer = await send('GET', meter(), { 'if-none-match': known });
      expect([known, answer.status, answer.body, tag(answer)]).toEqual([known, 304, '', current]);
    }
    expect((await send('GET', meter(), { 'if-none-match': '"other"' })).status).toBe(200);
    expectProblem(await send('GET', meter(), { 'if-none-match': 'bare' }), 'invalid_request');
    // It is about single resources; and who may not see one does not learn its version.
    expect((await send('GET', '/api/properties', { 'if-none-match': '*' })).status).toBe(200);
    const stranger = await server.newPerson();
    const asked = { token: stranger.token, headers: { 'if-none-match': '*' } };
    expectProblem(await server.call('GET', meter(), asked), 'forbidden');
  });

  test('If-Match: the change is made for the version it names', async () => {
    for (const header of ['current', '*', 'list', 'empty elements']) {
      const current = tag(await house.get(meter()));
      const if_match = { current, '*': '*', list: `"other" , ${current}`, 'empty elements': `,${current},,` }[
        header
      ]!;
      expect((await change(meter(), if_match, { location: header })).status).toBe(200);
    }
  });

  test('If-Match: 412 for another version and for a weak tag, and nothing is changed', async () => {
    const reading = `/api/readings/${await house.given(house.main_id, AT, '5')}`;
    for (const [path, body] of [
      [property(), { address: 'Storgatan 1' }],
      [meter(), { location: 'cellar' }],
      [reading, { value: '6', reason: 'slip' }],
    ] as const) {
      const current = tag(await house.get(path));
      const before = await everything(server.db);
      for (const wrong of ['"other"', `W/${current}`, '"a", "b"', '""']) {
        expectProblem(await change(path, wrong, body), 'precondition_failed');
      }
      expect(await everything(server.db)).toEqual(before);
    }
    const before = await everything(server.db);
    expectProblem(
      await send('DELETE', `${reading}?reason=slip`, { 'if-match': '"other"' }),
      'precondition_failed',
    );
    expect(await everything(server.db)).toEqual(before);
    const current = tag(await house.get(reading));
    expect((await send('DELETE', `${reading}?reason=slip`, { 'if-match': current })).status).toBe(204);
  });

  test('a reading changes its version with its flags, though nobody touched it', async () => {
    await house.given(house.main_id, AT, '5');
    const second = `/api/readings/${await house.given(house.main_id, '2026-01-03T00:00:00Z', '8')}`;
    const seen = tag(await house.get(second));
    await house.given(house.main_id, '2026-01-02T00:00:00Z', '9');
    expectProblem(await change(second, seen, { value: '7', reason: 'slip' }), 'precondition_failed');
  });

  test.each(['bare', '', ' ', '"open', '"a" "b"', '*, "a"', 'w/"a"', '"a",b', '"a b"'])(
    'If-Match: %j is no list of tags: 400, and nothing is changed',
    async (if_match) => {
      const before = await everything(server.db);
      expectProblem(await change(meter(), if_match, { location: 'attic' }), 'invalid_request');
      expect(await everything(server.db)).toEqual(before);
    },
  );

  test('what is wrong, forbidden or missing is said as without If-Match', async () => {
    const stranger = await server.newPerson();
    const headers = { 'if-match': '"other"' };
    const options = { token: stranger.token, headers, body: { location: 'attic' } };
    expectProblem(await server.call('PATCH', meter(), options), 'forbidden');
    expectProblem(await server.call('PATCH', '/api/meters/999999', options), 'not_found');
    expectProblem(await change(meter(), '"other"', {}), 'validation_failed', { errors: ['body'] });
  });

  test.each(['property', 'meter', 'reading'] as const)(
    `${EDITORS} editors of one version of a %s: exactly one succeeds, version after version`,
    async (what) => {
      const id = await house.given(house.main_id, AT, '5');
      let path = { property: property(), meter: meter(), reading: `/api/readings/${id}` }[what];
      for (let version = 0; version < 3; version++) {
        const seen = tag(await house.get(path));
        const answers = await Promise.all(
          Array.from({ length: EDITORS }, (_, i) => {
            const body = {
              property: { address: `Storgatan ${version} ${i}` },
              meter: { location: `${version} ${i}` },
              reading: { value: `${version * EDITORS + i + 6}`, reason: 'slip' },
            };
            return change(path, seen, body[what]);
          }),
        );
        const winners = answers.filter(({ status }) => status === 200);
        expect(winners).toHaveLength(1);
        for (const answer of answers) if (answer !== winners[0]) expectProblem(answer, 'precondition_failed');
        if (what === 'reading') path = `/api/readings/${winners[0]!.body.id}`;
        expect(await house.get(path)).toMatchObject({ status: 200, body: winners[0]!.body });
      }
    },
  );

  test('an editor who names a version does not overwrite one who names none', async () => {
    for (let round = 0; round < 10; round++) {
      const seen = tag(await house.get(meter()));
      const [careful, careless] = await Promise.all([
        change(meter(), seen, { location: `careful ${round}` }),
        house.patch(meter(), { plausibility_factor: 20 + round }),
      ]);
      expect(careless.status).toBe(200);
      const { body } = await house.get(meter());
      // Either it came first, or it saw the other's change and left it alone.
      if (careful.status === 200) expect(careful.body.plausibility_factor).not.toBe(20 + round);
      else expect([careful.status, body.location]).not.toEqual([412, `careful ${round}`]);
    }
  });
});
