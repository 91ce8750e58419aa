import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Boundary, type Consumption, consumption, type Side, UNKNOWN, unmetered } from './energy.ts';
import { asRecorded, FIRST_DEVICE, type Recorded, type Standing, step } from './reading.ts';
import { bucketBoundaries, INTERVALS } from './time.ts';
import { formatKwh, parseKwh } from './units.ts';

function wh(kwh: string): number {
  const parsed = parseKwh(kwh);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

const instant = (time: string) => Date.parse(`2026-03-02T${time}:00Z`);

/**
 * A line of a meter reader's book, all on one day: "08:00 register 104.5", "08:00 used 4.5" (since the reading
 * before), or "08:00 used 4.5 since 07:00".
 */
function written(line: string): Recorded {
  const [time, what, kwh, , since] = line.split(' ') as [string, string, string, string?, string?];
  const type = what === 'used' ? 'relative' : 'absolute';
  return asRecorded(type, instant(time), wh(kwh), since ? instant(since) : null);
}

const RULES = { devices: [FIRST_DEVICE], plausibility_factor: null };

function fold(readings: readonly Recorded[]): Standing[] {
  const rows: Standing[] = [];
  for (const reading of readings) rows.push(step(rows.at(-1) ?? null, reading, RULES));
  return rows;
}

/** An instant and the readings around it, as a look-up in the ledger would find them. */
function side(rows: readonly Standing[], instant_ms: number): Side {
  const previous = rows.findLast((row) => row.reading_timestamp <= instant_ms) ?? null;
  const next = rows.find((row) => row.reading_timestamp > instant_ms) ?? null;
  return { instant_ms, neighbours: { previous, next } };
}

function used(rows: readonly Standing[], from_ms: number, to_ms: number, boundary: Boundary): Consumption {
  return consumption(side(rows, from_ms), side(rows, to_ms), boundary);
}

/** From, to; consumption and its known part in kWh; coverage; estimated where an end lies between readings. */
type Question = [
  from: string,
  to: string,
  consumption: string | null,
  known: string | null,
  coverage: number,
  estimated?: 'estimated',
];

interface Book {
  lines: string[];
  interpolate: Question[];
  exact: Question[];
}

const BOOKS: Record<string, Book> = {
  'a register, read every few hours': {
    lines: ['06:00 register 100', '10:00 register 108', '12:00 register 108', '16:00 register 109'],
    interpolate: [
      // From reading to reading: the difference of two registers, however many lie between.
      ['06:00', '10:00', '8', '8', 1],
      ['10:00', '12:00', '0', '0', 1],
      ['06:00', '16:00', '9', '9', 1],
      // Between readings on a straight line: 8 kWh in four hours are 2 an hour, 1 kWh in four is 0.25.
      ['07:00', '10:00', '6', '6', 1, 'estimated'],
      ['06:00', '09:30', '7', '7', 1, 'estimated'],
      ['08:00', '09:00', '2', '2', 1, 'estimated'],
      ['08:00', '13:00', '4.25', '4.25', 1, 'estimated'],
      ['10:30', '11:30', '0', '0', 1, 'estimated'],
      // Before the first and after the last reading nothing is known, and nothing is extrapolated.
      ['05:00', '10:00', null, '8', 4 / 5],
      ['10:00', '20:00', null, '1', 6 / 10],
      ['04:00', '18:00', null, '9', 10 / 14],
      ['00:00', '08:00', null, '4', 2 / 8, 'estimated'],
      ['14:00', '18:00', null, '0.5', 2 / 4, 'estimated'],
      ['00:00', '06:00', null, null, 0],
      ['01:00', '05:00', null, null, 0],
      ['16:00', '20:00', null, null, 0],
      ['17:00', '20:00', null, null, 0],
    ],
    exact: [
      ['06:00', '10:00', '8', '8', 1],
      ['06:00', '16:00', '9', '9', 1],
      // An end without a reading is unknown; what lies between the readings within is known.
      ['07:00', '12:00', null, '0', 2 / 5],
      ['06:00', '11:00', null, '8', 4 / 5],
      ['07:00', '13:00', null, '0', 2 / 6],
      ['07:00', '10:00', null, null, 0],
      ['08:00', '09:00', null, null, 0],
      ['07:00', '11:00', null, null, 0],
      ['05:00', '17:00', null, '9', 10 / 12],
      ['00:00', '06:00', null, null, 0],
    ],
  },
  'a register that went down and was not settled': {
    lines: ['06:00 register 100', '08:00 register 110', '10:00 register 5', '12:00 register 9'],
    interpolate: [
      ['06:00', '08:00', '10', '10', 1],
      ['10:00', '12:00', '4', '4', 1],
      // Never 5 − 110, and never a guess.
      ['08:00', '10:00', null, null, 0],
      ['08:30', '09:30', null, null, 0],
      ['06:00', '10:00', null, '10', 2 / 4],
      ['06:00', '12:00', null, '14', 4 / 6],
      ['07:00', '11:00', null, '7', 2 / 4, 'estimated'],
      ['08:00', '12:00', null, '4', 2 / 4],
      ['09:00', '11:00', null, '2', 1 / 2, 'estimated'],
      ['07:00', '09:00', null, '5', 1 / 2, 'estimated'],
    ],
    exact: [
      ['06:00', '12:00', null, '14', 4 / 6],
      ['07:00', '12:00', null, '4', 2 / 5],
      ['07:00', '11:00', null, null, 0],
      ['09:00', '12:00', null, '4', 2 / 3],
    ],
  },
  'intervals with a gap between them': {
    lines: [
      '07:00 used 2 since 06:00',
      '08:00 used 4 since 07:00',
      '11:00 used 1 since 10:00',
      '12:00 used 3 since 11:00',
    ],
    interpolate: [
      ['06:00', '08:00', '6', '6', 1],
      ['10:00', '12:00', '4', '4', 1],
      ['06:30', '07:30', '3', '3', 1, 'estimated'],
      ['10:15', '10:45', '0.5', '0.5', 1, 'estimated'],
      // The gap from 08:00 to 10:00 ends one segment and begins the next.
      ['08:00', '10:00', null, null, 0],
      ['08:30', '09:00', null, null, 0],
      ['06:00', '12:00', null, '10', 4 / 6],
      ['07:30', '10:30', null, '2.5', 1 / 3, 'estimated'],
      ['09:00', '11:00', null, '1', 1 / 2],
      ['07:00', '09:00', null, '4', 1 / 2],
      ['05:00', '07:00', null, '2', 1 / 2],
      ['11:30', '13:00', null, '1.5', 1 / 3, 'estimated'],
      ['04:00', '06:00', null, null, 0],
    ],
    exact: [
      ['06:00', '08:00', '6', '6', 1],
      // An interval's beginning is an instant at which its energy is known.
      ['10:00', '11:00', '1', '1', 1],
      ['06:30', '08:00', null, '4', 1 / 1.5],
      ['06:00', '07:30', null, '2', 1 / 1.5],
      ['06:00', '06:30', null, null, 0],
      ['10:15', '10:45', null, null, 0],
      ['07:30', '10:30', null, null, 0],
      ['06:00', '12:00', null, '10', 4 / 6],
      ['06:00', '10:30', null, '6', 2 / 4.5],
    ],
  },
  'amounts that only say when they end': {
    lines: ['06:00 used 9', '08:00 used 4', '12:00 used 2'],
    interpolate: [
      // The first only marks where the second begins: when its 9 kWh were used nobody knows.
      ['06:00', '08:00', '4', '4', 1],
      ['06:00', '12:00', '6', '6', 1],
      ['07:00', '10:00', '3', '3', 1, 'estimated'],
      ['05:00', '06:00', null, null, 0],
      ['05:00', '08:00', null, '4', 2 / 3],
    ],
    exact: [['06:00', '12:00', '6', '6', 1]],
  },
  'amounts on top of a register': {
    lines: ['06:00 register 100', '07:00 used 5', '09:00 register 107', '12:00 used 1 since 11:00'],
    interpolate: [
      ['06:00', '09:00', '7', '7', 1],
      ['07:00', '09:00', '2', '2', 1],
      ['06:30', '08:00', '3.5', '3.5', 1, 'estimated'],
      ['06:00', '12:00', null, '8', 4 / 6],
    ],
    exact: [['07:00', '12:00', null, '3', 3 / 5]],
  },
  'one reading alone': {
    lines: ['08:00 register 100'],
    interpolate: [
      ['06:00', '08:00', null, null, 0],
      ['08:00', '10:00', null, null, 0],
      ['06:00', '10:00', null, null, 0],
    ],
    exact: [['06:00', '10:00', null, null, 0]],
  },
  'one interval alone': {
    lines: ['08:00 used 6 since 07:00'],
    interpolate: [
      ['07:00', '08:00', '6', '6', 1],
      ['07:10', '07:20', '1', '1', 1, 'estimated'],
      ['06:00', '10:00', null, '6', 1 / 4],
    ],
    exact: [
      ['07:00', '08:00', '6', '6', 1],
      ['07:10', '07:20', null, null, 0],
      ['06:00', '10:00', null, '6', 1 / 4],
    ],
  },
  'Wh that cannot be shared evenly': {
    lines: ['06:00 register 0', '09:00 register 0.001', '12:00 register 0.002'],
    interpolate: [
      // A third of a Wh is none, a half and more is one; and the parts add up.
      ['06:00', '07:00', '0', '0', 1, 'estimated'],
      ['07:00', '08:00', '0.001', '0.001', 1, 'estimated'],
      ['08:00', '09:00', '0', '0', 1, 'estimated'],
      ['06:00', '07:30', '0.001', '0.001', 1, 'estimated'],
    ],
    exact: [],
  },
  'a meter that was never read': {
    lines: [],
    interpolate: [['06:00', '12:00', null, null, 0]],
    exact: [['06:00', '12:00', null, null, 0]],
  },
};

const kwh = (value_wh: number | null) => (value_wh === null ? null : formatKwh(value_wh));

describe.each(Object.entries(BOOKS))('%s', (_, { lines, ...modes }) => {
  const rows = fold(lines.map(written));
  const questions = (['interpolate', 'exact'] as const).flatMap((boundary) =>
    modes[boundary].map((question): [Boundary, ...Question] => [boundary, ...question]),
  );
  test.each<[Boundary, ...Question]>(questions)(
    '%s from %s to %s: %s kWh',
    (boundary, from, to, ...expected) => {
      const answer = used(rows, instant(from), instant(to), boundary);
      const [all, known, coverage, estimated] = expected;
      expect(kwh(answer.consumption_wh)).toBe(all);
      expect(kwh(answer.known_consumption_wh)).toBe(known);
      expect(answer.coverage).toBe(coverage);
      expect(answer.estimated).toBe(estimated === 'estimated');
    },
  );
});

const measured = (consumption_wh: number | null): Consumption =>
  consumption_wh === null
    ? UNKNOWN
    : {
        consumption_wh,
        known_consumption_wh: consumption_wh,
        coverage: 1,
        estimated: false,
        ends: { start_wh: 0, end_wh: consumption_wh },
        uncertainty_wh: 0,
      };

describe('what no submeter measured', () => {
  test.each<[number | null, (number | null)[], number | null, number | null, number | null]>([
    // main, children → all submeters, unmetered, imbalance
    [100, [30, 50], 80, 20, null],
    [100, [30, 70], 100, 0, null],
    [100, [], 0, 100, null],
    [0, [0], 0, 0, null],
    // The children exceed the main meter: never negative, and by how much is said.
    [100, [30, 71], 101, 0, -1],
    [0, [5], 5, 0, -5],
    // Known only where all of them are known.
    [null, [30, 50], 80, null, null],
    [100, [30, null], null, null, null],
    [null, [null], null, null, null],
    [null, [], null, null, null],
  ])(
    'main %s, children %j: together %s, unmetered %s, imbalance %s',
    (main, children, total, rest, excess) => {
      expect(unmetered(measured(main), children.map(measured))).toEqual({
        total_submetered_wh: total,
        unmetered_wh: rest,
        imbalance_wh: excess,
        uncertainty_wh: rest === null ? null : 0,
      });
    },
  );

  test('a known part is not enough', () => {
    const partly = { ...measured(7), consumption_wh: null, coverage: 0.5 };
    expect(unmetered(measured(10), [partly]).unmetered_wh).toBeNull();
    expect(unmetered(partly, [measured(5)]).unmetered_wh).toBeNull();
  });
});

/** Any readings a ledger would take, in order of time, within two days. */
const anyHistory: fc.Arbitrary<Standing[]> = fc
  .array(
    fc.record({
      minutes_since: fc.integer({ min: 1, max: 300 }),
      is_relative: fc.boolean(),
      value_wh: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 999_999_999_999 })),
      // How much of the time since the reading before an interval covers; null: it does not say.
      share: fc.option(fc.constantFrom(0.25, 0.5, 1)),
    }),
    { maxLength: 15 },
  )
  .map((drawn) => {
    let previous_ms = instant('00:00');
    return fold(
      drawn.map(({ minutes_since, is_relative, value_wh, share }) => {
        const start_ms =
          share === null ? null : previous_ms + Math.floor((1 - share) * minutes_since) * 60_000;
        previous_ms += minutes_since * 60_000;
        return is_relative
          ? asRecorded('relative', previous_ms, value_wh, start_ms)
          : asRecorded('absolute', previous_ms, value_wh);
      }),
    );
  });

/** Instants from before the first reading to after the last, on readings and off them. */
const anyInstants = (rows: readonly Standing[]) => {
  const edges = rows.flatMap((row) => [row.reading_timestamp, row.period_start ?? row.reading_timestamp]);
  const anywhere = fc.integer({ min: instant('00:00') - 864e5, max: instant('00:00') + 3 * 864e5 });
  const one = edges.length > 0 ? fc.oneof(anywhere, fc.constantFrom(...edges)) : anywhere;
  return fc.uniqueArray(one, { minLength: 2, maxLength: 12 }).map((all) => all.sort((a, b) => a - b));
};

const anyBoundary = fc.constantFrom<Boundary>('interpolate', 'exact');
const anyQuestion = anyHistory.chain((rows) =>
  fc.record({ rows: fc.constant(rows), instants: anyInstants(rows), boundary: anyBoundary }),
);

describe('any history, any period', () => {
  test('the parts of a period add up to it exactly', () => {
    fc.assert(
      fc.property(anyQuestion, ({ rows, instants }) => {
        const parts = instants.slice(1).map((to, i) => used(rows, instants[i]!, to, 'interpolate'));
        const whole = used(rows, instants[0]!, instants.at(-1)!, 'interpolate');
        const known = parts.map((part) => part.known_consumption_wh).filter((part) => part !== null);
        expect(known.length > 0 ? known.reduce((sum, part) => sum + part, 0) : null).toBe(
          whole.known_consumption_wh,
        );
        expect(parts.every((part) => part.consumption_wh !== null)).toBe(whole.consumption_wh !== null);
        const covered = parts.reduce(
          (sum, part, i) => sum + Math.round(part.coverage * (instants[i + 1]! - instants[i]!)),
          0,
        );
        expect(Math.round(whole.coverage * (instants.at(-1)! - instants[0]!))).toBe(covered);
      }),
      { numRuns: 1000 },
    );
  });

  test('so do the buckets of a calendar, on the days the clocks change too', () => {
    const zones = ['UTC', 'Europe/Stockholm', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'];
    const days = ['2026-03-29', '2026-10-25', '2026-11-01', '2025-04-05', '2025-10-04', '2011-12-29'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...days),
        fc.constantFrom(...INTERVALS),
        fc.array(fc.nat({ max: 100_000 }), { minLength: 2, maxLength: 10 }),
        (timezone, day, interval, amounts) => {
          // A reading every seven hours and a bit, so that most buckets begin between two.
          const first_ms = Date.parse(`${day}T00:00:00Z`);
          const rows = fold(
            amounts.map((value_wh, i) => ({
              ...written('00:00 used 0'),
              reading_timestamp: first_ms + i * 25_234_567,
              value_wh,
            })),
          );
          const end_ms = rows.at(-1)!.reading_timestamp;
          const boundaries = bucketBoundaries(first_ms, end_ms, interval, timezone, 10_000);
          const buckets = boundaries
            .slice(1)
            .map((to_ms, i) => used(rows, boundaries[i]!, to_ms, 'interpolate').consumption_wh!);
          const all_wh = amounts.slice(1).reduce((sum, amount) => sum + amount, 0);
          expect(buckets.reduce((sum, bucket) => sum + bucket, 0)).toBe(all_wh);
        },
      ),
    );
  });

  test('consumption is never negative, and known exactly where all of the period is covered', () => {
    fc.assert(
      fc.property(anyQuestion, ({ rows, instants, boundary }) => {
        const answer = used(rows, instants[0]!, instants[1]!, boundary);
        expect(answer.coverage).toBeGreaterThanOrEqual(0);
        expect(answer.coverage).toBeLessThanOrEqual(1);
        expect(answer.known_consumption_wh !== null).toBe(answer.coverage > 0);
        expect(answer.known_consumption_wh ?? 0).toBeGreaterThanOrEqual(0);
        expect(answer.consumption_wh).toBe(answer.coverage === 1 ? answer.known_consumption_wh : null);
      }),
      { numRuns: 500 },
    );
  });

  test('exact answers are never estimated, and known ones are what interpolation says too', () => {
    fc.assert(
      fc.property(anyQuestion, ({ rows, instants }) => {
        const [from_ms, to_ms] = [instants[0]!, instants.at(-1)!];
        const exact = used(rows, from_ms, to_ms, 'exact');
        const interpolated = used(rows, from_ms, to_ms, 'interpolate');
        expect(exact.estimated).toBe(false);
        expect(exact.coverage).toBeLessThanOrEqual(interpolated.coverage);
        // Where nothing had to be interpolated the two are one answer.
        if (!interpolated.estimated) expect(exact).toEqual(interpolated);
        else expect(exact.consumption_wh).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test('a main meter is its children and the rest, wherever all are known', () => {
    const anyFigure = fc.option(fc.nat({ max: 1_000_000 }));
    fc.assert(
      fc.property(anyFigure, fc.array(anyFigure, { maxLength: 5 }), (main, children) => {
        const rest = unmetered(measured(main), children.map(measured));
        if (main === null || children.includes(null)) {
          expect(rest.unmetered_wh).toBeNull();
          expect(rest.imbalance_wh).toBeNull();
          return;
        }
        const total_wh = children.reduce<number>((sum, child) => sum + child!, 0);
        expect(rest.total_submetered_wh).toBe(total_wh);
        expect(rest.unmetered_wh).toBeGreaterThanOrEqual(0);
        expect(rest.unmetered_wh! + (rest.imbalance_wh ?? 0) + total_wh).toBe(main);
        expect(rest.imbalance_wh ?? -1).toBeLessThan(0);
      }),
    );
  });
});
