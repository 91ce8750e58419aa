/** Readings as files: what they say, that they are safe to open, and that they come back in unchanged. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXPORT_COLUMNS } from '../../src/contract/exports.ts';
import { formatKwh } from '../../src/core/units.ts';
import { sheetName } from '../../src/server/exports/xlsx.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { unzip } from '../support/unzip.ts';

describe.each(ENGINES)('exports on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse('2026-06-15T12:00:00Z') });
  });
  afterAll(() => server.close());

  async function download({ property_id, owner }: House, query = '', token = owner.token) {
    const response = await fetch(`${server.origin}/api/readings/property/${property_id}/export${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
  }

  async function twoMeters(): Promise<House & { flat: number }> {
    const house = await newHouse(server, { timezone: 'Europe/Stockholm' });
    const flat = await house.submeter('=HYPERLINK("x";"y")', { location: '+46 cellar, "left"' });
    await house.given(house.main_id, '2026-01-01T00:00:00Z', '100.5', { note: 'a\nb' });
    await house.given(flat, '2026-01-01T00:00:00Z', '7', { note: '-1+2' });
    const more = { reading_type: 'relative', period_start: '2026-01-01T00:00:00Z' };
    await house.given(flat, '2026-01-01T00:30:00.250Z', '0.125', more);
    await house.given(house.main_id, '2026-02-01T00:00:00Z', '90');
    return { ...house, flat };
  }

  test('CSV: the columns of the contract, quoted, formulas made harmless, numbers left alone', async () => {
    const house = await twoMeters();
    const { status, headers, text } = await download(house);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="Villa Volt readings.csv"; filename*=UTF-8''Villa%20Volt%20readings.csv`,
    );
    const name = `"'=HYPERLINK(""x"";""y"")"`;
    const { username } = house.owner;
    const end = (id: number, batch: number) => `manual,NOTE,2026-06-15T12:00:00Z,${id},${batch}\r\n`;
    const ids = (
      await house.get(
        `/api/readings/property/${house.property_id}/range?start_date=2026-01-01&end_date=2027-01-01`,
      )
    ).body.items;
    const tail = (i: number, note: string) => end(ids[i].id, ids[i].batch_id).replace('NOTE', note);
    expect(text).toBe(
      `${EXPORT_COLUMNS.join(',')}\r\n` +
        `2026-01-01T00:00:00Z,Main meter,main_meter,100.5,${username},absolute,,,,${tail(0, '"a\nb"')}` +
        `2026-01-01T00:00:00Z,${name},sub_meter,7,${username},absolute,,"'+46 cellar, ""left""",,${tail(1, "'-1+2")}` +
        `2026-01-01T00:30:00.250Z,${name},sub_meter,0.125,${username},relative,2026-01-01T00:00:00Z,"'+46 cellar, ""left""",,${tail(2, '')}` +
        `2026-02-01T00:00:00Z,Main meter,main_meter,90,${username},absolute,,,decreased,${tail(3, '')}`,
    );
  });

  test('CSV for the spreadsheets of northern Europe: semicolons, decimal commas, a byte order mark', async () => {
    const house = await twoMeters();
    const { text } = await download(house, '?locale=sv&start_date=2026-01-01&end_date=2026-01-02');
    const lines = text.split('\r\n');
    expect(lines[0]).toBe(`\ufeff${EXPORT_COLUMNS.join(';')}`);
    expect(lines[1]!.split(';').slice(0, 4)).toEqual([
      '2026-01-01T00:00:00Z',
      'Main meter',
      'main_meter',
      '100,5',
    ]);
  });

  test('a period in days of the property’s zone, one meter, and nothing at all', async () => {
    const house = await newHouse(server, { timezone: 'Europe/Stockholm' });
    const gone = await house.submeter('gone');
    for (const at of [
      '2026-01-31T22:59:00Z',
      '2026-01-31T23:00:00Z',
      '2026-02-28T22:59:00Z',
      '2026-02-28T23:00:00Z',
    ]) {
      await house.given(house.main_id, at, '1');
    }
    await house.given(gone, '2026-02-01T12:00:00Z', '5');
    await house.retire('meters', gone);
    const stamps = async (query: string) =>
      (await download(house, query)).text
        .trim()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',')[0]);
    expect(await stamps('?start_date=2026-02-01&end_date=2026-03-01')).toEqual([
      '2026-01-31T23:00:00Z',
      '2026-02-28T22:59:00Z',
    ]);
    expect(await stamps(`?meter_id=${gone}`)).toEqual(['2026-02-01T12:00:00Z']);
    expect(await stamps('?start_date=2030-01-01')).toEqual([]);
    const answer = (query: string) => house.get(`/api/readings/property/${house.property_id}/export${query}`);
    expectProblem(await answer('?start_date=2026-02-01&end_date=2026-02-01'), 'validation_failed', {
      errors: ['end_date'],
    });
    expectProblem(await answer('?format=pdf'), 'validation_failed', { errors: ['format'] });
    expectProblem(await answer('?meter_id=999999'), 'validation_failed', { errors: ['meter_id'] });
  });

  test('a tenant gets the meters of the membership and no others', async () => {
    const house = await twoMeters();
    const tenant = await server.newPerson();
    await join(house, tenant, 'tenant', [house.flat]);
    for (const format of ['csv', 'ndjson', 'greenbutton']) {
      const { text } = await download(house, `?format=${format}`, tenant.token);
      expect(text).not.toMatch(/Main meter|100\.?5/);
      expect(text).toMatch(/HYPERLINK/);
    }
    const sheets = unzip((await download(house, '?format=xlsx', tenant.token)).bytes);
    expect([...sheets.values()].join('')).not.toMatch(/Main meter|100\.5/);
    const path = `/api/readings/property/${house.property_id}/export?meter_id=${house.main_id}`;
    expectProblem(await server.call('GET', path, { token: tenant.token }), 'validation_failed', {
      errors: ['meter_id'],
    });
  });

  test('more than a page streams whole, in order', async () => {
    const house = await newHouse(server);
    // Three of an instant: pages end between them.
    for (const name of ['attic', 'flat']) await house.submeter(name);
    const count = 800;
    const at = (i: number) =>
      new Date(Date.parse('2020-01-01T00:00:00Z') + i * 60_000).toISOString().replace('.000', '');
    const rows = Array.from({ length: count }, (_, i) => `${at(i)},${i},${i},${i}`);
    const upload = ['timestamp,Main meter,attic,flat', ...rows].join('\n');
    await house.owner.client.importReadings({
      property_id: house.property_id,
      content_type: 'text/csv',
      upload,
    });
    const lines = (await download(house)).text.trim().split('\r\n').slice(1);
    const numbers = Array.from({ length: count }, (_, i) => String(i));
    expect(lines.map((line) => line.split(',')[3])).toEqual(numbers.flatMap((each) => [each, each, each]));
    const blocks = (await download(house, '?format=greenbutton')).text.match(/<IntervalReading>/g);
    expect(blocks).toHaveLength(3 * count);
    const sheets = unzip((await download(house, '?format=xlsx')).bytes);
    expect(sheets.get('xl/worksheets/sheet1.xml')!.match(/<row /g)).toHaveLength(3 * count + 1);
  });

  describe('what was exported comes back in unchanged', () => {
    const NAMES = ['=1+1', "'=x", "'quoted", '-a,b;c', 'Kök "å" <&>', '@home\u2028x', '2026-01-01'];
    const stamp = fc
      .integer({ min: 0, max: 200_000_000 })
      .map((s) => Date.parse('2019-01-01T00:00:00Z') + s * 1000);
    const house = fc.record({
      names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 2 }),
      registers: fc.uniqueArray(stamp, { minLength: 1, maxLength: 8 }),
      intervals: fc.array(fc.integer({ min: 0, max: 999_999_999_999 }), { minLength: 1, maxLength: 8 }),
      first: stamp,
      note: fc.constantFrom(null, '=cmd', "'", 'a\n"b";c', '-'),
    });
    const TYPES = {
      csv: 'text/csv',
      'csv&locale=de': 'text/csv',
      ndjson: 'application/x-ndjson',
      greenbutton: 'application/atom+xml',
      xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      'xlsx&sheets=per_meter': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    } as const;

    /** What a reading says, without what belongs to the ledger that it stands in. */
    const plain = (lines: string, with_note: boolean) =>
      lines
        .trim()
        .split('\n')
        .map((line) => {
          const { meter, reading_timestamp, value, reading_type, period_start, note } = JSON.parse(line);
          return {
            meter,
            reading_timestamp,
            value,
            reading_type,
            period_start,
            note: with_note ? note : null,
          };
        });

    async function houseWith(names: readonly string[]): Promise<House> {
      const made = await newHouse(server);
      for (const name of names) await made.submeter(name);
      return made;
    }

    test.each(Object.keys(TYPES) as (keyof typeof TYPES)[])('%s', async (format) => {
      const check = async ({ names, registers, intervals, first, note }: Generated) => {
        const from = await houseWith(names);
        const [counter, smart] = names as [string, string];
        const at = (ms: number) => new Date(ms).toISOString();
        const lines = [
          ...registers.map((ms, i) => ({
            meter: counter,
            reading_timestamp: at(ms),
            value: `${i}.125`,
            note,
          })),
          ...intervals.map((wh, i) => ({
            ...{ meter: smart, reading_type: 'relative', value: formatKwh(wh), note: null },
            ...{ period_start: at(first + i * 900_000), reading_timestamp: at(first + (i + 1) * 900_000) },
          })),
        ];
        const upload = lines.map((line) => JSON.stringify(line)).join('\n');
        const content_type = 'application/x-ndjson';
        await from.owner.client.importReadings({ property_id: from.property_id, content_type, upload });
        const to = await houseWith(names);
        const { bytes } = await download(from, `?format=${format}`);
        const sent = {
          property_id: to.property_id,
          content_type: TYPES[format],
          upload: new Uint8Array(bytes),
        };
        expect(await to.owner.client.importReadings(sent)).toMatchObject({ recorded: lines.length });
        const both = await Promise.all([from, to].map((each) => download(each, '?format=ndjson')));
        // Green Button has no place for notes.
        const [before, after] = both.map(({ text }) => plain(text, format !== 'greenbutton'));
        expect(after).toEqual(before);
      };
      await fc.assert(fc.asyncProperty(house, check), { numRuns: 8 });
    });
    type Generated = typeof house extends fc.Arbitrary<infer G> ? G : never;
  });

  test('XLSX: real numbers and dates in the zone of the property, a frozen heading, a sheet or one for each meter', async () => {
    const house = await twoMeters();
    const { bytes, headers } = await download(house, '?format=xlsx');
    expect(headers.get('content-type')).toMatch(/spreadsheetml\.sheet$/);
    const one = unzip(bytes);
    const sheet = one.get('xl/worksheets/sheet1.xml')!;
    expect(sheet).toContain('state="frozen"');
    expect(sheet).toContain('<c r="D2" s="2"><v>100.5</v></c>');
    // 2026-01-01T01:00 in Stockholm.
    expect(sheet).toMatch(/<c r="O2" s="3"><v>46023\.0416666\d+<\/v><\/c>/);
    expect(sheet).toContain('=HYPERLINK(&quot;x&quot;;&quot;y&quot;)</t></is></c>');
    expect(sheet).not.toContain('<f>');
    expect(one.get('xl/workbook.xml')).toContain('<sheet name="Readings" sheetId="1" r:id="rId1"/>');
    const two = unzip((await download(house, '?format=xlsx&sheets=per_meter')).bytes);
    expect(two.get('xl/workbook.xml')!.match(/<sheet /g)).toHaveLength(2);
    expect(two.get('xl/worksheets/sheet2.xml')!.match(/<row /g)).toHaveLength(3);
  });

  test('Green Button: registers without duration, intervals with theirs, each below its own usage point', async () => {
    const house = await twoMeters();
    const { text } = await download(house, '?format=greenbutton');
    const point = `/espi/1_1/resource/RetailCustomer/${house.property_id}/UsagePoint/${house.flat}`;
    expect(text).toContain(`<link rel="self" href="${point}"/>`);
    expect(text).toContain('<title>=HYPERLINK(&quot;x&quot;;&quot;y&quot;)</title>');
    expect(text).toContain(`<link rel="up" href="${point}/MeterReading/4/IntervalBlock"/>`);
    const start = Date.parse('2026-01-01T00:00:00Z') / 1000;
    expect(text).toContain(
      `<IntervalReading><timePeriod><duration>1800</duration><start>${start}</start></timePeriod><value>125</value></IntervalReading>`,
    );
    expect(text).toContain(
      `<IntervalReading><timePeriod><duration>0</duration><start>${start}</start></timePeriod><value>100500</value></IntervalReading>`,
    );
    expect(text.endsWith('</feed>\n')).toBe(true);
  });
});

test('sheets have names that a workbook can have', () => {
  expect(sheetName('a/b:c*?[d]\\e', [])).toBe('a b c   d  e');
  expect(sheetName("'", [])).toBe('Sheet');
  expect(sheetName('x'.repeat(40), ['X'.repeat(31)])).toBe(`${'x'.repeat(29)} 2`);
});
