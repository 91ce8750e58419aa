/** Workbooks as spreadsheet programs and their libraries write them: sheets, dates, numbers, formulas. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Parts, row, workbookBytes } from '../../../../tests/support/workbook.ts';
import { DomainError } from '../../errors.ts';
import type { FoundError, FoundReading, Wishes } from './format.ts';
import { open } from './open.ts';

const FILES = new URL('../../../../tests/files/xlsx/', import.meta.url);
const fileOf = (name: string) => readFileSync(new URL(name, FILES));

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(file: Uint8Array, wishes: Wishes = {}, zone = 'Europe/Stockholm') {
  const { plan, readings, close } = await open(pieces(file, 1000), wishes, zone);
  const all: FoundReading[] = [];
  const errors: FoundError[] = [];
  try {
    for await (const found of readings) {
      all.push(...found.readings);
      errors.push(...found.errors);
    }
  } finally {
    await close?.();
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
const made = async (parts: Parts, wishes: Wishes = {}, zone?: string) =>
  read(await workbookBytes(parts), wishes, zone);
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}
const sheet = (...rows: string[]) => ({ sheets: { S: rows.join('') } });

describe('real files', () => {
  test('a column per meter below a title in merged cells; numbers with the tails of doubles; hidden sheets', async () => {
    const { plan, readings, errors } = await read(fileOf('openpyxl-wide-dates-hidden-sheet.xlsx'));
    expect(errors).toEqual([]);
    expect(plan).toMatchObject({
      format: 'xlsx',
      layout: 'wide',
      delimiter: null,
      encoding: null,
      heading_line: 3,
    });
    expect(plan.explained).toContain('Hidden sheets are left out: "Gamla".');
    expect(plan.explained).toContain('Sheets that are no such table are left out: "Anteckningar".');
    const main = readings.filter(({ meter }) => meter === 'Huvudmätare');
    const hours = Array.from({ length: 48 }, (_, i) => Date.parse('2025-12-31T23:00:00Z') + i * 3_600_000);
    expect(main.map((each) => [each.reading_timestamp, each.value_wh])).toEqual(
      hours.map((at, i) => [at, 1_000_200 + i * 100]),
    );
    const kitchen = readings.filter(({ meter }) => meter === 'Kök');
    expect(kitchen.map(({ value_wh }) => value_wh)).toEqual(
      Array.from({ length: 16 }, (_, i) => 50_000 + i * 3),
    );
  });

  test('days counted from 1904, date and time in two columns', async () => {
    const { readings, errors, plan } = await read(fileOf('openpyxl-1904-date-and-time.xlsx'));
    expect(errors).toEqual([]);
    expect(plan.explained.join(' ')).toContain('from 1904');
    expect(plan.columns).toEqual({ date: 'Date', time: 'Time', meter: 'Meter', value: 'Reading (kWh)' });
    // Summer time begins on the 29th.
    expect([readings.length, ...[readings[0]!, readings[59]!].map(plainly)]).toEqual([
      60,
      ['Kitchen', '2026-03-01T05:30:00Z', 100_000],
      ['Kitchen', '2026-03-30T16:30:00Z', 129_500],
    ]);
  });

  test('results of formulas, texts with formats inside, an error in its place', async () => {
    const { readings, errors } = await read(fileOf('xlsxwriter-formulas.xlsx'));
    expect(readings.map(({ value_wh }) => value_wh)).toEqual(
      Array.from({ length: 24 }, (_, i) => 10_500 + i * 250),
    );
    expect(new Set(readings.map(({ meter }) => meter))).toEqual(new Set(['Flat 1']));
    expect(errors).toEqual([
      {
        line: 26,
        column: 'Total (kWh)',
        message: 'must be a number with . before its decimals, not "#DIV/0!"',
      },
    ]);
  });

  test('a row per day, its half-hours headed by real times', async () => {
    const { readings, errors } = await read(fileOf('xlsxwriter-row-per-day-inline.xlsx'), { meter: 'Flat' });
    expect([errors, readings.length]).toEqual([[], 1920]);
    expect(plainly(readings[49]!)).toEqual(['Flat', '2026-01-02T00:00:00Z', 150, '2026-01-01T23:30:00Z']);
  });

  test('a sheet for each meter, which its name names; a wish for one name takes them together', async () => {
    const file = fileOf('xlsxwriter-sheet-per-flat.xlsx');
    const { readings, plan } = await read(file);
    expect(plan.explained).toContain('No column names a meter: each sheet is the meter of its name.');
    expect(readings.map(plainly).filter((_, i) => i % 10 === 9)).toEqual([
      ['Flat A', '2026-01-09T23:00:00Z', 101_125],
      ['Flat B', '2026-01-09T23:00:00Z', 201_125],
    ]);
    expect(readings[10]!.line).toBe(20_000_002);
    const together = await read(file, { meter: 'House' });
    expect(new Set(together.readings.map(({ meter }) => meter))).toEqual(new Set(['House']));
  });

  test('whatever is changed in them, there are readings, errors or a refusal', async () => {
    const random = generator(4711);
    const originals = readdirSync(FILES).map(fileOf);
    const unpacked = await workbookBytes({ sheets: { S: row(1, 'Date', 'M') + row(2, '2026-01-01', 1) } });
    for (let run = 0; run < Number(process.env.FUZZ_RUNS ?? 400); run += 1) {
      const original = [...originals, unpacked][random(originals.length + 1)]!;
      const bytes = Buffer.from(original.subarray(0, random(5) ? original.length : random(original.length)));
      // The directory is at the end, where most of what can be believed stands.
      const from = random(2) ? Math.max(0, bytes.length - 1200) : 0;
      for (let i = 1 + random(5); i > 0 && bytes.length > 4; i -= 1)
        bytes[Math.max(4, from + random(bytes.length - from))] = random(256);
      const outcome = await read(bytes).catch((error) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DomainError);
      else for (const { value_wh } of outcome.readings) expect(Number.isSafeInteger(value_wh)).toBe(true);
    }
  });
});

test('whatever is changed in the XML of a workbook, there are readings, errors or a refusal', async () => {
  const random = generator(11);
  const tokens = [
    '<',
    '>',
    '/>',
    '&',
    '"',
    '<c>',
    '</row>',
    '<v>',
    't="s"',
    'r="XFD1048576"',
    '1e400',
    '-1',
    '&#x0;',
    '<!--',
    '<![CDATA[',
    '<!DOCTYPE x>',
    '\u{1f600}',
    '9'.repeat(40),
  ];
  const cells = (i: number) =>
    row(i + 2, [46_023 + i / 24, 1], i % 2 ? [0, 's'] : 'Cellar', i + 0.5, [1, 'b'], ['#N/A', 'e']);
  const rows =
    row(1, 'Date', 'Meter', 'Register', 'Seen', 'Note') +
    Array.from({ length: 20 }, (_, i) => cells(i)).join('');
  const original = {
    rows,
    texts: '<si><t>Attic</t></si><si><r><t>x</t></r></si>',
    properties: 'date1904="0"',
    format: 'dd/mm/yyyy hh:mm;[Red]@',
  };
  let read_whole = 0;
  for (let run = 0; run < Number(process.env.FUZZ_RUNS ?? 400); run += 1) {
    const parts = { ...original };
    const what = (['rows', 'rows', 'rows', 'texts', 'properties', 'format'] as const)[random(6)]!;
    const at = random(parts[what].length);
    const token = random(2) ? tokens[random(tokens.length)]! : '';
    parts[what] = parts[what].slice(0, at) + token + parts[what].slice(at + random(random(2) ? 4 : 200));
    const { rows, texts, properties, format } = parts;
    const file = await workbookBytes({
      sheets: { S: rows, T: rows },
      texts,
      properties,
      formats: [format.replaceAll('<', '').replaceAll('&', '')],
    });
    const outcome = await read(file).catch((error) => error);
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DomainError);
    else for (const { value_wh } of outcome.readings) expect(Number.isSafeInteger(value_wh)).toBe(true);
    if (!(outcome instanceof Error)) read_whole += 1;
  }
  // Not all of it is refused at the door.
  expect(read_whole).toBeGreaterThan(50);
});

describe('cells', () => {
  test('gaps, cells without references, empty rows and what comes after the data', async () => {
    const { readings } = await made({
      ...sheet(
        '<row><c t="inlineStr"><is><t>Date</t></is></c><c r="C1" t="inlineStr"><is><r><t>At</t></r><r><t>tic</t></r><rPh><t>x</t></rPh></is></c><c r="D1" t="str"><f>"Cell"&amp;"ar"</f><v>Cellar</v></c></row>',
        '<row r="4"/><row r="7" hidden="1"><c r="A7" t="d"><v>2026-01-01T00:00:00</v></c><c r="D7"><v>5</v></c></row>',
        '<row><c r="A8" s="1"><v>46024</v></c><c r="C8"><v>1</v></c></row>',
      ),
      formats: [14],
    });
    expect(readings.map((each) => [each.line, ...plainly(each)])).toEqual([
      [7, 'Cellar', '2025-12-31T23:00:00Z', 5000],
      [8, 'Attic', '2026-01-01T23:00:00Z', 1000],
    ]);
  });

  test('shared texts in runs, without how they are pronounced', async () => {
    const texts =
      '<si><r><t>Kök</t></r><r><t xml:space="preserve"> 1</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si>';
    const { plan } = await made({ ...sheet(row(1, 'Date', [0, 's']), row(2, '2026-01-01', 1)), texts });
    expect(plan.meters).toEqual(['Kök 1']);
  });

  test('a formula that was never calculated is an error, not an empty cell', async () => {
    const { errors } = await made(
      sheet(
        row(1, 'Date', 'M'),
        row(2, '2026-01-01', 1),
        '<row r="3"><c r="A3" t="str"><v>2026-01-02</v></c><c r="B3"><f>B2+1</f></c></row>',
      ),
    );
    expect(errors).toEqual([
      { line: 3, column: 'M', message: 'must be a number with . before its decimals, not "=B2+1"' },
    ]);
  });

  test('numbers are exact whichever mark the texts among them have before their decimals', async () => {
    const rows = [
      row(1, 'Date', 'M'),
      row(2, '2026-01-01', 1.234),
      row(3, '2026-01-02', '1,300'),
      row(4, '2026-01-03', '1,4'),
    ];
    const said = await made(sheet(...rows), { decimal: ',' });
    expect(said.readings.map(({ value_wh }) => value_wh)).toEqual([1234, 1300, 1400]);
    const texts = await made(
      sheet(row(1, 'Date', 'M'), row(2, '2026-01-01', '1,5'), row(3, '2026-01-02', '2,25')),
    );
    expect([texts.plan.decimal, texts.readings.map(({ value_wh }) => value_wh)]).toEqual([',', [1500, 2250]]);
  });

  test('the hour that came twice, in real dates: the order of the rows tells', async () => {
    // 2026-10-25 02:00 and 02:30 in Stockholm, twice.
    const serials = [46_320 + 1.5 / 24, ...[2, 2.5, 2, 2.5].map((h) => 46_320 + h / 24), 46_320 + 3 / 24];
    const rows = serials.map((serial, i) => row(i + 2, [serial, 1], i));
    const { readings, errors } = await made({
      ...sheet(row(1, 'Time', 'M'), ...rows),
      formats: ['yyyy\\-mm\\-dd hh:mm'],
    });
    expect(errors).toEqual([]);
    const half_hours = ['23:30', '00:00', '00:30', '01:00', '01:30', '02:00'];
    expect(readings.map(({ reading_timestamp }) => iso(reading_timestamp)!.slice(11, 16))).toEqual(
      half_hours,
    );
  });

  test('a sheet with another heading is left out; Strict workbooks and prefixed elements are read', async () => {
    const rows = (meter: string) => row(1, 'Date', meter) + row(2, '2026-01-01', 1);
    const { plan, readings } = await made({ sheets: { A: rows('M'), B: rows('N'), C: rows('m ') } });
    expect(plan.explained[2]).toBe('Sheets that are no such table are left out: "B".');
    expect(readings.map(({ line }) => line)).toEqual([2, 20_000_002]);
    const prefixed = rows('M').replaceAll('<', '<x:').replaceAll('<x:/', '</x:');
    const part = `<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData>${prefixed}</x:sheetData></x:worksheet>`;
    const strict = await made({ ...sheet(''), others: { 'xl/worksheets/sheet1.xml': `\ufeff${part}` } });
    expect(strict.readings).toHaveLength(1);
  });
});
