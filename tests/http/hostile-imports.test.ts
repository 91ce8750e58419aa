/** Files that are broken, something else, or mean harm: refused in a sentence, or read rightly; never a 500. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

const NOW = '2026-06-15T12:00:00Z';
const T1 = '2026-01-01T00:00:00Z';
const own = (...rows: string[]) => `timestamp,Main meter\n${rows.join('\n')}\n`;
/** A table of somebody else, in which one cell is as wanted. */
const date = (cell: string) =>
  `Datum;Tid;Main meter\n${cell};00:00;1\n2026-01-02;00:00;2\n2026-01-03;00:00;3\n`;
const value = (cell: string) =>
  `Datum;Main meter\n2026-01-01 00:00;1,5\n2026-01-02 00:00;${cell}\n2026-01-03 00:00;99999,5\n`;
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const PDF = Buffer.concat([
  Buffer.from('%PDF-1.7\n%'),
  Buffer.from([0xe2, 0xe3, 0xcf, 0xd3, 0x0a, 0]),
  Buffer.alloc(2000, 7),
]);
const LAUGHS = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
const attributes = () => Array.from({ length: 1_000_000 }, (_, i) => `a${i}=""`).join(' ');

type Refused = [name: string, body: () => string | Buffer, code: string, said: RegExp];
const REFUSED: Refused[] = [
  [
    'a million columns',
    () => `timestamp${',m'.repeat(400_000)}\n`,
    'validation_failed',
    /^line 1: has more than 10000 cells/,
  ],
  [
    'a row of a million cells',
    () => own(`${T1}${','.repeat(900_000)}`),
    'validation_failed',
    /^line 2: has more than 10000 cells/,
  ],
  [
    'a cell of 64 MB',
    () => Buffer.alloc(64_000_000, 'x'),
    'body_too_large',
    /Line 1 is longer than 1000000 characters/,
  ],
  [
    'a quoted cell of 64 MB',
    () => `timestamp,"${'x\n'.repeat(32_000_000)}`,
    'body_too_large',
    /Line 1 .* quotation mark/,
  ],
  ['quotes without end', () => `timestamp,Main meter\n${'"'.repeat(3_000_000)}`, 'body_too_large', /Line 2 /],
  [
    'a quote that is never closed',
    () => own(`${T1},"5`),
    'validation_failed',
    /^line 2: has a quotation mark in cell 2/,
  ],
  ['NUL bytes', () => own(`${T1},\0`), 'validation_failed', /^line 2: has a NUL byte/],
  ['gzip', () => gzipSync(own(`${T1},1`)), 'validation_failed', /^line 1: is compressed \(gzip\): unpack/],
  ['a PDF', () => PDF, 'validation_failed', /^line 1: is a PDF/],
  ['an old spreadsheet', () => Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'validation_failed', /XLSX or CSV/],
  ['a picture', () => Buffer.from('89504e470d0a1a0a', 'hex'), 'validation_failed', /picture/],
  ['a web page', () => '<!doctype html><html><body>Sign in</body></html>', 'validation_failed', /web page/],
  ['a JSON list', () => `[{"timestamp":"${T1}","value":1}]`, 'validation_failed', /NDJSON/],
  ['JSON over several lines', () => `{\n "timestamp": "${T1}"\n}`, 'validation_failed', /NDJSON/],
  ['XML without end of depth', () => '<a>'.repeat(100_000), 'invalid_request', /nested deeper than 50/],
  [
    'a billion laughs',
    () => `<!DOCTYPE f [<!ENTITY l0 "lol">${LAUGHS}]><feed>&l9;</feed>`,
    'invalid_request',
    /document type/,
  ],
  [
    'a file from elsewhere',
    () => '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><f>&x;</f>',
    'invalid_request',
    /document type/,
  ],
  [
    'a million attributes',
    () => `<feed ${attributes()}/>`,
    'invalid_request',
    /Line 1: .* more than 100 attributes/,
  ],
  ['nothing', () => '', 'validation_failed', /^line 1: is empty/],
  ['a mark alone', () => '\ufeff', 'validation_failed', /^line 1: is empty/],
  ['separators alone', () => ';;;;\n'.repeat(1000), 'validation_failed', /^line 1: has no heading/],
  [
    'bytes of no meaning',
    () => Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 167 + 13) % 256)),
    'validation_failed',
    /line \d+/,
  ],
  [
    'the same meter twice',
    () => `timestamp,Main meter,MAIN METER\n${T1},1,2\n`,
    'validation_failed',
    /^line 1: heads two columns Main meter/,
  ],
  [
    'a meter called __proto__',
    () => `timestamp,__proto__\n${T1},1\n`,
    'validation_failed',
    /^line 1: .*__proto__/,
  ],
  [
    'a meter called constructor',
    () => `Datum;constructor;__proto__\n2026-01-01;1;2\n`,
    'validation_failed',
    /^line 1: /,
  ],
  [
    'a name of 10,000 characters',
    () => `timestamp,${'x'.repeat(10_000)}\n${T1},1\n`,
    'validation_failed',
    /^line 1: .{0,600}$/,
  ],
  [
    'rows of a name of 10,000 characters',
    () => `Date,Meter,Reading\n2026-01-01,${'x'.repeat(10_000)},1\n2026-01-02,y,1\n`,
    'validation_failed',
    /^line 2: .{0,600}$/,
  ],
  [
    'a formula',
    () => own(`${T1},=cmd|' /C calc'!A0`),
    'validation_failed',
    /^line 2: Main meter: must be a plain decimal/,
  ],
  ['a formula in a table', () => value('=1+1'), 'validation_failed', /^line 3: Main meter: must be a number/],
  ['31 February', () => date('2026-02-31'), 'validation_failed', /^line 2: Datum: is no date/],
  ['the year 1', () => date('0001-01-01'), 'validation_failed', /^line 2: Datum: is no date/],
  ['the year 9999', () => date('9999-12-31'), 'validation_failed', /^line 2: Datum: lies in the future/],
  [
    'the year 275760',
    () => own('+275760-09-13T00:00:00Z,1'),
    'validation_failed',
    /^line 2: timestamp: must be an RFC 3339/,
  ],
  [
    'the year 9999 of its own',
    () => own('9999-12-31T23:59:59-23:59,1'),
    'validation_failed',
    /^line 2: timestamp: /,
  ],
  ...['1e999', '0x10', 'Infinity', '-Infinity', '1.2.3', '1,2,3', '5 %', '12 kr', '$5', '١٢', '1_000'].map(
    (cell): Refused => [
      `the amount ${cell}`,
      () => value(cell),
      'validation_failed',
      /^line 3: Main meter: must be a number with , before its decimals/,
    ],
  ),
  ...['-5', '\u22125', '-0,5'].map(
    (cell): Refused => [
      `the amount ${cell}`,
      () => value(cell),
      'validation_failed',
      /^line 3: Main meter: must not be negative/,
    ],
  ),
  [
    'an amount beyond all registers',
    () => value('9'.repeat(15)),
    'validation_failed',
    /^line 3: Main meter: must be at most/,
  ],
  [
    'a million amounts that are none',
    () => own(...Array.from({ length: 200_000 }, () => `${T1},x`)),
    'validation_failed',
    /^line 2: Main meter/,
  ],
];

/** What looks odd, and is read: in Wh at the second instant. */
const READ: [name: string, body: () => string | Buffer, second: string][] = [
  ['UTF-16 with its mark', () => utf16(`\ufeff${own(`${T1},1`, '2026-01-02T00:00:00Z,2')}`), '2'],
  ['UTF-16 without', () => utf16(own(`${T1},1`, '2026-01-02T00:00:00Z,2')), '2'],
  ...[' ', '\u00a0', '\u2009', '\u202f', "'"].map((space): (typeof READ)[number] => [
    `12${space}345,6`,
    () => value(`12${space}345,6`),
    '12345.6',
  ]),
];

describe.each(ENGINES)('hostile files on %s', (engine) => {
  let server: TestServer;
  let owner: Person;
  let house: House;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    owner = await server.newPerson();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    house = await newHouse(server, { owner });
  });
  const upload = (body: unknown) =>
    server.call('POST', `/api/readings/import?property_id=${house.property_id}&create_missing=false`, {
      token: owner.token,
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });

  test.each(REFUSED)('%s is refused, and nothing is changed', async (_, body, code, said) => {
    const before = await counts(server.db);
    const answer = await upload(body());
    const [first] = answer.body.errors ?? [];
    expect([answer.body.code, first ? `${first.path}: ${first.message}` : answer.body.detail]).toEqual([
      code,
      expect.stringMatching(said),
    ]);
    expect(await counts(server.db)).toEqual(before);
  });

  test.each(READ)('%s is read', async (_, body, second) => {
    const { status, body: report } = await upload(body());
    expect([status, report.errors]).toEqual([201, []]);
    const { items } = (await house.get(`/api/readings/meter/${house.main_id}/history`)).body;
    expect(items.at(-2).value).toBe(second);
  });
});
