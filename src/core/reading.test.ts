import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asRecorded,
  DEFAULT_PLAUSIBILITY_FACTOR,
  type Device,
  deviceAt,
  EnergyOutOfRange,
  FIRST_DEVICE,
  type Highest,
  IntervalOverlap,
  JUDGED_AFTER,
  type MeterRules,
  type Projected,
  type Recorded,
  registerSpan,
  rejudge,
  type Standing,
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

/** What was recorded, and the device that it installs, if it is a replacement. */
type Entry = Recorded & { installs: Device | null };
type Row = Standing & Entry;

const TYPES = { register: 'absolute', used: 'relative', replaced: 'replacement' } as const;

/**
 * A line of a meter reader's book, all on one day: "08:00 register 104.5", "08:00 used 4.5" (since the reading
 * before), "08:00 used 4.5 since 07:00", or "08:00 replaced 110 by 3" (final and first register). What else there is
 * to say follows by word and value: a register has "rollover 100000" where somebody settled a decrease, a new device
 * "digits 5" and "times 40", and anything "confirmed yes".
 */
function written(line: string): Entry {
  const [time, what, kwh, ...more] = line.split(' ') as [string, keyof typeof TYPES, string, ...string[]];
  const said: Record<string, string> = {};
  for (let i = 0; i < more.length; i += 2) said[more[i]!] = more[i + 1]!;
  return {
    reading_timestamp: instant(time),
    reading_type: TYPES[what],
    value_wh: wh(kwh),
    period_start: said.since ? instant(said.since) : null,
    rollover_wh: said.rollover ? wh(said.rollover) : null,
    confirmed: said.confirmed === 'yes',
    installs: said.by
      ? {
          installed_at: instant(time),
          initial_value_wh: wh(said.by),
          digits: said.digits ? Number(said.digits) : null,
          multiplier: Number(said.times ?? 1),
        }
      : null,
  };
}

/** What a meter starts with; the other devices stand in its book. */
interface Start {
  first: Device;
  plausibility_factor: number | null;
}
const PLAIN: Start = { first: FIRST_DEVICE, plausibility_factor: null };

function rulesOf({ first, plausibility_factor }: Start, entries: readonly Entry[]): MeterRules {
  return { devices: [first, ...entries.flatMap(({ installs }) => installs ?? [])], plausibility_factor };
}

/** The projection of entries in order of time. */
function fold(entries: readonly Entry[], start = PLAIN): Row[] {
  const rules = rulesOf(start, entries);
  const rows: Row[] = [];
  for (const entry of entries) rows.push(step(rows.at(-1) ?? null, entry, rules) as Row);
  return rows;
}

const byTime = (a: Recorded, b: Recorded) => a.reading_timestamp - b.reading_timestamp;

/** A flag of a row, or none. */
type Flags = ('decreased' | 'rolled_over' | 'implausible')[];
const flagsOf = (row: Projected): Flags =>
  (['decreased', 'rolled_over', 'implausible'] as const).filter((flag) => row[flag]);

test('a reading as it is recorded says nothing that somebody would settle later', () => {
  const { installs: _, ...register } = written('08:00 register 104.5');
  expect(asRecorded('absolute', instant('08:00'), wh('104.5'))).toEqual(register);
  const { installs: __, ...used } = written('08:00 used 4.5 since 07:00');
  expect(asRecorded('relative', instant('08:00'), wh('4.5'), instant('07:00'))).toEqual(used);
});

describe('what a reading does to the energy of its meter', () => {
  /** Energy in kWh, what the register shows from here on (times its ratio), hours of unknown energy so far, flags. */
  type Shown = [energy: string, register: string | null, gap_hours: number, ...flags: Flags];
  type History = [title: string, lines: [line: string, shown: Shown][], first?: Partial<Device>];
  const HISTORIES: History[] = [
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
    [
      'a register of five digits that begins again',
      [
        ['06:00 register 99990', ['99990', '99990', 0]],
        ['07:00 register 10', ['100010', '10', 0, 'rolled_over']],
        ['08:00 register 20', ['100020', '20', 0]],
        ['09:00 register 99999.999', ['199999.999', '99999.999', 0]],
        ['10:00 register 0', ['200000', '0', 0, 'rolled_over']],
      ],
      { digits: 5 },
    ],
    [
      'a tenth of what the register counts to is believed without being told',
      [
        ['06:00 register 95000', ['95000', '95000', 0]],
        ['07:00 register 5000', ['105000', '5000', 0, 'rolled_over']],
      ],
      { digits: 5 },
    ],
    [
      'a Wh more than a tenth is not',
      [
        ['06:00 register 95000', ['95000', '95000', 0]],
        ['07:00 register 5000.001', ['95000', '5000.001', 1, 'decreased']],
        ['08:00 register 5001.001', ['95001', '5001.001', 1]],
      ],
      { digits: 5 },
    ],
    [
      'a register that showed more than its digits can did not roll over',
      [
        ['06:00 register 100020', ['100020', '100020', 0]],
        ['07:00 register 10', ['100020', '10', 1, 'decreased']],
      ],
      { digits: 5 },
    ],
    [
      'amounts carry a register past its last digit',
      [
        ['06:00 register 99990', ['99990', '99990', 0]],
        ['07:00 used 15', ['100005', '100005', 0]],
        ['08:00 register 7', ['100007', '7', 0, 'rolled_over']],
      ],
      { digits: 5 },
    ],
    [
      'after a gap a low register is no rollover: nobody knows what it would have shown',
      [
        ['06:00 register 99990', ['99990', '99990', 0]],
        ['09:00 used 2 since 08:00', ['99992', null, 2]],
        ['10:00 register 3 rollover 100000', ['99992', '3', 3]],
      ],
      { digits: 5 },
    ],
    [
      'a transformer: the register counts a fortieth',
      [
        ['06:00 register 9999', ['399960', '399960', 0]],
        ['07:00 used 20', ['399980', '399980', 0]],
        ['08:00 register 1', ['400040', '40', 0, 'rolled_over']],
        ['09:00 register 1.001', ['400040.04', '40.04', 0]],
      ],
      { digits: 4, multiplier: 40 },
    ],
    [
      'somebody settled a decrease as a rollover, however far it went',
      [
        ['06:00 register 60000', ['60000', '60000', 0]],
        ['07:00 register 10 rollover 100000', ['100010', '10', 0, 'rolled_over']],
        ['08:00 register 9 rollover 100000', ['200009', '9', 0, 'rolled_over']],
      ],
    ],
    [
      'settled at a transformer: the register’s span counts as often as the register',
      [
        ['06:00 register 600', ['1200', '1200', 0]],
        ['07:00 register 10 rollover 1000', ['2020', '20', 0, 'rolled_over']],
      ],
      { multiplier: 2 },
    ],
    [
      'what somebody settled counts, not what the device says',
      [
        ['06:00 register 9990', ['9990', '9990', 0]],
        ['07:00 register 5 rollover 10000', ['10005', '5', 0, 'rolled_over']],
      ],
      { digits: 6 },
    ],
    [
      'a settled rollover that does not reach stays a decrease',
      [
        ['06:00 register 100020', ['100020', '100020', 0]],
        ['07:00 register 10 rollover 100000', ['100020', '10', 1, 'decreased']],
      ],
    ],
    [
      'a settled rollover where nothing went down any more changes nothing',
      [
        ['06:00 register 5', ['5', '5', 0]],
        ['07:00 register 10 rollover 100000', ['10', '10', 0]],
      ],
    ],
    [
      'a replacement: the old register ends, the new one begins, the meter goes on',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['08:00 replaced 110 by 3', ['110', '3', 0]],
        ['10:00 register 5', ['112', '5', 0]],
        ['11:00 used 4', ['116', '9', 0]],
        ['12:00 register 2', ['116', '2', 1, 'decreased']],
        ['13:00 replaced 4 by 4711', ['118', '4711', 1]],
        ['14:00 register 4712', ['119', '4712', 1]],
      ],
    ],
    [
      'a replacement is the first thing known of a meter',
      [
        ['06:00 replaced 50 by 7', ['50', '7', 0]],
        ['08:00 register 9', ['52', '9', 0]],
      ],
    ],
    [
      'the final register went down: unknown until settled, the new device counts on',
      [
        ['06:00 register 100', ['100', '100', 0]],
        ['08:00 replaced 90 by 0', ['100', '0', 2, 'decreased']],
        ['09:00 register 1', ['101', '1', 2]],
      ],
    ],
    [
      'amounts, then a replacement: what was used since them is not known',
      [
        ['06:00 used 1 since 05:00', ['1', null, 0]],
        ['08:00 replaced 500 by 0', ['1', '0', 2]],
        ['09:00 register 4', ['5', '4', 2]],
      ],
    ],
    [
      'a device goes with its transformer',
      [
        ['06:00 register 10', ['10', '10', 0]],
        ['08:00 replaced 12 by 100 times 40', ['12', '4000', 0]],
        ['09:00 register 102', ['92', '4080', 0]],
        ['10:00 replaced 103 by 0 times 30', ['132', '0', 0]],
        ['11:00 register 1', ['162', '30', 0]],
      ],
    ],
    [
      'a device goes with its digits: the final register is still the old one’s',
      [
        ['06:00 register 99990', ['99990', '99990', 0]],
        ['07:00 replaced 5 by 9990 digits 4', ['100005', '9990', 0, 'rolled_over']],
        ['08:00 register 3', ['100018', '3', 0, 'rolled_over']],
        ['09:00 replaced 4 by 9990', ['100019', '9990', 0]],
        ['10:00 register 3', ['100019', '3', 1, 'decreased']],
      ],
      { digits: 5 },
    ],
  ];

  test.each(HISTORIES)('%s', (_, lines, first = {}) => {
    const entries = lines.map(([line]) => written(line));
    const rows = fold(entries, { ...PLAIN, first: { ...FIRST_DEVICE, ...first } });
    const shown = rows.map((row): Shown => {
      const register = row.offset_wh === null ? null : formatKwh(row.energy_wh - row.offset_wh);
      return [formatKwh(row.energy_wh), register, row.gap_ms / HOUR_MS, ...flagsOf(row)];
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
    const rules = rulesOf(PLAIN, []);
    const previous = step(null, written(first), rules);
    const refused = expect.objectContaining({ reading: written(second), previous });
    expect(() => step(previous, written(second), rules)).toThrow(IntervalOverlap);
    expect(() => step(previous, written(second), rules)).toThrow(refused);
  });

  test('an energy that no whole number holds exactly is refused', () => {
    const rules = rulesOf(PLAIN, []);
    const full: Standing = {
      ...step(null, written('06:00 used 1'), rules),
      energy_wh: Number.MAX_SAFE_INTEGER - MAX_REGISTER_WH,
    };
    const next = { ...written('07:00 used 1'), value_wh: MAX_REGISTER_WH };
    expect(step(full, next, rules).energy_wh).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => step({ ...full, energy_wh: full.energy_wh + 1 }, next, rules)).toThrow(EnergyOutOfRange);
  });

  test('a register so large that its ratio takes it out of the range is refused', () => {
    const rules = rulesOf({ ...PLAIN, first: { ...FIRST_DEVICE, multiplier: 9000 } }, []);
    const most = { ...written('06:00 register 1'), value_wh: MAX_REGISTER_WH };
    expect(step(null, most, rules).energy_wh).toBe(MAX_REGISTER_WH * 9000);
    const beyond = { ...rules, devices: [{ ...FIRST_DEVICE, multiplier: 9008 }] };
    expect(() => step(null, most, beyond)).toThrow(EnergyOutOfRange);
    const replaced = written('06:00 replaced 1 by 999999999.999 times 9008');
    expect(() => step(null, replaced, rulesOf(PLAIN, [replaced]))).toThrow(EnergyOutOfRange);
  });
});

describe('a rate far above what a meter has shown', () => {
  /** The highest plausible rate so far, how many rates there were, one more than are not judged at most, and the flags. */
  type Judged = [highest_w: number, stretches: number, ...flags: Flags];
  type History = [title: string, factor: number | null, lines: [line: string, judged: Judged][]];
  const KILOWATT: [string, Judged][] = [
    ['06:00 register 0', [0, 0]],
    ['07:00 register 1', [1000, 1]],
    ['08:00 register 2', [1000, 2]],
    ['09:00 register 3', [1000, 3]],
  ];
  const HISTORIES: History[] = [
    ['ten times the highest is plausible', 10, [...KILOWATT, ['10:00 register 13', [10_000, 4]]]],
    ['a Wh more is not', 10, [...KILOWATT, ['10:00 register 13.001', [1000, 4, 'implausible']]]],
    ['the factor is the meter’s', 2, [...KILOWATT, ['10:00 register 5.001', [1000, 4, 'implausible']]]],
    ['no factor, no judgement', null, [...KILOWATT, ['10:00 register 5000', [4_997_000, 4]]]],
    [
      'what is implausible does not make itself plausible',
      10,
      [
        ...KILOWATT,
        ['10:00 register 103', [1000, 4, 'implausible']],
        ['11:00 register 203', [1000, 4, 'implausible']],
        ['12:00 register 213', [10_000, 4]],
        ['13:00 register 313', [100_000, 4]],
      ],
    ],
    [
      'what somebody confirmed is plausible from then on',
      10,
      [
        ...KILOWATT,
        ['10:00 register 103 confirmed yes', [100_000, 4]],
        ['11:00 register 1103', [1_000_000, 4]],
      ],
    ],
    [
      'two stretches are nothing to compare with',
      10,
      [
        ['06:00 register 0', [0, 0]],
        ['07:00 register 0.001', [1, 1]],
        ['08:00 register 0.002', [1, 2]],
        ['09:00 register 5000.002', [5_000_000, 3]],
      ],
    ],
    [
      'a meter that stood still may start with a kilowatt',
      10,
      [
        ['06:00 register 7', [0, 0]],
        ['07:00 register 7', [0, 1]],
        ['08:00 register 7', [0, 2]],
        ['09:00 register 7', [0, 3]],
        ['10:00 register 8', [1000, 4]],
      ],
    ],
    [
      'but not with more: a hundred watts is what it counts as',
      10,
      [
        ['06:00 register 7', [0, 0]],
        ['07:00 register 7.099', [99, 1]],
        ['08:00 register 7.099', [99, 2]],
        ['09:00 register 7.099', [99, 3]],
        ['10:00 register 8.1', [99, 4, 'implausible']],
      ],
    ],
    [
      'a rate is the mean over the time, rounded up to whole watts',
      10,
      [
        ['06:00 register 0', [0, 0]],
        ['13:00 register 0.001', [1, 1]],
        ['13:30 register 1', [1998, 2]],
      ],
    ],
    [
      'an unknown stretch is none: after a decrease, and before an interval that says when it began',
      10,
      [
        ['06:00 register 100', [0, 0]],
        ['07:00 register 50', [0, 0, 'decreased']],
        ['08:00 register 51', [1000, 1]],
        ['10:00 used 1 since 09:30', [2000, 2]],
        ['11:00 register 900', [2000, 2]],
        ['12:00 register 901', [2000, 3]],
        ['13:00 used 15 since 12:30', [2000, 4, 'implausible']],
        ['14:00 used 10 since 13:30', [20_000, 4]],
      ],
    ],
    [
      'an interval with nothing before it is a stretch, an amount that does not say since when is none',
      10,
      [
        ['06:00 used 3 since 05:00', [3000, 1]],
        ['07:00 used 1', [3000, 2]],
      ],
    ],
    ['an amount alone', 10, [['06:00 used 3', [0, 0]]]],
    [
      'a rollover nobody settled may be implausible too',
      10,
      [
        ...KILOWATT.map(([line, judged]): [string, Judged] => [
          line.replace('register ', 'register 999'),
          judged,
        ]),
        ['10:00 register 100.003', [1000, 4, 'rolled_over', 'implausible']],
      ],
    ],
    [
      'a replacement is judged like a reading',
      10,
      [...KILOWATT, ['10:00 replaced 50 by 0', [1000, 4, 'implausible']], ['11:00 register 10', [10_000, 4]]],
    ],
  ];

  test.each(HISTORIES)('%s', (_, plausibility_factor, lines) => {
    const entries = lines.map(([line]) => written(line));
    const rows = fold(entries, { first: { ...FIRST_DEVICE, digits: 4 }, plausibility_factor });
    expect(rows.map((row): Judged => [row.highest_w, row.stretches, ...flagsOf(row)])).toEqual(
      lines.map(([, judged]) => judged),
    );
  });

  test('its energy is known all the same', () => {
    const lines = [...KILOWATT.map(([line]) => line), '10:00 register 500'];
    const [judged, unjudged] = [10, null].map((plausibility_factor) =>
      fold(lines.map(written), { ...PLAIN, plausibility_factor }),
    );
    expect(judged!.at(-1)!.implausible).toBe(true);
    expect(judged!.at(-1)!).toMatchObject({ energy_wh: wh('500'), gap_ms: 0 });
    expect(unjudged!.at(-1)!.implausible).toBe(false);
  });

  test('a rate beyond every number is still one', () => {
    const [first, last] = fold([
      { ...written('06:00 register 0'), reading_timestamp: 0 },
      { ...written('06:00 register 0'), reading_timestamp: 1, value_wh: MAX_REGISTER_WH },
    ]);
    expect([first!.highest_w, last!.highest_w]).toEqual([0, Number.MAX_SAFE_INTEGER]);
  });
});

describe('the device at an instant', () => {
  const entries = ['08:00 replaced 1 by 0 digits 5', '10:00 replaced 1 by 0 times 40'].map(written);
  const { devices } = rulesOf(PLAIN, entries);

  test.each([
    ['07:59', 0],
    ['08:00', 0],
    ['08:01', 1],
    ['10:00', 1],
    ['10:01', 2],
  ])(
    'at %s is the one whose register a reading shows; a replacement still shows the old one',
    (time, index) => {
      expect(deviceAt(devices, instant(time))).toBe(devices[index]);
    },
  );

  test('what its register counts to', () => {
    expect(devices.map(registerSpan)).toEqual([null, wh('100000'), null]);
  });
});

/** Few values: equal and falling registers, and those about to begin again, are as frequent as rising ones. */
const anyValue = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 9_000, max: 10_000 }),
  fc.integer({ min: 0, max: MAX_REGISTER_WH }),
);
const anyDevice = fc.record({
  installed_at: fc.constant(null),
  initial_value_wh: fc.constant(null),
  digits: fc.option(fc.integer({ min: 1, max: 3 })),
  multiplier: fc.constantFrom(1, 1, 2, 40),
});
const anyFactor = fc.constantFrom(null, 2, DEFAULT_PLAUSIBILITY_FACTOR);
const anyStart: fc.Arbitrary<Start> = fc.record({ first: anyDevice, plausibility_factor: anyFactor });

/** At a place on a coarse clock, so that entries meet, follow each other and leave gaps. */
const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    hour: fc.integer({ min: 0, max: 40 }),
    reading_type: fc.constantFrom('absolute', 'absolute', 'absolute', 'relative', 'relative', 'replacement'),
    value_wh: anyValue,
    hours_long: fc.option(fc.integer({ min: 1, max: 4 })),
    rollover_wh: fc.constantFrom(null, null, 10_000, 1_000_000, MAX_REGISTER_WH + 1),
    confirmed: fc.constantFrom(false, false, true),
    device: anyDevice,
    initial_value_wh: anyValue,
  })
  .map(({ hour, hours_long, reading_type, value_wh, rollover_wh, confirmed, device, initial_value_wh }) => {
    const reading_timestamp = hour * HOUR_MS;
    const is_replacement = reading_type === 'replacement';
    return {
      reading_timestamp,
      reading_type,
      value_wh,
      period_start: reading_type === 'relative' && hours_long ? (hour - hours_long) * HOUR_MS : null,
      rollover_wh: reading_type === 'absolute' ? rollover_wh : null,
      confirmed: confirmed && !is_replacement,
      installs: is_replacement ? { ...device, installed_at: reading_timestamp, initial_value_wh } : null,
    };
  });

/** Leaves out what the ledger would refuse: a second reading at an instant, an overlap. */
function admitted(entries: readonly Entry[]): Entry[] {
  const kept: Entry[] = [];
  for (const entry of entries.toSorted(byTime)) {
    const last_ms = kept.at(-1)?.reading_timestamp ?? Number.NEGATIVE_INFINITY;
    if (entry.reading_timestamp > last_ms && (entry.period_start ?? last_ms) >= last_ms) kept.push(entry);
  }
  return kept;
}

/** What the ledger would take of a meter, in order of time. */
const anyHistory = fc.array(anyEntry, { minLength: 1, maxLength: 25 }).map(admitted);

/** The rate of the known part of the stretch between two rows; null if there is none. */
/** Energy over time in W, rounded up. */
function rate(used_wh: number, during_ms: number): number {
  const [used, during] = [BigInt(used_wh), BigInt(during_ms)];
  return Math.min(Number((used * BigInt(HOUR_MS) + during - 1n) / during), Number.MAX_SAFE_INTEGER);
}

function rateBetween(previous: Row, row: Row): number | null {
  const known_ms = row.reading_timestamp - previous.reading_timestamp - (row.gap_ms - previous.gap_ms);
  return known_ms === 0 ? null : rate(row.energy_wh - previous.energy_wh, known_ms);
}

/** Every row of any history with the one before it. */
function forEachStep(check: (previous: Row, row: Row, rules: MeterRules, rows: Row[]) => void): void {
  fc.assert(
    fc.property(anyHistory, anyStart, (entries, start) => {
      const rows = fold(entries, start);
      const rules = rulesOf(start, entries);
      for (let i = 1; i < rows.length; i++) check(rows[i - 1]!, rows[i]!, rules, rows.slice(0, i + 1));
    }),
    { numRuns: 500 },
  );
}

describe('any history', () => {
  test('energy and the unknown time never shrink; where a register went down nothing was used', () => {
    forEachStep((previous, row) => {
      const unknown_ms = row.gap_ms - previous.gap_ms;
      expect(row.energy_wh).toBeGreaterThanOrEqual(previous.energy_wh);
      expect(unknown_ms).toBeGreaterThanOrEqual(0);
      expect(unknown_ms).toBeLessThanOrEqual(row.reading_timestamp - previous.reading_timestamp);
      // Whatever is flagged used nothing that anybody knows of.
      if (row.decreased) {
        expect(row.energy_wh).toBe(previous.energy_wh);
        expect(unknown_ms).toBe(row.reading_timestamp - previous.reading_timestamp);
      }
    });
  });

  test('energy is what the register shows, times its ratio, from an offset on', () => {
    forEachStep((_, row, { devices }) => {
      if (row.reading_type === 'relative') return;
      const shown_wh = row.installs
        ? row.installs.initial_value_wh! * row.installs.multiplier
        : row.value_wh * deviceAt(devices, row.reading_timestamp).multiplier;
      expect(row.energy_wh - row.offset_wh!).toBe(shown_wh);
    });
  });

  test('a flag stands where the register went down, and nowhere else: a rollover or a decrease', () => {
    forEachStep((previous, row, { devices }) => {
      const device = deviceAt(devices, row.reading_timestamp);
      const went_down =
        row.reading_type !== 'relative' &&
        previous.offset_wh !== null &&
        row.value_wh * device.multiplier < previous.energy_wh - previous.offset_wh;
      expect(Number(row.decreased) + Number(row.rolled_over)).toBe(went_down ? 1 : 0);
      if (!row.rolled_over) return;
      const used_wh = row.energy_wh - previous.energy_wh;
      const span_wh = (row.rollover_wh ?? registerSpan(device)!) * device.multiplier;
      expect(used_wh).toBe(
        row.value_wh * device.multiplier + span_wh - (previous.energy_wh - previous.offset_wh!),
      );
      expect(used_wh * (row.rollover_wh === null ? 10 : 1)).toBeLessThanOrEqual(span_wh);
    });
  });

  test('the highest rate is that of all that are not implausible', () => {
    forEachStep((previous, row, { plausibility_factor }, rows) => {
      const rates = rows.flatMap((each, i) => {
        const since =
          i === 0 && each.period_start !== null ? each.reading_timestamp - each.period_start : null;
        const first = since === null ? null : rate(each.value_wh, since);
        const rate_w = i === 0 ? first : rateBetween(rows[i - 1]!, each);
        return rate_w === null ? [] : [{ rate_w, counts: !each.implausible }];
      });
      const counting = rates.filter(({ counts }) => counts).map(({ rate_w }) => rate_w);
      expect(row.highest_w).toBe(Math.max(0, ...counting));
      expect(row.stretches).toBe(Math.min(rates.length, JUDGED_AFTER + 1));
      const rate_w = rateBetween(previous, row);
      expect(row.rate_w).toBe(rate_w);
      const judged = plausibility_factor !== null && !row.confirmed && previous.stretches >= JUDGED_AFTER;
      const highest_w = (plausibility_factor ?? 0) * Math.max(previous.highest_w, 100);
      expect(row.implausible).toBe(judged && rate_w !== null && rate_w > highest_w);
      expect(row.is_highest).toBe(rate_w !== null && !row.implausible && rate_w > previous.highest_w);
    });
  });
});

interface Ledger extends Start {
  rows: Row[];
}

/** The place of the first row at or after an instant. */
function placeOf(rows: readonly Recorded[], instant_ms: number): number {
  const place = rows.findIndex((row) => row.reading_timestamp >= instant_ms);
  return place < 0 ? rows.length : place;
}

/** When the device ends that is there before `after`: its final register is still its own. */
function endOfDevice(after: readonly Row[]): number {
  return after.find(({ installs }) => installs)?.reading_timestamp ?? Number.POSITIVE_INFINITY;
}

/**
 * Goes on as one would in a long ledger: rows are recomputed until one has settled, and all after that one are moved
 * without being looked at.
 * @param until_ms the rules have changed up to here: look at everything
 * @returns how many rows were recomputed
 */
function settle(ledger: Ledger, before: Row[], after: readonly Row[], until_ms: number): number {
  const rules = rulesOf(ledger, [...before, ...after]);
  const rows = [...before];
  let recomputed = 0;
  for (const stored of after) {
    const row = step(rows.at(-1) ?? null, stored, rules) as Row;
    rows.push(row);
    recomputed += 1;
    const shift = stored.reading_timestamp < until_ms ? null : shiftAfter(stored, row);
    if (!shift) continue;
    const shifted = after.slice(recomputed).map((later) => ({
      ...later,
      energy_wh: later.energy_wh + shift.energy_wh,
      offset_wh: later.offset_wh === null ? null : later.offset_wh + shift.energy_wh,
      gap_ms: later.gap_ms + shift.gap_ms,
    }));
    const judged = judgedAgain(shifted, { stored_w: stored.highest_w, recomputed_w: row.highest_w }, rules);
    recomputed += judged.changed;
    rows.push(...judged.rows);
    break;
  }
  ledger.rows = rows;
  return recomputed;
}

/** Later rows once the highest rate before them has changed; only those above it are looked at. */
function judgedAgain(rows: readonly Row[], highest: Highest, rules: MeterRules) {
  const floor_w = Math.min(highest.stored_w, highest.recomputed_w);
  const above = rows.filter(({ rate_w }) => rate_w !== null && rate_w > floor_w);
  // In two parts, as pages of a long ledger are.
  const first = rejudge(above.slice(0, 2), highest, rules);
  const rest = rejudge(above.slice(2), first.highest, rules);
  const changed = new Map([...first.changed, ...rest.changed].map((row) => [row.reading_timestamp, row]));
  let { recomputed_w: highest_w } = highest;
  const carried = rows.map((row) => {
    const judged = changed.get(row.reading_timestamp) ?? row;
    if (judged.is_highest) highest_w = judged.rate_w!;
    return { ...judged, highest_w };
  });
  return { rows: carried, changed: changed.size };
}

/**
 * Puts an entry in, changes it or takes it out.
 * @returns how many rows after the change were recomputed
 */
function change(ledger: Ledger, instant_ms: number, entry: Entry | null): number {
  const place = placeOf(ledger.rows, instant_ms);
  const there = ledger.rows[place]?.reading_timestamp === instant_ms ? ledger.rows[place] : undefined;
  const before = ledger.rows.slice(0, place);
  const after = ledger.rows.slice(place + (there ? 1 : 0));
  if (entry) {
    const rules = rulesOf(ledger, [...before, entry, ...after]);
    before.push(step(before.at(-1) ?? null, entry, rules) as Row);
  }
  const devices_changed = Boolean(there?.installs ?? entry?.installs);
  return settle(ledger, before, after, devices_changed ? endOfDevice(after) : Number.NEGATIVE_INFINITY);
}

/** A row as it was recorded, so that nothing computed is carried over. */
function recordedOf(row: Entry): Entry {
  const { reading_timestamp, reading_type, value_wh, period_start, rollover_wh, confirmed, installs } = row;
  return { reading_timestamp, reading_type, value_wh, period_start, rollover_wh, confirmed, installs };
}

describe('recomputing until settled, then moving the rest', () => {
  const anyChange = fc.oneof(
    { weight: 6, arbitrary: fc.record({ entry: anyEntry, take_out: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ first: anyDevice }) },
    { weight: 1, arbitrary: fc.record({ plausibility_factor: anyFactor }) },
  );

  test('gives what folding everything anew gives, bit for bit, whatever is put in, changed or taken out', () => {
    const changes = fc.array(anyChange, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(anyHistory, anyStart, changes, (entries, start, drawn) => {
        const ledger: Ledger = { ...start, rows: fold(entries, start) };
        for (const each of drawn) {
          const stored = ledger.rows.map(recordedOf);
          if ('entry' in each) {
            const instant_ms = each.entry.reading_timestamp;
            const kept = stored.filter((row) => row.reading_timestamp !== instant_ms);
            const wanted = each.take_out ? kept : [...kept, each.entry].sort(byTime);
            if (admitted(wanted).length < wanted.length) continue;
            change(ledger, instant_ms, each.take_out ? null : each.entry);
            expect(ledger.rows).toEqual(fold(wanted, ledger));
            continue;
          }
          // What was there first ends with the first replacement; the judgement is about everything.
          const until_ms = 'first' in each ? endOfDevice(ledger.rows) : Number.POSITIVE_INFINITY;
          Object.assign(ledger, each);
          settle(ledger, [], ledger.rows, until_ms);
          expect(ledger.rows).toEqual(fold(stored, ledger));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('entries may arrive in any order', () => {
    const arriving = anyHistory.chain((entries) =>
      fc.record({
        entries: fc.constant(entries),
        order: fc.shuffledSubarray(entries, { minLength: entries.length }),
        start: anyStart,
      }),
    );
    fc.assert(
      fc.property(arriving, ({ entries, order, start }) => {
        const ledger: Ledger = { ...start, rows: [] };
        for (const entry of order) change(ledger, entry.reading_timestamp, entry);
        expect(ledger.rows).toEqual(fold(entries, start));
      }),
      { numRuns: 1000 },
    );
  });

  // A past that nothing compares with: no later change moves the highest rate.
  const PAST = [0, 1, 2, 3, MAX_REGISTER_WH].map((value_wh, i) => ({
    ...written('06:00 register 0'),
    reading_timestamp: i - 5,
    value_wh,
  }));

  // Without this a shiftAfter that always says "recompute" would pass, and each change would cost the whole ledger.
  test('a change settles at the next register', () => {
    const register = fc.integer({ min: 0, max: MAX_REGISTER_WH });
    const registers = fc.array(register, { minLength: 3, maxLength: 20 });
    fc.assert(
      fc.property(registers, register, fc.nat(), anyStart, (values, late, at, start) => {
        const entries = values.map((value_wh, i) => ({
          ...written('06:00 register 0'),
          reading_timestamp: i * HOUR_MS,
          value_wh,
        }));
        const ledger: Ledger = { ...start, rows: fold([...PAST, ...entries], start) };
        const instant_ms = (at % (values.length - 1)) * HOUR_MS + 1;
        const between = { ...entries[0]!, reading_timestamp: instant_ms, value_wh: late };
        expect(change(ledger, instant_ms, between)).toBe(1);
      }),
    );
  });

  test('a highest rate that moves is carried to where something higher was there before', () => {
    const lines = ['01:00 register 0', '02:00 register 1', '03:00 register 2', '04:00 register 3'];
    const later = ['06:00 register 5', '07:00 register 6', '08:00 register 16', '09:00 register 17'];
    const entries = [...lines, ...later].map(written);
    const ledger: Ledger = { ...PLAIN, rows: fold(entries) };
    // In the two hours before six, all of it in the last half: 4 kW for half an hour.
    const late = written('05:30 register 3');
    expect(change(ledger, late.reading_timestamp, late)).toBe(1);
    expect(ledger.rows).toEqual(fold([...entries, late].sort(byTime)));
    expect(ledger.rows.map(({ highest_w }) => highest_w)).toEqual(
      [0, 1, 1, 1, 1, 4, 4, 10, 10].map((kw) => kw * 1000),
    );
  });

  test('a highest rate that goes makes the next one the highest, and what it hid implausible', () => {
    const used = [1, 1, 1, 1, 9, 2, 21, 1, 5, 1];
    const entries = used.map((kwh, i) => written(`${String(i + 1).padStart(2, '0')}:00 used ${kwh}`));
    const start = { ...PLAIN, plausibility_factor: 10 };
    const ledger: Ledger = { ...start, rows: fold(entries, start) };
    const highest = () =>
      ledger.rows.flatMap(({ is_highest, rate_w }) => (is_highest ? [rate_w! / 1000] : []));
    expect(highest()).toEqual([1, 9, 21]);
    expect(ledger.rows.some(({ implausible }) => implausible)).toBe(false);
    const right = { ...entries[4]!, value_wh: wh('1') };
    // The one after it is looked at, and of all the others only those three that are judged otherwise.
    expect(change(ledger, right.reading_timestamp, right)).toBe(1 + 2);
    expect(ledger.rows).toEqual(fold(entries.with(4, right), start));
    expect(highest()).toEqual([1, 2, 5]);
    expect(ledger.rows.findIndex(({ implausible }) => implausible)).toBe(6);
  });

  test.each([
    // What an amount recorded late adds, everything after it has more.
    [['06:00 used 1 since 05:00', '08:00 used 2', '10:00 used 3'], '07:00 used 5', '08:00', '5', 0],
    // Where an interval says when it began, an amount recorded before it closes a part of the gap.
    [['06:00 used 1', '10:00 used 2 since 09:00'], '08:00 used 5', '10:00', '5', -2],
    // A low register between two others: the way back up is energy that is known.
    [['06:00 register 100', '08:00 register 110'], '07:00 register 40', '08:00', '60', 1],
    // A replacement recorded late: what the old device counted on is known, the new register was right all along.
    [['06:00 register 100', '08:00 register 4'], '07:00 replaced 110 by 1', '08:00', '13', -2],
    // A rollover settled late.
    [['06:00 register 100', '08:00 register 4'], '08:00 register 4 rollover 1000', '08:00', '904', -2],
  ])('after %j comes "%s": all from %s on moves by %s kWh', (there, line, from, kwh, gap_hours) => {
    const late = written(line);
    const at = (entries: Entry[]) =>
      fold([...PAST, ...entries.sort(byTime)]).find((row) => row.reading_timestamp === instant(from))!;
    const before = there.map(written);
    const kept = before.filter((entry) => entry.reading_timestamp !== late.reading_timestamp);
    expect(shiftAfter(at(before), at([...kept, late]))).toEqual({
      energy_wh: wh(kwh),
      gap_ms: gap_hours * HOUR_MS,
    });
  });

  test.each<[string, Partial<Projected>, Partial<Projected>]>([
    ['the register is known where it was not', { offset_wh: null }, { offset_wh: 5 }],
    ['the register is not known where it was', { offset_wh: 5 }, { offset_wh: null }],
    ['the register would show something else', { offset_wh: 5 }, { offset_wh: 6 }],
    ['more is there to compare with', { stretches: 2 }, { stretches: 3 }],
  ])('nothing is settled where %s', (_, before, after) => {
    const row = step(null, written('06:00 used 1'), rulesOf(PLAIN, []));
    expect(shiftAfter({ ...row, ...before }, { ...row, ...after })).toBeNull();
    expect(shiftAfter({ ...row, ...before }, { ...row, ...before })).toEqual({ energy_wh: 0, gap_ms: 0 });
  });
});
