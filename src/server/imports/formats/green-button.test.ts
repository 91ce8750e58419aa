/** Green Button files: real ones with their known totals, feeds in any order, and files that mean harm. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../errors.ts';
import type { FoundError, FoundReading, Wishes } from './format.ts';
import { open } from './open.ts';

const FILES = new URL('../../../../tests/files/greenbutton/', import.meta.url);
function fileOf(name: string): Buffer {
  const bytes = readFileSync(new URL(name, FILES));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** As an upload comes in: in pieces that end anywhere. */
async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(file: string | Uint8Array, wishes: Wishes = {}, size?: number) {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const { plan, readings } = await open(pieces(bytes, size), wishes, 'UTC');
  const all: FoundReading[] = [];
  const errors: FoundError[] = [];
  for await (const found of readings) {
    all.push(...found.readings);
    errors.push(...found.errors);
  }
  return { plan, readings: all, errors };
}

describe('real files', () => {
  test.each([
    ['coastal-multi-family-2011-hourly.xml.gz', 8760, 4_425_305, '2011-01-01T08:00:00.000Z'],
    ['one-year-daily-with-dst.xml', 444, 9_917_817, null],
    ['nine-days-hourly-with-cost.xml', 216, 199_563, null],
    ['utilityapi-newest-first.xml', 300, 248_530, null],
  ])('%s: %d intervals, %d Wh', async (name, count, total_wh, first) => {
    const { readings, errors } = await read(fileOf(name));
    expect(errors).toEqual([]);
    expect(readings).toHaveLength(count);
    expect(readings.reduce((sum, { value_wh }) => sum + value_wh, 0)).toBe(total_wh);
    expect(new Set(readings.map(({ reading_type }) => reading_type))).toEqual(new Set(['relative']));
    const starts = readings.map(({ period_start }) => period_start!);
    if (first) expect(new Date(Math.min(...starts)).toISOString()).toBe(first);
  });

  test('days of 23 and 25 hours are as long as they were', async () => {
    const { readings } = await read(fileOf('one-year-daily-with-dst.xml'));
    const hours = readings.map(
      ({ period_start, reading_timestamp }) => (reading_timestamp - period_start!) / 3_600_000,
    );
    expect(hours.filter((each) => each === 23)).toHaveLength(2);
    expect(hours.filter((each) => each === 25)).toHaveLength(1);
    expect(hours.filter((each) => each === 24)).toHaveLength(441);
  });
});

const entry = (self: string, up: string, related: string[], content: string, title = '') =>
  `<a:entry><a:link rel="self" href="${self}"/><a:link rel="up" href="${up}"/>${related.map((href) => `<a:link href="${href}" rel="related"/>`).join('')}` +
  `<a:title>${title}</a:title><a:content>${content}</a:content></a:entry>`;
const feed = (...entries: string[]) =>
  `<?xml version="1.0"?><a:feed xmlns:a="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">${entries.join('')}</a:feed>`;
const point = (id: string, title: string) => entry(`U/${id}`, 'U', [`U/${id}/M`], '<e:UsagePoint/>', title);
const meterReading = (id: string, number: number, type: string) =>
  entry(`U/${id}/M/${number}`, `U/${id}/M`, [`U/${id}/M/${number}/B`, type], '<e:MeterReading/>');
const type = (self: string, fields: Record<string, number>) =>
  entry(
    self,
    'T',
    [],
    `<e:ReadingType>${Object.entries(fields)
      .map(([name, value]) => `<e:${name}>${value}</e:${name}>`)
      .join('')}</e:ReadingType>`,
  );
const value = (amount: number | string, start?: number, duration?: number) =>
  `<e:IntervalReading>${start === undefined ? '' : `<e:timePeriod>${duration === undefined ? '' : `<e:duration>${duration}</e:duration>`}<e:start>${start}</e:start></e:timePeriod>`}<e:value>${amount}</e:value></e:IntervalReading>`;
const block = (id: string, number: number, values: string, start = 0) =>
  entry(
    `U/${id}/M/${number}/B/1`,
    `U/${id}/M/${number}/B`,
    [],
    `<e:IntervalBlock><e:interval><e:duration>1</e:duration><e:start>${start}</e:start></e:interval>${values}</e:IntervalBlock>`,
  );
const plainly = ({ meter, reading_type, period_start, reading_timestamp, value_wh }: FoundReading) =>
  [
    meter,
    reading_type,
    period_start === null ? null : period_start / 1000,
    reading_timestamp / 1000,
    value_wh,
  ] as const;

const HOURLY = { accumulationBehaviour: 4, uom: 72, powerOfTenMultiplier: 0, intervalLength: 3600 };

describe('a feed', () => {
  test('is joined by its links, in any order, whatever the prefix: several meters, registers and intervals', async () => {
    const entries = [
      point('1', 'flat'),
      point('2', 'shop'),
      meterReading('1', 1, 'T/i'),
      meterReading('2', 1, 'T/r'),
      type('T/i', { ...HOURLY, powerOfTenMultiplier: 3 }),
      type('T/r', { accumulationBehaviour: 9, uom: 72 }),
      block('1', 1, value(2, 3600, 3600) + value(3, 7200, 3600)),
      block('2', 1, value(500, 3600, 0) + value(700, 7200, 0)),
    ];
    const wanted = [
      ['flat', 'relative', 3600, 7200, 2000],
      ['flat', 'relative', 7200, 10_800, 3000],
      ['shop', 'absolute', null, 3600, 500],
      ['shop', 'absolute', null, 7200, 700],
    ];
    for (const order of [entries, entries.toReversed(), [...entries.slice(4), ...entries.slice(0, 4)]]) {
      const { readings, errors } = await read(feed(...order), {}, 7);
      expect(errors).toEqual([]);
      expect(readings.map(plainly).sort()).toEqual(wanted);
    }
  });

  test('without periods: the start of the block and the length of the interval tell', async () => {
    const { readings } = await read(
      feed(
        point('1', 'flat'),
        meterReading('1', 1, 'T/i'),
        type('T/i', HOURLY),
        block('1', 1, value(5) + value(6), 7200),
      ),
    );
    expect(readings.map(plainly)).toEqual([
      ['flat', 'relative', 7200, 10_800, 5],
      ['flat', 'relative', 10_800, 14_400, 6],
    ]);
  });

  test('what flows back is a meter of its own, and what is no energy is left out, and said', async () => {
    const { readings, plan } = await read(
      feed(
        point('1', 'flat'),
        meterReading('1', 1, 'T/in'),
        meterReading('1', 2, 'T/out'),
        meterReading('1', 3, 'T/volts'),
        type('T/in', { ...HOURLY, flowDirection: 1 }),
        type('T/out', { ...HOURLY, flowDirection: 19 }),
        type('T/volts', { ...HOURLY, uom: 29 }),
        ...[1, 2, 3].map((number) => block('1', number, value(number, 3600, 3600))),
      ),
    );
    expect(readings.map(({ meter, value_wh }) => [meter, value_wh])).toEqual([
      ['flat', 1],
      ['flat (delivered)', 2],
    ]);
    expect(plan.explained).toContain('1 values that are no energy in Wh are left out.');
  });

  test('parts of a Wh are refused, or rounded on the running total', async () => {
    const file = feed(
      point('1', 'flat'),
      meterReading('1', 1, 'T/i'),
      type('T/i', { ...HOURLY, powerOfTenMultiplier: -1 }),
      block('1', 1, [4, 4, 4].map((each, i) => value(each, i * 3600, 3600)).join('')),
    );
    const { errors, readings } = await read(file);
    expect(readings).toEqual([]);
    expect(errors[0]!.message).toMatch(/say round=true/);
    expect((await read(file, { round: true })).readings.map(({ value_wh }) => value_wh)).toEqual([0, 1, 0]);
  });

  test('values and starts that are none are errors with their lines', async () => {
    const values = [
      value('-5', 0, 3600),
      value('1e3', 0, 3600),
      value('', 0, 3600),
      value(5, Number.NaN, 3600),
    ];
    const { errors, readings } = await read(
      feed(
        point('1', 'flat'),
        meterReading('1', 1, 'T/i'),
        type('T/i', HOURLY),
        block('1', 1, values.join('\n')),
      ),
    );
    expect(readings).toEqual([]);
    expect(errors.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
  });
});

describe('files that mean harm', () => {
  const lol = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  test.each([
    ['a billion laughs', `<!DOCTYPE feed [<!ENTITY l0 "lol">${lol}]><feed>&l9;</feed>`, /document type/],
    [
      'a file from elsewhere',
      '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><f>&x;</f>',
      /document type/,
    ],
    ['an unknown entity', '<feed><entry>&x;</entry></feed>', /cannot be read/],
    ['elements without end', '<a>'.repeat(100_000), /nested deeper/],
    ['an attribute without end', `<feed x="${'y'.repeat(1_000_000)}`, /cannot be read/],
    ['no XML', '<<<<', /cannot be read/],
    ['half a file', '<feed><entry>', /cannot be read/],
    ['other XML', '<note><body>hello</body></note>', /without Green Button/],
    ['a web page', '<!DOCTYPE html>\n<html><body>Sign in</body></html>', /web page/],
    [
      'a million attributes',
      `<feed ${Array.from({ length: 1_000_000 }, (_, i) => `a${i}=""`).join(' ')}/>`,
      /attributes/,
    ],
    [
      'a link without end',
      `<feed><entry><link href="${'x'.repeat(5000)}"/></entry></feed>`,
      /longer than 2000/,
    ],
  ])('%s is refused', async (_, file, message) => {
    const error = await read(file).catch((each) => each);
    expect(error).toBeInstanceOf(DomainError);
    expect(error.message).toMatch(message);
  });
});

test.each([
  ['ndjson', '{}\n', { unit: 'MWh' as const }, 'unit'],
  ['greenbutton', '<feed/>', { timezone: 'UTC' }, 'timezone'],
])('a wish that a %s file has no use for is refused, not passed over', async (_, file, wishes, path) => {
  await expect(read(file, wishes)).rejects.toMatchObject({
    code: 'validation_failed',
    errors: [{ path }],
  });
});
