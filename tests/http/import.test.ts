/** Imports: CSV and NDJSON, whole or not at all, with errors that name their line. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contracts } from '../../src/contract/index.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const T1 = '2026-01-01T00:00:00Z';
const T2 = '2026-01-02T00:00:00Z';
const T3 = '2026-01-03T00:00:00Z';
const T4 = '2026-01-04T00:00:00Z';

describe.each(ENGINES)('imports on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  let kitchen: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
    kitchen = await house.submeter('Kök');
  });

  const upload = (type: string, body: unknown, query = '') =>
    server.call('POST', `/api/readings/import?property_id=${house.property_id}${query}`, {
      token: owner.token,
      headers: { 'content-type': type },
      body,
    });
  const csv = (body: unknown, query?: string) => upload('text/csv', body, query);
  const ndjson = (rows: unknown[], query?: string) =>
    upload('application/x-ndjson', rows.map((row) => JSON.stringify(row)).join('\n'), query);
  const row = (reading_timestamp: string, value: unknown, more: object = {}) => ({
    meter: 'main meter',
    reading_timestamp,
    value,
    ...more,
  });
  const relative = (period_start: string) => ({ reading_type: 'relative', period_start });
  async function refused(call: () => Promise<Parameters<typeof expectProblem>[0]>, ...how: Refusal) {
    const before = await counts(server.db);
    expectProblem(await call(), ...how);
    expect(await counts(server.db)).toEqual(before);
  }
  type Refusal = Parameters<typeof expectProblem> extends [unknown, ...infer R] ? R : never;
  const values = async (meter_id: number) =>
    (await house.get(`/api/readings/meter/${meter_id}/history`)).body.items
      .reverse()
      .map((r: { reading_timestamp: string; value: string }) => [r.reading_timestamp, r.value]);

  test('CSV: a column of timestamps and one per meter; an empty cell was not read', async () => {
    const { status, body } = await csv(
      `\ufeffTimestamp,KÖK, Main meter \r\n${T2},"2.5",20\r\n\r\n2026-01-01T01:00:00+01:00,,10\r\n`,
    );
    const meter = (
      meter_id: number,
      name: string,
      in_file: string,
      recorded: number,
      first: string,
      energy: string,
    ) => ({
      meter_id,
      name,
      names_in_file: [in_file],
      created: false,
      recorded,
      unchanged: 0,
      repeated: 0,
      conflicting: 0,
      flagged: 0,
      first_reading_timestamp: first,
      last_reading_timestamp: T2,
      energy,
    });
    expect({ status, body: { ...body, meters: body.meters.sort(by_name) } }).toEqual({
      status: 201,
      body: {
        property_id: house.property_id,
        ...{ dry_run: false, importable: true, batch_id: expect.any(Number) },
        ...{ recorded: 3, unchanged: 0, repeated: 0, conflicting: 0, refused: 0, conflicts: [], errors: [] },
        bytes: 96,
        plan: expect.objectContaining({ format: 'csv', layout: 'wide', unit: 'kWh', timezone: 'UTC' }),
        meters: [
          meter(kitchen, 'Kök', 'KÖK', 1, T2, '0'),
          meter(house.main_id, 'Main meter', 'Main meter', 2, T1, '10'),
        ].sort(by_name),
      },
    });
    expect(await values(kitchen)).toEqual([[T2, '2.5']]);
    expect(await values(house.main_id)).toEqual([
      [T1, '10'],
      [T2, '20'],
    ]);
  });
  const by_name = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

  test('NDJSON: whole readings, with type, interval and note', async () => {
    const { status, body } = await ndjson([
      row(T1, '10', { note: ' installed ' }),
      row(T3, 1.5, { ...relative(T2), meter: 'Main Meter' }),
      row(T1, 7, { meter: 'kök', reading_type: 'absolute', period_start: null, note: null }),
    ]);
    expect([status, body.recorded, body.unchanged]).toEqual([201, 3, 0]);
    const { items } = (await house.get(`/api/readings/meter/${house.main_id}/history`)).body;
    const reading = {
      photo_sha256: null,
      id: expect.any(Number),
      property_id: house.property_id,
      meter_id: house.main_id,
      meter_name: 'Main meter',
      source: 'import',
      flags: [],
      recorded_by_user_id: owner.id,
      recorded_by_api_key_id: null,
      created_at: NOW,
      batch_id: body.batch_id,
      supersedes_id: null,
      superseded_by_id: null,
      reason: null,
      warnings: [],
    };
    expect(items).toEqual([
      {
        ...reading,
        reading_timestamp: T3,
        value: '1.5',
        reading_type: 'relative',
        period_start: T2,
        note: null,
      },
      {
        ...reading,
        reading_timestamp: T1,
        value: '10',
        reading_type: 'absolute',
        period_start: null,
        note: 'installed',
      },
    ]);
  });

  test('again: unchanged, 200; half of it new: only that is recorded', async () => {
    const first = await ndjson([row(T1, '10'), row(T3, '30')]);
    const before = await counts(server.db);
    const again = await ndjson([row(T1, '10.000'), row(T3, 30)]);
    expect([again.status, again.body]).toEqual([
      200,
      {
        ...first.body,
        batch_id: null,
        recorded: 0,
        unchanged: 2,
        bytes: expect.any(Number),
        meters: [{ ...first.body.meters[0], recorded: 0, unchanged: 2 }],
      },
    ]);
    expect(await counts(server.db)).toEqual(before);
    const more = await ndjson([row(T1, '10'), row(T2, '20')]);
    expect([more.status, more.body.recorded, more.body.unchanged]).toEqual([201, 1, 1]);
    // The same reading twice in one upload is one reading.
    const twice = await ndjson([row(T4, '40'), row(T4, '40')]);
    expect([twice.status, twice.body.recorded, twice.body.repeated]).toEqual([201, 1, 1]);
  });

  test('backfill before what is there: later consumption stays what it was', async () => {
    await house.given(house.main_id, T3, '30');
    await house.given(house.main_id, T4, '45');
    const { body } = await csv(`timestamp,Main meter\n${T2},25\n${T1},5\n`);
    expect(body.meters[0]).toMatchObject({ recorded: 2, flagged: 0 });
    const consumption = async (start: string, end: string) =>
      (
        await house.get(
          `/api/readings/property/${house.property_id}/consumption?start_timestamp=${start}&end_timestamp=${end}`,
        )
      ).body.main_meter_consumption;
    expect([await consumption(T1, T2), await consumption(T2, T3), await consumption(T3, T4)]).toEqual([
      '20',
      '5',
      '15',
    ]);
  });

  test('a decrease is recorded and counted, in the upload and in what follows it', async () => {
    await house.given(house.main_id, T4, '15');
    const { status, body } = await csv(`timestamp,Main meter\n${T1},10\n${T2},8\n${T3},20\n`);
    expect([status, body.meters[0].flagged]).toEqual([201, 2]);
  });

  test('a value that conflicts with the ledger, or with the upload itself: 409, nothing written', async () => {
    const reading_id = await house.given(house.main_id, T2, '20');
    await refused(() => csv(`timestamp,Main meter\n${T1},10\n${T2},21\n`), 'reading_conflict', {
      reading_id,
    });
    expect((await csv(`timestamp,Main meter\n${T1},10\n${T2},21\n`)).body.detail).toContain('Line 3');
    await refused(() => ndjson([row(T3, '30'), row(T3, '31')]), 'reading_conflict');
    expect((await ndjson([row(T3, '30'), row(T3, '31')])).body.detail).toContain('Line 2');
  });

  test('an interval that reaches back over another reading: 409, nothing written', async () => {
    const reading_id = await house.given(house.main_id, T2, '20');
    await refused(() => ndjson([row(T3, '1', relative(T1))]), 'interval_overlap', { reading_id });
    await refused(
      () => ndjson([row(T3, '1', relative(T2)), row(T4, '1', relative('2026-01-02T12:00:00Z'))]),
      'interval_overlap',
    );
  });

  test('an inactive property: 409', async () => {
    await house.retire('properties', house.property_id);
    await refused(() => ndjson([row(T1, '1')]), 'property_inactive');
  });

  test('inactive meters: 409 that names them and their lines', async () => {
    for (const name of ['Sauna', 'gone']) await house.retire('meters', await house.submeter(name));
    const lines = [row(T1, '1'), row(T1, '1', { meter: 'sauna' }), row(T2, '2', { meter: 'SAUNA' })];
    for (let i = 0; i < 12; i++) lines.push(row(T3, '3', { meter: 'gone' }));
    const of_json = await ndjson(lines);
    expectProblem(of_json, 'meter_inactive');
    expect(of_json.body.detail).toContain(
      'Sauna (line 2, 3); gone (line 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 2 more)',
    );
    await refused(() => upload('text/csv', `timestamp,gone,Main meter\n${T1},1,2\n`), 'meter_inactive');
    // What is wrong besides comes first; and the name may belong to another meter by now.
    const wrong = [row(T1, '-1'), row(T1, '1', { meter: 'gone' })];
    await refused(() => ndjson(wrong), 'validation_failed', { errors: ['line 1: value'] });
    await house.submeter('Gone');
    expect((await ndjson([row(T1, '1', { meter: 'gone' })])).status).toBe(201);
  });

  describe('what is wrong, line by line', () => {
    test.each([
      ['no offset', row('2026-01-01T00:00:00', '1'), ['reading_timestamp']],
      ['a future timestamp', row('2026-06-15T12:05:00.001Z', '1'), ['reading_timestamp']],
      ['four decimals', row(T1, '1.2345'), ['value']],
      ['a decimal comma', row(T1, '1,5'), ['value']],
      ['a negative value', row(T1, -1), ['value']],
      ['no value', row(T1, undefined), ['value']],
      ['true for a value', row(T1, true), ['value']],
      ['an unknown meter', row(T1, '1', { meter: 'sauna' }), ['meter']],
      ['no meter', row(T1, '1', { meter: undefined }), ['meter']],
      ['a virtual meter', row(T1, '1', { meter: 'sum' }), ['meter']],
      ['an unknown type', row(T1, '1', { reading_type: 'guess' }), ['reading_type']],
      ['a beginning for a register', row(T2, '1', { period_start: T1 }), ['period_start']],
      ['a beginning after the end', row(T1, '1', relative(T2)), ['period_start']],
      ['a number for a note', row(T1, '1', { note: 5 }), ['note']],
      ['a note of 2001 characters', row(T1, '1', { note: 'x'.repeat(2001) }), ['note']],
      ['a control character in a note', row(T1, '1', { note: 'a\u0000b' }), ['note']],
      ['another one', row(T1, '1', { note: 'a\u0007b' }), ['note']],
      ['half a character in a note', row(T1, '1', { note: 'a\ud800b' }), ['note']],
      ['an unknown field', row(T1, '1', { colour: 'red' }), ['colour']],
      ['several', row('yesterday', 'much', { meter: 5 }), ['meter', 'reading_timestamp', 'value']],
    ])('NDJSON: %s', async (_, bad, fields) => {
      await house.submeter('sum', { sub_meter_kind: 'virtual' });
      const errors = fields.map((field) => `line 2: ${field}`);
      await refused(() => ndjson([row(T3, '3'), bad, row(T4, '4')]), 'validation_failed', { errors });
    });

    test.each([
      ['a line that is no JSON', '{"meter":'],
      ['an array', '["main meter"]'],
      ['null', 'null'],
      ['a bare number', '5'],
      ['a key that stands twice', `{"meter":"main meter","reading_timestamp":"${T1}","value":1,"value":2}`],
    ])('NDJSON: %s', async (_, line) => {
      const lines = `${JSON.stringify(row(T3, '3'))}\n\n${line}\n`;
      await refused(() => upload('application/x-ndjson', lines), 'validation_failed', { errors: ['line 3'] });
    });

    test.each([
      ['a wrong cell', `timestamp,Main meter,Kök\n${T1},1,x\n`, ['line 2: Kök']],
      ['a wrong timestamp', `timestamp,Main meter\n${T1},1\n2026-02-30T00:00:00Z,2\n`, ['line 3: timestamp']],
      ['a cell too many', `timestamp,Main meter\n${T1},1,2\n`, ['line 2']],
      ['a cell too few', `timestamp,Main meter,Kök\n${T1},1\n`, ['line 2']],
      ['an unknown meter', `timestamp,Main meter,sauna\n${T1},1,2\n`, ['line 1']],
      ['one meter twice', `timestamp,Kök,KÖK\n${T1},1,2\n`, ['line 1']],
      ['no meter', `timestamp\n${T1}\n`, ['line 1']],
      ['no timestamps', `Main meter,Kök\n1,2\n`, ['line 1']],
      ['a quote that never ends', `timestamp,Main meter\n${T1},"1\n${T2},2\n`, ['line 2']],
      [
        'a wrong cell after a line end in a cell',
        `timestamp,Main meter\n${T1},"1\n"\n${T2},x\n`,
        ['line 4: Main meter'],
      ],
      ['nothing', '', ['line 1']],
      ['empty lines', '\n\n', ['line 1']],
    ])('CSV: %s', async (_, body, errors) => {
      await refused(() => csv(body), 'validation_failed', { errors });
    });

    test('the first hundred are reported', async () => {
      const rows = Array.from({ length: 150 }, () => row(T1, 'x'));
      const errors = rows.slice(0, 100).map((_, i) => `line ${i + 1}: value`);
      await refused(() => ndjson(rows), 'validation_failed', { errors });
    });

    test('also when the rest of a large upload is still on its way', async () => {
      const rows = Array.from({ length: 60_000 }, () => row(T1, 'x'));
      await refused(() => ndjson(rows), 'validation_failed', {
        errors: rows.slice(0, 100).map((_, i) => `line ${i + 1}: value`),
      });
      const wide = `Main meter\n${`${T1},1\n`.repeat(200_000)}`;
      await refused(() => csv(wide), 'validation_failed', { errors: ['line 1'] });
    });
  });

  test('an empty upload records nothing', async () => {
    const { status, body } = await upload('application/x-ndjson', '\n');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        property_id: house.property_id,
        ...{ dry_run: false, importable: true, batch_id: null, bytes: 1, plan: expect.anything() },
        ...{ recorded: 0, unchanged: 0, repeated: 0, conflicting: 0, refused: 0 },
        ...{ conflicts: [], errors: [], meters: [] },
      },
    });
  });

  test.each(['application/json', 'image/png', 'text/csv; charset=iso-8859-1', 'text', 'text/csv,text/csv'])(
    'Content-Type %s: 415',
    async (type) => {
      await refused(() => upload(type, `timestamp,Main meter\n${T1},1\n`), 'unsupported_media_type');
    },
  );

  test.each([
    ...contracts.importReadings.streams.slice(1),
    'text/csv; charset=utf-8',
    'TEXT/CSV',
    'text/csv;header=present',
  ])('Content-Type %s is fine', async (type) => {
    expect((await upload(type, `timestamp,Main meter\n${T1},1\n`)).status).toBe(201);
  });

  test('NDJSON that is not UTF-8: 400; a table is tried as what Windows writes', async () => {
    const bytes = Buffer.concat([Buffer.from('timestamp,K'), Buffer.from([0xf6]), Buffer.from('k\n')]);
    await refused(() => upload('application/x-ndjson', bytes), 'invalid_request');
    await refused(() => upload('text/csv', bytes), 'validation_failed', { errors: ['line 1'] });
  });

  test.each(['text/csv', 'application/x-ndjson'])('%s whose line never ends: 413', async (type) => {
    await refused(() => upload(type, 'x'.repeat(3_000_000)), 'body_too_large');
  });

  test('a virtual meter as a column: 422', async () => {
    await house.submeter('sum', { sub_meter_kind: 'virtual' });
    const errors = ['line 1'];
    await refused(() => csv(`timestamp,sum\n${T1},1\n`), 'validation_failed', { errors });
  });
});
