import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EnergyOutOfRange,
  IntervalOverlap,
  type Projected,
  type Recorded,
  shiftAfter,
  step,
} from './reading.ts';
import { formatKwh, MAX_REGISTER_WH, parseKwh } from './units.ts';

const HOUR_MS = 3_600_000;

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
  return {
    reading_timestamp: instant(time),
    reading_type: what === 'used' ? 'relative' : 'absolute',
    value_wh: wh(kwh),
    period_start: since ? instant(since) : null,
  };
}

/** The projection of readings in order of time. */
function fold(readings: readonly Recorded[]): Projected[] {
  const rows: Projected[] = [];
  for (const reading of readings) rows.push(step(rows.at(-1) ?? null, reading));
  return rows;
}

const byTime = (a: Recorded, b: Recorded) => a.reading_timestamp - b.reading_timestamp;

describe('what a reading does to the energy of its meter', () => {
  /** Energy in kWh, what the register shows, hours over which energy is unknown so far, and the flag. */
  type Row = [energy: string, register: string | null, gap_hours: number, flag?: 'decreased'];
  const HISTORIES: [string, [string, Row][]][] = [
    [
      'a register that goes up',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['08:00 register 104.5', ['104.5', '104.5', 0]],
        ['09:00 register 104.5', ['104.5', '104.5', 0]],
        ['12:00 register 110.001', ['110.001', '110.001', 0]],
      ],
    ],
    [
      'a register that goes down: energy stands still over an unknown stretch, then counts on',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['08:00 register 110', ['110', '110', 0]],
        ['10:00 register 5', ['110', '5', 2, 'decreased']],
        ['11:00 register 7', ['112', '7', 2]],
        ['13:00 register 6.999', ['112', '6.999', 4, 'decreased']],
        ['14:00 register 100', ['205.001', '100', 4]],
      ],
    ],
    [
      'a slip of the pen: the wrong reading is high, the one after it is flagged',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['08:00 register 1010', ['1010', '1010', 0]],
        ['10:00 register 102', ['1010', '102', 2, 'decreased']],
      ],
    ],
    [
      'intervals that follow each other',
      [
        ['06:00 used 1 since 05:00', ['1', null, 0]],
        ['07:00 used 2 since 06:00', ['3', null, 0]],
        ['08:00 used 0 since 07:00', ['3', null, 0]],
        ['10:00 used 3.5', ['6.5', null, 0]],
      ],
    ],
    [
      'a gap between intervals',
      [
        ['06:00 used 1 since 05:00', ['1', null, 0]],
        ['09:00 used 2 since 08:00', ['3', null, 2]],
        ['10:00 used 4', ['7', null, 2]],
        ['12:00 used 1 since 11:30', ['8', null, 3.5]],
      ],
    ],
    [
      'an amount with nothing before it: only the time counts, as the beginning of the next',
      [
        ['06:00 used 9', ['0', null, 0]],
        ['07:00 used 2', ['2', null, 0]],
      ],
    ],
    [
      'a register, then amounts: they say what the register would show, and it agrees',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['07:00 used 4', ['104', '104', 0]],
        ['08:00 used 2 since 07:00', ['106', '106', 0]],
        ['09:00 register 107', ['107', '107', 0]],
      ],
    ],
    [
      'after a gap nobody knows what the register would show: the next register begins a segment',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['09:00 used 2 since 08:00', ['102', null, 2]],
        ['10:00 used 1', ['103', null, 2]],
        ['12:00 register 200', ['103', '200', 4]],
        ['13:00 register 201', ['104', '201', 4]],
      ],
    ],
    [
      'amounts, then a register: what the meter used between the two is not known',
      [
        ['06:00 used 1 since 05:00', ['1', null, 0]],
        ['08:00 register 4711', ['1', '4711', 2]],
        ['09:00 used 3', ['4', '4714', 2]],
      ],
    ],
    [
      'a decrease after a decrease that amounts follow',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['07:00 register 10', ['100', '10', 1, 'decreased']],
        ['08:00 used 5', ['105', '15', 1]],
        ['09:00 register 12', ['105', '12', 2, 'decreased']],
      ],
    ],
  ];

  test.each(HISTORIES)('%s', (_, lines) => {
    const rows = fold(lines.map(([line]) => written(line)));
    const shown = rows.map(({ energy_wh, offset_wh, gap_ms, decreased }): Row => {
      const register = offset_wh === null ? null : formatKwh(energy_wh - offset_wh);
      const row: Row = [formatKwh(energy_wh), register, gap_ms / HOUR_MS];
      if (decreased) row.push('decreased');
      return row;
    });
    expect(shown).toEqual(lines.map(([, row]) => row));
    expect(rows).toMatchObject(lines.map(([line]) => written(line)));
  });

  /** What the lines of a book, in any order, are flagged with. */
  function flagged(lines: readonly string[]): string[] {
    const rows = fold(lines.map(written).sort(byTime));
    return rows.filter(({ decreased }) => decreased).map((row) => formatKwh(row.value_wh));
  }

  test.each<[string, string[], string, string[]]>([
    // A reading between two others is judged against both.
    ['fits between its neighbours', ['06:00 register 100', '10:00 register 120'], '08:00 register 110', []],
    [
      'is lower than the one before',
      ['06:00 register 100', '10:00 register 120'],
      '08:00 register 95',
      ['95'],
    ],
    [
      'is higher than the one after',
      ['06:00 register 100', '10:00 register 120'],
      '08:00 register 130',
      ['120'],
    ],
    [
      'lies on the way down and takes its part of it',
      ['06:00 register 100', '10:00 register 50'],
      '08:00 register 70',
      ['70', '50'],
    ],
    [
      'shows that the register went down earlier',
      ['06:00 register 100', '10:00 register 50'],
      '08:00 register 40',
      ['40'],
    ],
    ['is the first of all and higher', ['06:00 register 100'], '05:00 register 101', ['100']],
  ])('a reading recorded late that %s', (_, there, late, expected) => {
    expect(flagged([...there, late])).toEqual(expected);
  });

  test.each([
    ['08:00 register 100', '09:00 used 1 since 07:59'],
    ['08:00 used 1 since 07:00', '09:00 used 1 since 07:30'],
    ['08:00 used 1', '09:00 used 1 since 06:00'],
  ])('after "%s" the interval of "%s" would be counted twice', (first, second) => {
    const previous = step(null, written(first));
    const refused = expect.objectContaining({ reading: written(second), previous });
    expect(() => step(previous, written(second))).toThrow(IntervalOverlap);
    expect(() => step(previous, written(second))).toThrow(refused);
  });

  test('an energy that no whole number holds exactly is refused', () => {
    const full: Projected = {
      ...written('06:00 used 1'),
      energy_wh: Number.MAX_SAFE_INTEGER - MAX_REGISTER_WH,
      offset_wh: null,
      gap_ms: 0,
      decreased: false,
    };
    const next = { ...written('07:00 used 1'), value_wh: MAX_REGISTER_WH };
    expect(step(full, next).energy_wh).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => step({ ...full, energy_wh: full.energy_wh + 1 }, next)).toThrow(EnergyOutOfRange);
  });
});

/** A place on a coarse clock, so that readings meet, follow each other and leave gaps. */
const anyHour = fc.integer({ min: 0, max: 40 });
const anyReading: fc.Arbitrary<Recorded> = fc
  .record({
    hour: anyHour,
    reading_type: fc.constantFrom('absolute' as const, 'relative' as const),
    // Few values: equal and falling registers are as frequent as rising ones.
    value_wh: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: MAX_REGISTER_WH })),
    hours_long: fc.option(fc.integer({ min: 1, max: 4 })),
  })
  .map(({ hour, hours_long, reading_type, value_wh }) => ({
    reading_timestamp: hour * HOUR_MS,
    reading_type,
    value_wh,
    period_start: reading_type === 'relative' && hours_long ? (hour - hours_long) * HOUR_MS : null,
  }));

/** Leaves out the readings that the ledger would refuse: a second one at an instant, an overlap. */
function admitted(readings: readonly Recorded[]): Recorded[] {
  const kept: Recorded[] = [];
  for (const reading of readings.toSorted(byTime)) {
    const last_ms = kept.at(-1)?.reading_timestamp ?? Number.NEGATIVE_INFINITY;
    if (reading.reading_timestamp > last_ms && (reading.period_start ?? last_ms) >= last_ms)
      kept.push(reading);
  }
  return kept;
}

/** The readings of a meter that the ledger would take, in order of time. */
const anyHistory = fc.array(anyReading, { minLength: 1, maxLength: 25 }).map(admitted);

describe('any history', () => {
  test('energy and the unknown time never shrink, and a flag stands where the register went down', () => {
    fc.assert(
      fc.property(anyHistory, (readings) => {
        const rows = fold(readings);
        for (const [i, row] of rows.entries()) {
          const previous = rows[i - 1];
          if (!previous) continue;
          const unknown_ms = row.gap_ms - previous.gap_ms;
          expect(row.energy_wh).toBeGreaterThanOrEqual(previous.energy_wh);
          expect(unknown_ms).toBeGreaterThanOrEqual(0);
          expect(unknown_ms).toBeLessThanOrEqual(row.reading_timestamp - previous.reading_timestamp);
          // Whatever is flagged used nothing that anybody knows of.
          if (row.decreased) {
            expect(row.energy_wh).toBe(previous.energy_wh);
            expect(unknown_ms).toBe(row.reading_timestamp - previous.reading_timestamp);
          }
          if (row.reading_type === 'absolute') expect(row.energy_wh - row.offset_wh!).toBe(row.value_wh);
          if (row.reading_type === 'absolute' && previous.reading_type === 'absolute') {
            expect(row.decreased).toBe(row.value_wh < previous.value_wh);
          }
        }
      }),
    );
  });
});

interface Ledger {
  rows: Projected[];
}

/** The place of the first row at or after an instant. */
function placeOf(rows: readonly Recorded[], instant_ms: number): number {
  const place = rows.findIndex((row) => row.reading_timestamp >= instant_ms);
  return place < 0 ? rows.length : place;
}

/**
 * Puts a reading in, changes it or takes it out, as one would in a long ledger: rows are recomputed from the change
 * on until one has settled, and all after that one are moved without being looked at.
 * @returns how many rows after the change were recomputed
 */
function change(ledger: Ledger, instant_ms: number, reading: Recorded | null): number {
  const place = placeOf(ledger.rows, instant_ms);
  const replaced = ledger.rows[place]?.reading_timestamp === instant_ms ? 1 : 0;
  const before = ledger.rows.slice(0, place);
  const after = ledger.rows.slice(place + replaced);
  if (reading) before.push(step(before.at(-1) ?? null, reading));
  let recomputed = 0;
  for (const stored of after) {
    const row = step(before.at(-1) ?? null, stored);
    before.push(row);
    recomputed += 1;
    const shift = shiftAfter(stored, row);
    if (!shift) continue;
    for (const later of after.slice(recomputed)) {
      before.push({
        ...later,
        energy_wh: later.energy_wh + shift.energy_wh,
        offset_wh: later.offset_wh === null ? null : later.offset_wh + shift.energy_wh,
        gap_ms: later.gap_ms + shift.gap_ms,
      });
    }
    break;
  }
  ledger.rows = before;
  return recomputed;
}

/** A row as it was recorded, so that nothing computed is carried over. */
const recordedOf = ({ reading_timestamp, reading_type, value_wh, period_start }: Recorded): Recorded => ({
  reading_timestamp,
  reading_type,
  value_wh,
  period_start,
});

describe('recomputing until settled, then moving the rest', () => {
  test('gives what folding everything anew gives, bit for bit, whatever is put in, changed or taken out', () => {
    const anyChange = fc.record({ reading: anyReading, take_out: fc.boolean() });
    fc.assert(
      fc.property(anyHistory, fc.array(anyChange, { minLength: 1, maxLength: 8 }), (readings, changes) => {
        const ledger: Ledger = { rows: fold(readings) };
        for (const { reading, take_out } of changes) {
          const instant_ms = reading.reading_timestamp;
          const kept = ledger.rows.map(recordedOf).filter((row) => row.reading_timestamp !== instant_ms);
          const wanted = take_out ? kept : [...kept, reading].sort(byTime);
          if (admitted(wanted).length < wanted.length) continue;
          change(ledger, instant_ms, take_out ? null : reading);
          expect(ledger.rows).toEqual(fold(wanted));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('readings may arrive in any order', () => {
    const arriving = anyHistory.chain((readings) =>
      fc.record({
        readings: fc.constant(readings),
        order: fc.shuffledSubarray(readings, { minLength: readings.length }),
      }),
    );
    fc.assert(
      fc.property(arriving, ({ readings, order }) => {
        const ledger: Ledger = { rows: [] };
        for (const reading of order) change(ledger, reading.reading_timestamp, reading);
        expect(ledger.rows).toEqual(fold(readings));
      }),
      { numRuns: 500 },
    );
  });

  // Without this a shiftAfter that always says "recompute" would pass, and each change would cost the whole ledger.
  test('a change settles at the next register', () => {
    const register = fc.integer({ min: 0, max: MAX_REGISTER_WH });
    fc.assert(
      fc.property(
        fc.array(register, { minLength: 3, maxLength: 20 }),
        register,
        fc.nat(),
        (values, late, at) => {
          const readings = values.map((value_wh, i) => ({
            ...written('06:00 register 0'),
            reading_timestamp: i * HOUR_MS,
            value_wh,
          }));
          const ledger: Ledger = { rows: fold(readings) };
          const instant_ms = (at % (values.length - 1)) * HOUR_MS + 1;
          const between = { ...readings[0]!, reading_timestamp: instant_ms, value_wh: late };
          expect(change(ledger, instant_ms, between)).toBe(1);
        },
      ),
    );
  });

  test.each([
    // What an amount recorded late adds, everything after it has more.
    [['06:00 used 1', '08:00 used 2', '10:00 used 3'], '07:00 used 5', '08:00', '5', 0],
    // Where an interval says when it began, an amount recorded before it closes a part of the gap.
    [['06:00 used 1', '10:00 used 2 since 09:00'], '08:00 used 5', '10:00', '5', -2],
    // A low register between two others: the way back up is energy that is known.
    [['06:00 register 100', '08:00 register 110'], '07:00 register 40', '08:00', '60', 1],
  ])('after %j comes "%s": all from %s on moves by %s kWh', (there, late, from, kwh, gap_hours) => {
    const stored = fold(there.map(written)).find((row) => row.reading_timestamp === instant(from))!;
    const anew = fold([...there, late].map(written).sort(byTime));
    const recomputed = anew.find((row) => row.reading_timestamp === instant(from))!;
    expect(shiftAfter(stored, recomputed)).toEqual({ energy_wh: wh(kwh), gap_ms: gap_hours * HOUR_MS });
  });

  test.each([
    ['the register is known where it was not', null, 5],
    ['the register is not known where it was', 5, null],
    ['the register would show something else', 5, 6],
  ])('nothing is settled where %s', (_, before_wh, after_wh) => {
    const row = step(null, written('06:00 used 1'));
    expect(shiftAfter({ ...row, offset_wh: before_wh }, { ...row, offset_wh: after_wh })).toBeNull();
  });
});
