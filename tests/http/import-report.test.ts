/** What an import says of a file before it is recorded, which meters it means, and how far it has come. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { importEvents } from '../support/events.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectSoundProjection } from '../support/ledger.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('reports of imports on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let kitchen: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) }, { MAX_IMPORT_MIB: '2' });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    kitchen = await house.submeter('Kök');
  });

  const upload = (body: string, query = '', more: { token?: string; headers?: object } = {}) =>
    server.call('POST', `/api/readings/import?property_id=${house.property_id}${query}`, {
      token: more.token ?? owner.token,
      headers: { 'content-type': 'text/csv', ...more.headers },
      body,
    });
  const ndjson = (rows: object[], query = '') =>
    upload(rows.map((row) => JSON.stringify(row)).join('\n'), query, {
      headers: { 'content-type': 'application/x-ndjson' },
    });
  const to = (query = '') => ({
    ...{ origin: server.origin, token: owner.token, property_id: house.property_id },
    query,
  });

  describe('a dry run', () => {
    test('lists conflicts and what is refused, and judges the rest; nothing is written', async () => {
      const there = await house.given(kitchen, day(2), '20');
      await house.given(kitchen, day(3), '30');
      const csv = [
        'timestamp,Main meter,Kök,attic',
        `${day(1)},10,10,1`,
        `${day(2)},20,21,2`,
        `${day(3)},x,30,`,
        `${day(4)},5,40,`,
        `${day(4)},5,40,`,
        `${day(4)},6,,`,
        '2027-01-01T00:00:00Z,7,7,',
      ];
      const before = await counts(server.db);
      const { status, body } = await upload(csv.join('\n'), '&dry_run=true');
      expect(await counts(server.db)).toEqual(before);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        ...{ dry_run: true, importable: false, batch_id: null },
        ...{ recorded: 5, unchanged: 1, repeated: 2, conflicting: 2, refused: 3 },
      });
      const conflict = { meter_id: kitchen, meter_name: 'Kök', reading_type: 'absolute', device_id: null };
      expect(body.conflicts).toEqual([
        {
          ...{
            ...conflict,
            meter_id: house.main_id,
            meter_name: 'Main meter',
            column: 'Main meter',
            line: 7,
          },
          ...{ reading_timestamp: day(4), value: '6', recorded_value: '5', recorded_type: 'absolute' },
          reading_id: null,
        },
        {
          ...{ ...conflict, column: 'Kök', line: 3, reading_timestamp: day(2), value: '21' },
          ...{ recorded_value: '20', recorded_type: 'absolute', reading_id: there },
        },
      ]);
      expect(
        body.errors.map(({ path, line, column }: Record<string, unknown>) => [path, line, column]),
      ).toEqual([
        ['line 1', 1, null],
        ['line 4: Main meter', 4, 'Main meter'],
        ['line 8: timestamp', 8, 'timestamp'],
      ]);
      const meter = { created: false, first_reading_timestamp: day(1), last_reading_timestamp: day(4) };
      expect(body.meters).toEqual([
        {
          ...{ ...meter, meter_id: house.main_id, name: 'Main meter', names_in_file: ['Main meter'] },
          // 20 kWh, then a register that went down: it is not known what was used.
          ...{ recorded: 3, unchanged: 0, repeated: 1, conflicting: 1, flagged: 1, energy: '10' },
        },
        {
          ...{ ...meter, meter_id: kitchen, name: 'Kök', names_in_file: ['Kök'] },
          ...{ recorded: 2, unchanged: 1, repeated: 1, conflicting: 1, flagged: 0, energy: '30' },
        },
      ]);
    });

    test('says of a good file what the import then does', async () => {
      await house.given(house.main_id, day(20), '500');
      const rows = [1, 2, 3, 5].map((n) => ({
        ...{ meter: 'Kök', reading_timestamp: day(n + 1), value: `${n}.25` },
        ...{ reading_type: 'relative', period_start: day(n) },
      }));
      rows.push({ meter: 'main meter', reading_timestamp: day(1), value: '900' } as never);
      const before = await counts(server.db);
      const { status, body } = await ndjson(rows, '&dry_run=true');
      expect([status, body.importable, await counts(server.db)]).toEqual([200, true, before]);
      expect(body.meters[0]).toMatchObject({ energy: '12', first_reading_timestamp: day(2), flagged: 0 });
      expect(body.meters[1]).toMatchObject({ recorded: 1, flagged: 1 });
      const done = await ndjson(rows);
      expect(done.status).toBe(201);
      expect(done.body).toEqual({ ...body, dry_run: false, batch_id: expect.any(Number) });
      await expectSoundProjection(server.db);
    });

    test('lists intervals that overlap, values that a device cannot show, inactive meters', async () => {
      await house.say(kitchen, { digits: 2 });
      await house.retire('meters', await house.submeter('Sauna'));
      await house.given(house.main_id, day(5), '50');
      const { status, body } = await ndjson(
        [
          { meter: 'Kök', reading_timestamp: day(1), value: 100 },
          { meter: 'sauna', reading_timestamp: day(1), value: 1 },
          {
            ...{ meter: 'Main meter', reading_timestamp: day(6), value: 1 },
            ...{ reading_type: 'relative', period_start: day(4) },
          },
        ],
        '&dry_run=true',
      );
      expect([status, body.importable, body.refused]).toEqual([200, false, 3]);
      expect(body.errors.map(({ path }: { path: string }) => path)).toEqual([
        'line 2: meter',
        'line 1: value',
        'Main meter',
      ]);
    });
  });

  describe('names', () => {
    const csv = `timestamp,HM,Sauna 1,${' Attic '}\n${day(1)},1,2,3\n${day(2)},2,3,4\n`;

    test('are mapped to names and ids; missing ones are created with the readings, or not at all', async () => {
      const names = `&meter_names=${encodeURIComponent(JSON.stringify({ hm: house.main_id, 'Sauna 1': 'kök' }))}`;
      expectProblem(await upload(csv, names), 'validation_failed', { errors: ['line 1'] });
      const before = await counts(server.db);
      const dry = await upload(csv, `${names}&create_missing=true&dry_run=true`);
      expect(dry.body).toMatchObject({ importable: true, recorded: 6 });
      expect(dry.body.meters[2]).toMatchObject({ meter_id: null, name: 'Attic', created: true });
      expect(await counts(server.db)).toEqual(before);

      const wrong = await upload(`${csv}${day(1)},5,5,5\n`, `${names}&create_missing=true`);
      expectProblem(wrong, 'reading_conflict');
      expect(await counts(server.db)).toEqual(before);

      const { status, body } = await upload(csv, `${names}&create_missing=true`);
      expect([status, body.recorded]).toEqual([201, 6]);
      expect(body.meters.map((meter: Record<string, unknown>) => [meter.meter_id, meter.created])).toEqual([
        [house.main_id, false],
        [kitchen, false],
        [expect.any(Number), true],
      ]);
      const attic = (await house.get(`/api/meters/${body.meters[2].meter_id}`)).body;
      expect(attic).toMatchObject({
        name: 'Attic',
        sub_meter_kind: 'physical',
        parent_meter_id: house.main_id,
      });
      const again = await upload(csv, `${names}&create_missing=true`);
      expect([again.status, again.body.unchanged, again.body.meters[2].created]).toEqual([200, 6, false]);
      await expectSoundProjection(server.db);
    });

    test('are created by editors only, and not with a key', async () => {
      const reader = await server.newPerson();
      const path = `/api/properties/${house.property_id}/users/${reader.id}`;
      expect((await house.post(path, { role: 'reader' })).status).toBeLessThan(300);
      const { token } = reader;
      expectProblem(await upload(csv, '&create_missing=true', { token }), 'role_too_low');
      expectProblem(await upload(csv, '&create_missing=true&dry_run=true', { token }), 'role_too_low');
      const key = await house.post('/api/users/me/api-keys', { name: 'script', scopes: ['readings:write'] });
      const secret = { token: key.body.secret };
      expectProblem(await upload(csv, '&create_missing=true', secret), 'insufficient_scope');
    });

    test.each([
      'meter_names=[]',
      'meter_names=x',
      'columns={"colour":"red"}',
      'columns={"value":5}',
      'unit=joule',
    ])('%s: 422', async (query) => {
      expectProblem(await upload(csv, `&${encodeURI(query)}`), 'validation_failed', {
        errors: [query.split('=')[0]!],
      });
    });
  });

  test('a file larger than MAX_IMPORT_MIB: 413, nothing written', async () => {
    const before = await counts(server.db);
    expectProblem(await upload(`timestamp,Kök\n${`${day(1)},1\n`.repeat(120_000)}`), 'body_too_large');
    expect(await counts(server.db)).toEqual(before);
  });

  test('two imports of one file at once: one records all of it, the other finds all of it there', async () => {
    const lines = Array.from({ length: 12_000 }, (_, i) =>
      new Date(Date.parse(day(1)) + i * 60_000).toISOString(),
    );
    const csv = `timestamp,Kök,Attic\n${lines.map((at, i) => `${at},${i},${i}\n`).join('')}`;
    const both = await Promise.all([1, 2].map(() => upload(csv, '&create_missing=true')));
    const said = both.map(({ status, body }) => [status, body.recorded, body.unchanged]).sort();
    expect(said).toEqual([
      [200, 0, 24_000],
      [201, 24_000, 0],
    ]);
    expect((await house.get(`/api/properties/${house.property_id}/meters`)).body.total).toBe(3);
    expect((await house.get(`/api/properties/${house.property_id}/ledger/verify`)).body.verified).toBe(true);
    await expectSoundProjection(server.db);
  });

  test('before and between many that are there: the projection is sound', async () => {
    const at = (i: number) => new Date(Date.parse(day(1)) + i * 60_000).toISOString();
    const lines = (from: number, step: number, count: number) =>
      Array.from({ length: count }, (_, i) => from + i * step).map((i) => `${at(i)},${i}\n`);
    const registers = (some: string[]) => upload(`timestamp,Kök\n${some.join('')}`);
    expect((await registers(lines(20_001, 2, 6000))).body.recorded).toBe(6000);
    const rows = Array.from({ length: 9000 }, (_, i) => ({
      ...{ meter: 'Kök', reading_timestamp: at(2 * i + 1), value: '0.5', reading_type: 'relative' },
      period_start: at(2 * i),
    }));
    expect((await ndjson(rows)).body.recorded).toBe(9000);
    expect((await registers(lines(20_000, 2, 6000).reverse())).body.recorded).toBe(6000);
    await expectSoundProjection(server.db);
  });

  describe('events', () => {
    const lines = Array.from({ length: 6000 }, (_, i) =>
      new Date(Date.parse(day(1)) + i * 60_000).toISOString(),
    );
    const csv = `timestamp,Kök\n${lines.map((at, i) => `${at},${i}\n`).join('')}`;
    async function events(file: string, query = '', headers = {}) {
      const seen = [];
      for await (const event of importEvents(to(query), file, headers)) seen.push(event);
      return seen;
    }

    test('tell how far it has come, and at last the report', async () => {
      const seen = await events(csv);
      const last = seen.pop()!;
      expect(last.event).toBe('report');
      expect(last.data).toMatchObject({ recorded: 6000, batch_id: expect.any(Number) });
      expect(new Set(seen.map(({ event }) => event))).toEqual(new Set(['progress']));
      for (const phase of ['checking', 'recording']) {
        const told = seen.filter(({ data }) => data.phase === phase).map(({ data }) => data);
        expect(told.length).toBeGreaterThan(1);
        expect(told.at(-1)).toEqual({ phase, bytes: Buffer.byteLength(csv), readings: 6000, total: 6000 });
      }
    });

    test('end in a problem, and nothing is written', async () => {
      const before = await counts(server.db);
      const [only, ...more] = await events(`timestamp,Kök\n${day(1)},x\n`);
      expect([only!.event, only!.data.code, more]).toEqual(['problem', 'validation_failed', []]);
      expect(only!.data).toMatchObject({ status: 422, errors: [{ path: 'line 2: Kök' }] });
      expect(await counts(server.db)).toEqual(before);
    });

    test('with an Idempotency-Key: once, and the same report again', async () => {
      const headers = { 'idempotency-key': `key-${house.property_id}` };
      const first = (await events(csv, '', headers)).at(-1);
      expect(first).toMatchObject({ event: 'report', data: { recorded: 6000 } });
      expect(await events(csv, '', headers)).toEqual([first]);
      const plain = await upload(csv, '', { headers });
      expect([plain.status, plain.body]).toEqual([201, first!.data]);
      expect((await events(`${csv}\n`, '', headers)).at(-1)?.data.code).toBe('idempotency_key_reused');
    });

    test('a connection that closes in the middle of the file: nothing is written', async () => {
      const before = await counts(server.db);
      const leaving = new AbortController();
      async function* file() {
        yield csv;
        leaving.abort();
        yield csv;
      }
      const { origin } = server;
      const sent = fetch(`${origin}/api/readings/import?property_id=${house.property_id}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'text/csv' },
        body: ReadableStream.from(file()).pipeThrough(new TextEncoderStream()),
        ...{ duplex: 'half', signal: leaving.signal },
      } as RequestInit);
      await expect(sent).rejects.toThrow();
      // The next import waits for nobody: what was cut off is over.
      expect((await upload(csv)).body.recorded).toBe(6000);
      expect((await counts(server.db)).batches).toBe(before.batches! + 1);
    });
  });
});
