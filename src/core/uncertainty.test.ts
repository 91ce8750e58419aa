/** How far consumption could be from its figure: held against curves that are known at every instant. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { consumption, type Neighbours } from './energy.ts';
import { asRecorded, FIRST_DEVICE, type Standing, step } from './reading.ts';

const MINUTE_MS = 60_000;
const RULES = { devices: [FIRST_DEVICE], plausibility_factor: null };

/** The readings around an instant. */
function around(rows: readonly Standing[], instant_ms: number): Neighbours {
  return {
    previous: rows.findLast((row) => row.reading_timestamp <= instant_ms) ?? null,
    next: rows.find((row) => row.reading_timestamp > instant_ms) ?? null,
  };
}

/** Folds registers that were read at some minutes of a curve. */
function readAt(curve_wh: readonly number[], minutes: readonly number[]): Standing[] {
  const rows: Standing[] = [];
  for (const minute of minutes) {
    const reading = asRecorded('absolute', minute * MINUTE_MS, curve_wh[minute]!);
    rows.push(step(rows.at(-1) ?? null, reading, RULES));
  }
  return rows;
}

/** What a meter used in each of so many minutes, at most 60 Wh: 3.6 kW. */
const usedPerMinute = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 40, maxLength: 120 });

test('the truth is never further away than the uncertainty, if no minute was faster than the highest rate seen', () => {
  fc.assert(
    fc.property(
      usedPerMinute,
      fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
      fc.nat(),
      fc.nat(),
      (used, picks, a, b) => {
        // The highest rate is seen: the first minute is read at both ends.
        const curve_wh = [0, 60, ...used].map(
          (
            (sum) => (wh: number) =>
              (sum += wh)
          )(0),
        );
        const last = curve_wh.length - 1;
        const minutes = [...new Set([0, 1, last, ...picks.map((pick) => pick % last)])].sort((x, y) => x - y);
        const rows = readAt(curve_wh, minutes);
        const [from, to] = [a % last, b % last].sort((x, y) => x - y) as [number, number];
        fc.pre(from < to);
        const side = (minute: number) => {
          const instant_ms = minute * MINUTE_MS;
          return { instant_ms, neighbours: around(rows, instant_ms) };
        };
        const found = consumption(side(from), side(to), 'interpolate');
        const truth_wh = curve_wh[to]! - curve_wh[from]!;
        expect(Math.abs(found.consumption_wh! - truth_wh)).toBeLessThanOrEqual(found.uncertainty_wh);
        if (minutes.includes(from) && minutes.includes(to)) expect(found.uncertainty_wh).toBe(0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('it never exceeds what was used between the readings', () => {
  fc.assert(
    fc.property(usedPerMinute, fc.nat(), (used, pick) => {
      const curve_wh = [0, ...used].map(
        (
          (sum) => (wh: number) =>
            (sum += wh)
        )(0),
      );
      const last = curve_wh.length - 1;
      const rows = readAt(curve_wh, [0, last]);
      const instant_ms = (1 + (pick % (last - 1))) * MINUTE_MS;
      const start = { instant_ms: 0, neighbours: around(rows, 0) };
      const end = { instant_ms, neighbours: around(rows, instant_ms) };
      const { uncertainty_wh } = consumption(start, end, 'interpolate');
      expect(uncertainty_wh).toBeGreaterThanOrEqual(0);
      expect(uncertainty_wh).toBeLessThanOrEqual(curve_wh[last]!);
    }),
  );
});
