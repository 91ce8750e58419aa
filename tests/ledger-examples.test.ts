/**
 * Pairs of what was read and what was used, worked out by hand from the rules of the ledger: registers that begin again,
 * devices that are swapped, stretches of which nothing is known. Whoever reads meters can check them.
 */
import { describe, expect, test } from 'vitest';
import { consumption } from '../src/core/energy.ts';
import { type Device, FIRST_DEVICE, type Recorded, type Standing, step } from '../src/core/reading.ts';
import { formatKwh, parseKwh } from '../src/core/units.ts';

/** What stands in the notebook, one line each: the day, and what was read or done on it. */
type Line =
  | { day: number; shows: string; settled_digits?: number }
  | { day: number; used: string; since?: number }
  | { day: number; removed_at: string; new_at: string; multiplier?: number; digits?: number };

interface Example {
  name: string;
  /** The first device, where something is known of it. */
  digits?: number;
  multiplier?: number;
  notebook: Line[];
  /** From day to day: kWh, or null where it is unknown; then the kWh of the known parts, if something is. */
  periods: [from: number, to: number, kwh: string | null, known?: string][];
}

const EXAMPLES: Example[] = [
  {
    name: 'a register that counts on',
    notebook: [
      { day: 0, shows: '1000' },
      { day: 10, shows: '1100' },
      { day: 20, shows: '1250.5' },
    ],
    // Day 5 lies halfway between 1000 and 1100.
    periods: [
      [0, 10, '100'],
      [10, 20, '150.5'],
      [0, 20, '250.5'],
      [5, 10, '50'],
    ],
  },
  {
    name: 'past the last of five digits: 99990 → 00015 is 10 to the top and 15 from there',
    digits: 5,
    notebook: [
      { day: 0, shows: '99980' },
      { day: 1, shows: '99990' },
      { day: 2, shows: '15' },
      { day: 3, shows: '20' },
    ],
    periods: [
      [1, 2, '25'],
      [0, 3, '40'],
      [2, 3, '5'],
    ],
  },
  {
    name: 'round twice',
    digits: 3,
    notebook: [
      { day: 0, shows: '950' },
      { day: 1, shows: '10' },
      { day: 2, shows: '990' },
      { day: 3, shows: '20.25' },
    ],
    // 60, then 980, then 30.25.
    periods: [
      [0, 1, '60'],
      [1, 2, '980'],
      [2, 3, '30.25'],
      [0, 3, '1070.25'],
    ],
  },
  {
    name: 'down from the middle of the register: not a rollover, nobody knows what was used',
    digits: 5,
    notebook: [
      { day: 0, shows: '40000' },
      { day: 1, shows: '40010' },
      { day: 2, shows: '500' },
      { day: 3, shows: '512' },
    ],
    periods: [
      [0, 1, '10'],
      [1, 2, null],
      [2, 3, '12'],
      [0, 3, null, '22'],
    ],
  },
  {
    name: 'the same, and somebody says that it went all the way round',
    digits: 5,
    notebook: [
      { day: 0, shows: '40000' },
      { day: 1, shows: '40010' },
      { day: 2, shows: '500', settled_digits: 5 },
      { day: 3, shows: '512' },
    ],
    // 99999 is followed by 0: 100000 − 40010 + 500.
    periods: [
      [1, 2, '60490'],
      [0, 3, '60512'],
    ],
  },
  {
    name: 'two resets that nobody explained: only what lies between is known',
    notebook: [
      { day: 0, shows: '700' },
      { day: 1, shows: '0' },
      { day: 2, shows: '30' },
      { day: 3, shows: '5' },
      { day: 5, shows: '9' },
    ],
    periods: [
      [0, 1, null],
      [1, 2, '30'],
      [2, 3, null],
      [3, 5, '4'],
      [0, 5, null, '34'],
      [1, 5, null, '34'],
      [4, 5, '2'],
    ],
  },
  {
    name: 'a swap on the day of no reading: to the last of the old, and from the first of the new',
    notebook: [
      { day: 0, shows: '5000' },
      { day: 4, removed_at: '5040', new_at: '2' },
      { day: 8, shows: '22' },
    ],
    periods: [
      [0, 4, '40'],
      [4, 8, '20'],
      [0, 8, '60'],
      [2, 6, '30'],
    ],
  },
  {
    name: 'a swap for a device behind transformers: its register counts a fortieth',
    notebook: [
      { day: 0, shows: '100' },
      { day: 1, removed_at: '110', new_at: '0', multiplier: 40 },
      { day: 2, shows: '1.5' },
      { day: 3, shows: '2' },
    ],
    periods: [
      [0, 1, '10'],
      [1, 2, '60'],
      [2, 3, '20'],
      [0, 3, '90'],
    ],
  },
  {
    name: 'two swaps, nothing read in between',
    notebook: [
      { day: 0, shows: '10' },
      { day: 1, removed_at: '15', new_at: '100' },
      { day: 2, removed_at: '107', new_at: '0' },
      { day: 3, shows: '1' },
    ],
    periods: [
      [0, 1, '5'],
      [1, 2, '7'],
      [2, 3, '1'],
      [0, 3, '13'],
    ],
  },
  {
    name: 'a swap, and the new device goes past its last digit',
    digits: 6,
    notebook: [
      { day: 0, shows: '500000' },
      { day: 1, removed_at: '500100', new_at: '9990', digits: 4 },
      { day: 2, shows: '30' },
    ],
    periods: [
      [1, 2, '40'],
      [0, 2, '140'],
    ],
  },
  {
    name: 'the last of the old device lies below what was read of it: unknown up to the swap, known after it',
    notebook: [
      { day: 0, shows: '200' },
      { day: 1, removed_at: '190', new_at: '0' },
      { day: 2, shows: '8' },
    ],
    periods: [
      [0, 1, null],
      [1, 2, '8'],
      [0, 2, null, '8'],
    ],
  },
  {
    name: 'intervals that follow each other',
    notebook: [
      { day: 1, used: '3', since: 0 },
      { day: 2, used: '4', since: 1 },
      { day: 3, used: '5' },
    ],
    periods: [
      [0, 1, '3'],
      [0, 3, '12'],
      [1, 3, '9'],
    ],
  },
  {
    name: 'a day without an interval: a gap',
    notebook: [
      { day: 1, used: '3', since: 0 },
      { day: 2, used: '4', since: 1 },
      { day: 4, used: '6', since: 3 },
    ],
    periods: [
      [0, 2, '7'],
      [2, 3, null],
      [3, 4, '6'],
      [0, 4, null, '13'],
      [1, 4, null, '10'],
    ],
  },
  {
    name: 'a register, intervals, and the register again: it has counted what they say',
    notebook: [
      { day: 0, shows: '100' },
      { day: 1, used: '10', since: 0 },
      { day: 2, used: '20' },
      { day: 3, shows: '135' },
    ],
    periods: [
      [0, 2, '30'],
      [2, 3, '5'],
      [0, 3, '35'],
    ],
  },
  {
    name: 'a register after a gap: what it counted meanwhile cannot be told',
    notebook: [
      { day: 0, shows: '100' },
      { day: 3, used: '10', since: 2 },
      { day: 4, shows: '150' },
      { day: 5, shows: '160' },
    ],
    periods: [
      [2, 3, '10'],
      [3, 4, null],
      [4, 5, '10'],
      [0, 5, null, '20'],
    ],
  },
  {
    name: 'before the first reading and after the last nothing is known',
    notebook: [
      { day: 2, shows: '50' },
      { day: 4, shows: '70' },
    ],
    periods: [
      [0, 2, null],
      [0, 4, null, '20'],
      [2, 6, null, '20'],
      [4, 6, null],
      [3, 9, null, '10'],
    ],
  },
];

const DAY_MS = 86_400_000;

function wh(kwh: string): number {
  const parsed = parseKwh(kwh);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

function toRecorded(line: Line): Recorded {
  const plain = {
    reading_timestamp: line.day * DAY_MS,
    period_start: null,
    rollover_wh: null,
    confirmed: false,
  };
  if ('shows' in line) {
    const rollover_wh = line.settled_digits ? 10 ** line.settled_digits * 1000 : null;
    return { ...plain, reading_type: 'absolute', value_wh: wh(line.shows), rollover_wh };
  }
  if ('used' in line) {
    const period_start = line.since === undefined ? null : line.since * DAY_MS;
    return { ...plain, reading_type: 'relative', value_wh: wh(line.used), period_start };
  }
  return { ...plain, reading_type: 'replacement', value_wh: wh(line.removed_at) };
}

function devicesOf({ digits, multiplier = 1, notebook }: Example): Device[] {
  const devices: Device[] = [{ ...FIRST_DEVICE, digits: digits ?? null, multiplier }];
  for (const line of notebook) {
    if (!('new_at' in line)) continue;
    devices.push({
      installed_at: line.day * DAY_MS,
      initial_value_wh: wh(line.new_at),
      digits: line.digits ?? null,
      multiplier: line.multiplier ?? devices.at(-1)!.multiplier,
    });
  }
  return devices;
}

function project(example: Example): Standing[] {
  const rules = { devices: devicesOf(example), plausibility_factor: null };
  const rows: Standing[] = [];
  for (const line of example.notebook) rows.push(step(rows.at(-1) ?? null, toRecorded(line), rules));
  return rows;
}

describe.each(EXAMPLES)('$name', (example) => {
  const rows = project(example);
  const side = (day: number) => {
    const instant_ms = day * DAY_MS;
    return {
      instant_ms,
      neighbours: {
        previous: rows.findLast((row) => row.reading_timestamp <= instant_ms) ?? null,
        next: rows.find((row) => row.reading_timestamp > instant_ms) ?? null,
      },
    };
  };
  test.each(example.periods)('day %d to day %d: %s kWh', (from, to, kwh, known = kwh ?? undefined) => {
    const found = consumption(side(from), side(to), 'interpolate');
    const format = (value_wh: number | null) => (value_wh === null ? null : formatKwh(value_wh));
    expect([format(found.consumption_wh), format(found.known_consumption_wh)]).toEqual([kwh, known ?? null]);
  });
});
