/** Files as utilities and devices in many countries hand them out. */
import { describe, expect, test } from 'vitest';
import { hours, SHAPES } from '../../../../tests/support/shapes.ts';
import type { FoundReading, Wishes } from './format.ts';
import { open } from './open.ts';

async function read(text: string, wishes: Wishes = {}, zone = 'Europe/Stockholm') {
  async function* body() {
    yield Buffer.from(text);
  }
  const { plan, readings } = await open(body(), wishes, zone);
  const [all, errors]: [FoundReading[], string[]] = [[], []];
  for await (const found of readings) {
    all.push(...found.readings);
    errors.push(...found.errors.map(({ line, column, message }) => `line ${line}: ${column}: ${message}`));
  }
  return { plan, readings: all, errors };
}

const iso = (instant_ms: number) => new Date(instant_ms).toISOString().slice(0, 16);
/** meter, start (or R for a register), end, Wh */
const plainly = ({ meter, reading_timestamp, value_wh, period_start }: FoundReading) =>
  `${meter}|${period_start === null ? 'R' : iso(period_start)}|${iso(reading_timestamp)}|${value_wh}`;

describe('shapes', () => {
  test.each(Object.entries(SHAPES))('%s', async (_, { text, wishes, zone, wanted, count }) => {
    const { readings, errors } = await read(text, wishes, zone);
    expect(errors).toEqual([]);
    expect(readings.slice(0, wanted.length).map(plainly)).toEqual(wanted);
    expect(readings).toHaveLength(count);
  });
});

describe('what a file leaves open is asked back', () => {
  const W =
    'Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Unite\n0123;Courbe de charge;01/02/2026;04/02/2026;Energie active;W\n';
  test.each([
    [
      'power, its unit above',
      `${W}Horodate;Valeur\n2026-02-01T00:30:00+01:00;540\n2026-02-01T01:00:00+01:00;545\n`,
      'unit',
      /power/,
    ],
    [
      'power in the heading',
      'Horodate;Valeur (en W)\n2026-02-01T00:30:00+01:00;540\n2026-02-01T01:00:00+01:00;5\n',
      'columns',
      /power/,
    ],
    [
      'nothing but power',
      'Zeitstempel;Netzbezug [W];Hausverbrauch [W]\n01.02.2026 00:00:00;100;300\n01.02.2026 01:00:00;80;230\n',
      'columns',
      /power/,
    ],
    ['one interval alone', 'Datum;Förbrukning\n2026-02-01;5\n', 'columns', /period_start/],
    [
      'NEM12 without a length',
      '100,NEM12,2026,A,B\n200,N,E1,1,E1,N1,S,kWh,0,\n300,20260201,1\n',
      'line 2',
      /IntervalLength/,
    ],
  ])('%s', async (_, text, path, message) => {
    await expect(read(text)).rejects.toMatchObject({
      errors: [{ path, message: expect.stringMatching(message) }],
    });
  });

  test('power is taken for energy where somebody says so', async () => {
    const { readings } = await read('Zeit;Verbrauch (W)\n01.02.2026 00:00;540\n01.02.2026 01:00;545\n', {
      unit: 'Wh',
    });
    expect(readings.map(({ value_wh }) => value_wh)).toEqual([540, 545]);
  });
});

describe('where clocks change', () => {
  const day = (date: string, count: number) =>
    `CUPS;Fecha;Hora;AE_kWh\n${hours((h) => `ES1;${date};${h + 1};0,${h + 100}`, count)}`;
  const zone = 'Europe/Madrid';
  test('counted hours are as many as the day had', async () => {
    const long = await read(day('25/10/2026', 25), {}, zone);
    expect(long.errors).toEqual([]);
    expect(new Set(long.readings.map(({ reading_timestamp }) => reading_timestamp)).size).toBe(25);
    expect(iso(long.readings.at(-1)!.reading_timestamp)).toBe('2026-10-25T23:00');
    const short = await read(day('29/03/2026', 23), {}, zone);
    expect(iso(short.readings.at(-1)!.reading_timestamp)).toBe('2026-03-29T22:00');
    const wrong = await read(day('29/03/2026', 24), {}, zone);
    expect(wrong.errors).toEqual(['line 25: Hora: is no hour of this day, which had the hours 1 to 23']);
  });

  test('intervals with both ends follow one another, both ways', async () => {
    const text = (date: string, ends: [number, number][]) =>
      `Fra;Til;Forbruk kWh\n${ends.map(([a, b], i) => `${date} 0${a}:00;${date} 0${b}:00;0,${i + 1}`).join('\n')}`;
    const autumn = [
      [0, 1],
      [1, 2],
      [2, 3],
      [2, 3],
      [3, 4],
    ] as [number, number][];
    const spring = [
      [0, 1],
      [1, 2],
      [3, 4],
      [4, 5],
    ] as [number, number][];
    for (const [date, ends] of [
      ['25.10.2026', autumn],
      ['29.03.2026', spring],
    ] as const) {
      const { readings, errors } = await read(text(date, ends));
      expect(errors).toEqual([]);
      for (const [i, { period_start, reading_timestamp }] of readings.entries()) {
        expect(reading_timestamp - period_start!).toBe(3_600_000);
        if (i > 0) expect(period_start).toBe(readings[i - 1]!.reading_timestamp);
      }
      expect(readings).toHaveLength(ends.length);
    }
  });

  test('an end on the other side of the change is where it says', async () => {
    const { readings } = await read(
      'Fra;Til;Forbruk kWh\n29.03.2026 01:00;29.03.2026 03:00;0,1\n29.03.2026 03:00;29.03.2026 04:00;0,2\n',
    );
    expect(readings.map(plainly)).toEqual([
      '|2026-03-29T00:00|2026-03-29T01:00|100',
      '|2026-03-29T01:00|2026-03-29T02:00|200',
    ]);
  });
});

test('what is no energy, and what says that there is nothing, is left out and said', async () => {
  const { readings, errors, plan } = await read(
    'Datum;Mätare;Förbrukning;Enhet;Kostnad\n2026-02-01;a;1,5;MWh;7\n2026-02-02;a;2;kW;8\n2026-02-03;a;n/a;kWh;9\n2026-02-04;a;2;m3;9\n',
  );
  expect([readings.map(({ value_wh }) => value_wh), errors]).toEqual([[1_500_000], []]);
  expect(plan.explained.slice(-4)).toEqual([
    'Numbers that are not read: "Kostnad".',
    'Left out: 1 values in "kW", which is no energy.',
    'Left out: 1 values that say "n/a".',
    'Left out: 1 values in "m3", which is no energy.',
  ]);
});
