/** Tables in the dialects that people have: what is understood, and what is asked back. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../errors.ts';
import type { FoundError, FoundReading, Wishes } from './format.ts';
import { open } from './open.ts';

const FILES = new URL('../../../../tests/files/csv/', import.meta.url);
function fileOf(name: string): Buffer {
  const bytes = readFileSync(new URL(name, FILES));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(file: string | Uint8Array, wishes: Wishes = {}, zone = 'Europe/Stockholm') {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const { plan, readings } = await open(pieces(bytes, 10_000), wishes, zone);
  const all: FoundReading[] = [];
  const errors: FoundError[] = [];
  for await (const found of readings) {
    all.push(...found.readings);
    errors.push(...found.errors);
  }
  return { plan, readings: all, errors };
}

const iso = (instant_ms: number | null) =>
  instant_ms === null ? null : new Date(instant_ms).toISOString().replace('.000', '');
/** meter, end, Wh, and the start of an interval. */
const plainly = ({ meter, reading_timestamp, value_wh, period_start }: FoundReading) => [
  meter,
  iso(reading_timestamp),
  value_wh,
  ...(period_start === null ? [] : [iso(period_start)]),
];

describe('real files', () => {
  test('the house in Sceaux as a northern spreadsheet writes it: every total', async () => {
    const file = fileOf('hourly-registers-semicolon.csv.gz');
    const { readings, errors, plan } = await read(file, { timezone: '+01:00' });
    expect(errors).toEqual([]);
    expect(plan).toMatchObject({ layout: 'wide', delimiter: ';', decimal: ',', reading_type: 'absolute' });
    const used = Object.entries(Object.groupBy(readings, ({ meter }) => meter)).map(([meter, list]) => [
      meter,
      list!.length,
      list!.at(-1)!.value_wh - list![0]!.value_wh,
    ]);
    expect(used).toEqual([
      ['Huvudmätare', 34_950, 37_280_574],
      ['Kök', 34_950, 2_299_135],
      ['Tvättstuga', 34_950, 2_661_012],
    ]);
  });

  test('in the zone of the house, the hours that clocks skipped and repeated are told, with their lines', async () => {
    const { errors } = await read(fileOf('hourly-registers-semicolon.csv.gz'), {}, 'Europe/Paris');
    expect(errors).toHaveLength(8);
    expect(errors.filter(({ message }) => /did not exist/.test(message))).toHaveLength(4);
    expect(errors.filter(({ message }) => /existed twice/.test(message))).toHaveLength(4);
  });

  test('half-hours with a sep= line, written-out months, label at the end', async () => {
    const { readings, errors, plan } = await read(fileOf('half-hourly-missing.csv'), {}, 'Europe/London');
    expect(errors).toEqual([]);
    expect(plan).toMatchObject({ layout: 'long', label: 'end', reading_type: 'relative', unit: 'kWh' });
    expect(plainly(readings[0]!)).toEqual([
      ...['1710035168313', '2019-08-25T23:30:00Z', 14_400, '2019-08-25T23:00:00Z'],
    ]);
  });

  test('half-hours that begin with midnight are labelled at their start', async () => {
    const { readings, plan } = await read(fileOf('row-per-reading-some-missing.csv'), {}, 'Europe/London');
    expect(plan.label).toBe('start');
    expect(plainly(readings[0]!)).toEqual([
      ...['1700052624128', '2019-12-03T00:30:00Z', 1000, '2019-12-03T00:00:00Z'],
    ]);
  });

  test('a row per day: asked back which part of the date is the day, then read', async () => {
    const file = fileOf('row-per-day-duplicates.csv');
    await expect(read(file)).rejects.toMatchObject({ errors: [{ path: 'date_format' }] });
    const { readings, errors } = await read(
      file,
      { date_format: 'dd/mm/yyyy', round: true },
      'Europe/London',
    );
    expect(errors).toEqual([]);
    expect(readings).toHaveLength(96);
    expect(plainly(readings[48]!)).toEqual([
      'K0229111D6',
      '2018-11-12T00:30:00Z',
      9900,
      '2018-11-12T00:00:00Z',
    ]);
    const without = await read(file, { date_format: 'dd/mm/yyyy' });
    expect(without.errors[0]!.message).toMatch(/say round=true/);
  });

  test('Home Assistant: the row of an hour holds the register at its end, whichever way its columns stand', async () => {
    const first = await read(fileOf('home-assistant-sum-state.tsv'), {}, 'UTC');
    expect(plainly(first.readings[0]!)).toEqual(['sensor.imp_after', '2025-12-29T09:00:00Z', 10_000]);
    const { readings } = await read(fileOf('home-assistant-state-sum.tsv'), {}, 'UTC');
    expect(plainly(readings[0]!)).toEqual([
      ...['sensor.esp32_gasmonitoring_gasenergykwh', '2024-01-08T00:00:00Z', 274_021_600],
    ]);
  });

  test('a broken quote is refused', async () => {
    await expect(read(fileOf('row-per-day-malformed.csv'))).rejects.toBeInstanceOf(DomainError);
  });
});

describe('dialects', () => {
  const A = ['2026-01-31T23:00:00Z', 1_234_567];
  const wide = [
    ['kitchen', ...A],
    ['kitchen', '2026-02-28T23:00:00Z', 1_234_800],
  ];
  test.each([
    ['semicolons and commas', 'Datum;kitchen\r\n01.02.2026;1234,567\r\n01.03.2026;1234,8\r\n', wide],
    ['thousands with points', 'Datum;kitchen\n01.02.2026;1.234,567\n01.03.2026;1.234,8\n', wide],
    ['thousands with spaces', 'Datum;kitchen\n01.02.2026;1 234,567\n01.03.2026;1\u00a0234,8\n', wide],
    [
      'thousands with apostrophes',
      'Datum;kitchen\n01.02.2026;1\u2019234.567\n01.03.2026;1\u2019234.8\n',
      wide,
    ],
    ['tabs', 'date\tkitchen\n2026-02-01\t1234.567\n2026-03-01\t1234.8\n', wide],
    ['a mark and CR alone', '\ufeffdate,kitchen\r2026-02-01,1234.567\r2026-03-01,1234.8\r', wide],
    [
      'lines above the heading',
      'My house\nmade 2026\n\nDate,kitchen\n2026/02/01,1234.567\n2026/03/01,1234.8\n',
      wide,
    ],
    ['units in headings', 'Date,kitchen (MWh)\n2026-02-01,1.234567\n2026-03-01,1.2348\n', wide],
    ['Wh', 'Date,kitchen [Wh]\n2026-02-01,1234567\n2026-03-01,1234800\n', wide],
    ['newest first', 'Date,kitchen\n2026-03-01,1234.8\n2026-02-01,1234.567\n', wide.toReversed()],
    ['months in words', 'Date,kitchen\n1 Feb 2026,1234.567\n1 mars 2026,1234.8\n', wide],
    ['the American way', 'Date,kitchen\n"Feb 1, 2026",1234.567\n"Mar 1, 2026",1234.8\n', wide],
    ['quoted headings', '"Date","kitchen"\n"2026-02-01","1234.567"\n"2026-03-01","1234.8"\n', wide],
    [
      'a meter in each row',
      'Date,Meter,Reading\n2026-02-01,kitchen,1234.567\n2026-03-01,kitchen,1234.8\n',
      wide,
    ],
    [
      'times with offsets',
      'Time stamp,kitchen\n2026-02-01 00:00:00+01:00,1234.567\n2026-03-01T00:00:00+0100,1234.8\n',
      wide,
    ],
    ['AM and PM', 'Date,kitchen\n2026-02-01 12:00 AM,1234.567\n2026-03-01 12:00 AM,1234.8\n', wide],
    ['midnight as 24:00', 'Date,Time,kitchen\n2026-01-31,24:00,1234.567\n2026-02-28,24:00,1234.8\n', wide],
  ])('%s', async (_, text, wanted) => {
    const { readings, errors } = await read(text);
    expect(errors).toEqual([]);
    expect(readings.map(plainly)).toEqual(wanted);
  });

  test('Windows-1252 and UTF-16 are told by their bytes', async () => {
    const text = 'Datum;Kök\n01.02.2026;1234,567\n01.03.2026;1234,8\n';
    const wanted = wide.map(([, ...rest]) => ['Kök', ...rest]);
    const latin = await read(Buffer.from(text, 'latin1'));
    expect([latin.plan.encoding, latin.readings.map(plainly)]).toEqual(['windows-1252', wanted]);
    const wide_text = await read(Buffer.from(`\ufeff${text}`, 'utf16le'));
    expect([wide_text.plan.encoding, wide_text.readings.map(plainly)]).toEqual(['utf-16le', wanted]);
  });

  test('day or month first: decided by the data where one of them is beyond twelve, else asked back', async () => {
    const of = async (a: string, b: string) =>
      (await read(`Date,kitchen\n${a},1\n${b},2\n`)).readings.map(({ reading_timestamp }) =>
        iso(reading_timestamp)!.slice(0, 10),
      );
    expect(await of('03/04/2026', '13/04/2026')).toEqual(['2026-04-02', '2026-04-12']);
    expect(await of('03/04/2026', '03/14/2026')).toEqual(['2026-03-03', '2026-03-13']);
    await expect(of('03/04/2026', '04/04/2026')).rejects.toMatchObject({ errors: [{ path: 'date_format' }] });
    await expect(of('13/04/2026', '04/13/2026')).rejects.toMatchObject({ errors: [{ path: 'date_format' }] });
  });

  test('an hour that came twice: the order of the rows tells which is which, both ways', async () => {
    const hours = ['00:00', '01:00', '02:00', '02:00', '03:00'];
    const text = (list: string[]) =>
      `Date,kitchen kWh\n${list.map((hour) => `25.10.2026 ${hour},5`).join('\n')}\n`;
    const wanted = [
      '2026-10-24T22:00:00Z',
      '2026-10-24T23:00:00Z',
      '2026-10-25T00:00:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-25T02:00:00Z',
    ];
    const stamps = async (list: string[]) =>
      (await read(text(list))).readings.map(({ reading_timestamp }) => iso(reading_timestamp));
    expect(await stamps(hours)).toEqual(wanted);
    expect(await stamps(hours.toReversed())).toEqual(wanted.toReversed());
    const { errors } = await read(text(['00:00', '01:00', '02:00', '03:00']));
    expect(errors.map(({ line, message }) => [line, /existed twice/.test(message)])).toEqual([[4, true]]);
    const skipped = await read('Date,kitchen\n29.03.2026 01:00,1\n29.03.2026 02:30,2\n29.03.2026 03:00,3\n');
    expect(skipped.errors.map(({ line, message }) => [line, /did not exist/.test(message)])).toEqual([
      [3, true],
    ]);
  });

  test('days of intervals are as long as they were', async () => {
    const text = 'Date,Meter,Consumption\n28.03.2026,k,1\n29.03.2026,k,2\n30.03.2026,k,3\n';
    expect((await read(text)).readings.map(plainly)).toEqual([
      ['k', '2026-03-28T23:00:00Z', 1000, '2026-03-27T23:00:00Z'],
      ['k', '2026-03-29T22:00:00Z', 2000, '2026-03-28T23:00:00Z'],
      ['k', '2026-03-30T22:00:00Z', 3000, '2026-03-29T22:00:00Z'],
    ]);
  });

  test('every guess can be overridden', async () => {
    const text = 'when|who|note|amount\n03/04/2026 10:00|k|first|1,5\n03/04/2026 11:00|k||2,5\n';
    const wishes: Wishes = {
      ...{
        delimiter: '|',
        decimal: ',',
        date_format: 'dd/mm/yyyy',
        timezone: 'UTC',
        unit: 'Wh',
        round: true,
      },
      ...{ reading_type: 'relative', label: 'end' },
      columns: { timestamp: 'when', meter: 'who', value: 'amount', note: 'note' },
    };
    const { readings } = await read(text, wishes);
    expect(readings.map(plainly)).toEqual([
      ['k', '2026-04-03T10:00:00Z', 2, '2026-04-03T09:00:00Z'],
      ['k', '2026-04-03T11:00:00Z', 2, '2026-04-03T10:00:00Z'],
    ]);
    expect(readings.map(({ note }) => note)).toEqual(['first', null]);
    await expect(read(text, { ...wishes, columns: { value: 'nothing' } })).rejects.toMatchObject({
      errors: [{ path: 'columns' }],
    });
    await expect(read(text, { ...wishes, date_format: 'whenever' })).rejects.toMatchObject({
      errors: [{ path: 'date_format' }],
    });
  });

  test('rounded registers stand for themselves, rounded intervals for their sum', async () => {
    const text = 'Date,Meter,Reading\n2026-02-01,k,1.0004\n2026-03-01,k,2.0004\n2026-04-01,k,3.0004\n';
    const values = async (wishes: Wishes) =>
      (await read(text, { round: true, ...wishes })).readings.map(({ value_wh }) => value_wh);
    expect(await values({})).toEqual([1000, 2000, 3000]);
    expect(await values({ reading_type: 'relative' })).toEqual([1000, 2001, 3000]);
  });

  test('a column may say when each interval began', async () => {
    const columns = { timestamp: 'to', period_start: 'from', value: 'used' };
    const text = 'from,to,used\n01.02.2026 10:00,01.02.2026 12:30,1\nnever,01.02.2026 13:00,2\n';
    const { readings, errors } = await read(text, {
      columns,
      reading_type: 'relative',
      meter: 'k',
      label: 'end',
    });
    expect(readings.map(plainly)).toEqual([['k', '2026-02-01T11:30:00Z', 1000, '2026-02-01T09:00:00Z']]);
    expect(errors.map(({ line, column }) => [line, column])).toEqual([[3, 'period_start']]);
  });

  test.each([
    ['delimiter', { delimiter: '"' }],
    ['delimiter', { delimiter: 'abc' }],
    ['timezone', { timezone: 'Mars/Olympus' }],
    ['encoding', { encoding: 'klingon' }],
  ])('a wish that nothing can be read with names its field: %s', async (path, wishes) => {
    await expect(read('Date,kitchen\n2026-02-01,1\n', wishes)).rejects.toMatchObject({ errors: [{ path }] });
  });

  test('what is wrong in a row is told with its line and column, and hurts no other', async () => {
    const { readings, errors } = await read(
      'Date,kitchen,attic\n2026-02-01,1,2\n2026-02-30,3,4\n2026-03-01,-5,1e3\n2026-04-01,1.2345,7\n',
    );
    expect(readings.map(plainly).map(([meter, , wh]) => [meter, wh])).toEqual([
      ['kitchen', 1000],
      ['attic', 2000],
      ['attic', 7000],
    ]);
    expect(errors.map(({ line, column }) => [line, column])).toEqual([
      [3, 'Date'],
      [4, 'kitchen'],
      [4, 'attic'],
      [5, 'kitchen'],
    ]);
  });
});
