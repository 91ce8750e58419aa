/**
 * Real files, and those of many shapes, with anything changed in them: readings, errors or a refusal; and the same
 * whatever pieces they come in.
 *
 *   FUZZ_RUNS=20000 FUZZ_SEED=5 npx vitest run src/server/imports/formats/fuzz.test.ts --testTimeout=0
 */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SHAPES } from '../../../../tests/support/shapes.ts';
import { EXPORT_COLUMNS } from '../../../contract/exports.ts';
import { MAX_INSTANT_MS, MIN_INSTANT_MS } from '../../../core/time.ts';
import { MAX_REGISTER_WH } from '../../../core/units.ts';
import { DomainError } from '../../errors.ts';
import type { Wishes } from './format.ts';
import { open } from './open.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
const SEED = Number(process.env.FUZZ_SEED ?? 7);
/** Enough of a large file. */
const MAX_BYTES = 20_000;

function realFiles(folder: string): [string, Buffer][] {
  const url = new URL(`../../../../tests/files/${folder}/`, import.meta.url);
  return readdirSync(url).map((name) => {
    const bytes = readFileSync(new URL(name, url));
    return [name, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).subarray(0, MAX_BYTES)];
  });
}

const TIMES = Array.from({ length: 30 }, (_, i) => new Date(Date.UTC(2026, 2, 28, i)).toISOString());
const exported = (separator: string, comma: string) =>
  [
    EXPORT_COLUMNS,
    ...TIMES.map((time, i) => [
      time,
      'kitchen',
      'physical',
      `${i}${comma}500`,
      'me',
      'absolute',
      '',
      '',
      '',
      'manual',
      "'=1+1",
      time,
      `${i}`,
      '1',
    ]),
  ]
    .map((cells) => cells.join(separator))
    .join('\r\n');
const OWN: [string, string][] = [
  [
    'wide',
    `timestamp,kitchen,"the ""attic"""\n${TIMES.map((time, i) => `${time},${i}.5,"${i}"`).join('\n')}\n`,
  ],
  ['exported', exported(',', '.')],
  ['exported for Germans', `\ufeff${exported(';', ',')}`],
  [
    'ndjson',
    TIMES.map((reading_timestamp, i) =>
      JSON.stringify({ meter: 'kitchen', reading_timestamp, value: `${i}.5`, note: null }),
    ).join('\n'),
  ],
];
const ORIGINALS: readonly (readonly [string, Buffer])[] = [
  ...realFiles('csv'),
  ...realFiles('greenbutton'),
  ...OWN.map(([name, text]) => [name, Buffer.from(text)] as const),
  ...Object.entries(SHAPES).map(([name, { text }]) => [name, Buffer.from(text)] as const),
];
const TOKENS = [
  '"',
  '""',
  ',',
  ';',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\ufeff',
  '-',
  '\u2212',
  '1e999',
  '9'.repeat(20),
  '29.03.2026 02:30',
  '25.10.2026 02:30',
  '2026-02-30',
  '24:00',
  '25',
  'kWh',
  'W',
  '<',
  '&x;',
  '</entry>',
  '{',
  '[',
  '\\u0000',
  '=1',
  "'",
  '__proto__',
  '\u{1f600}',
  ' '.repeat(200),
  '0'.repeat(50),
];
const WISHES: Wishes[] = [
  {},
  { date_format: 'dd/mm/yyyy', round: true },
  { timezone: '+01:00' },
  { reading_type: 'relative', label: 'start', unit: 'Wh' },
  { delimiter: ';', decimal: ',' },
  { encoding: 'windows-1252' },
  { columns: { value: 'kWh' } },
];

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

/** Cuts, overwrites, repeats, moves, or puts something in. */
function changed(bytes: Buffer, random: (below: number) => number): Buffer {
  const at = random(bytes.length + 1);
  const to = Math.min(bytes.length, at + random(random(2) ? 20 : 2000));
  const parts = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)] as const;
  const [before, taken, after] = parts;
  switch (random(6)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, taken, taken, after]);
    case 3:
      return Buffer.concat([taken, before, after]);
    case 4: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[random(copy.length)] = random(256);
      return copy;
    }
    default:
      return Buffer.concat([before, Buffer.from(TOKENS[random(TOKENS.length)]!), taken, after]);
  }
}

async function outcomeOf(bytes: Buffer, wishes: Wishes, zone: string, piece: number) {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  }
  try {
    const { plan, readings } = await open(pieces(), wishes, zone);
    const [all, errors] = [[], []] as [object[], object[]];
    for await (const found of readings) {
      for (const { reading_timestamp, value_wh, period_start, line } of found.readings) {
        const is_right =
          Number.isInteger(reading_timestamp) &&
          reading_timestamp >= MIN_INSTANT_MS - 864e5 &&
          reading_timestamp <= MAX_INSTANT_MS + 864e5 &&
          Number.isInteger(value_wh) &&
          value_wh >= 0 &&
          value_wh <= MAX_REGISTER_WH &&
          (period_start === null || (Number.isInteger(period_start) && period_start < reading_timestamp)) &&
          line >= 1;
        if (!is_right) throw new Error(JSON.stringify({ reading_timestamp, value_wh, period_start, line }));
      }
      all.push(...found.readings);
      errors.push(...found.errors);
    }
    return { plan, all, errors };
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code, message: error.message };
    throw error;
  }
}

test(`${RUNS} files with anything changed in them`, async () => {
  const random = generator(SEED);
  let slowest = { ms: 0, run: 0, name: '' };
  for (let run = 0; run < RUNS; run += 1) {
    const [name, original] = ORIGINALS[random(ORIGINALS.length)]!;
    let bytes = original;
    for (let i = random(4); i >= 0; i -= 1) bytes = changed(bytes, random);
    const wishes = random(2) ? {} : WISHES[random(WISHES.length)]!;
    const zone = ['UTC', 'Europe/Stockholm', 'Australia/Lord_Howe'][random(3)]!;
    const started_at = performance.now();
    try {
      const whole = await outcomeOf(bytes, wishes, zone, 65_536);
      const ms = performance.now() - started_at;
      if (ms > slowest.ms) slowest = { ms: Math.round(ms), run, name };
      if (run % 4 === 0) expect(await outcomeOf(bytes, wishes, zone, 1 + random(50))).toEqual(whole);
    } catch (error) {
      throw new Error(
        `run ${run} (${name}, ${JSON.stringify(wishes)}, ${zone}): ${bytes.toString('latin1').slice(0, 1500)}`,
        { cause: error },
      );
    }
  }
  if (process.env.FUZZ_RUNS) console.log('slowest', slowest);
}, 60_000);
