import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Consumption, UNKNOWN } from './energy.ts';
import {
  type Formulas,
  findCycle,
  formatFactor,
  metersBehind,
  parseFactor,
  virtualConsumption,
} from './formula.ts';

/** A meter whose energy was read at both ends. */
function read(start_wh: number, end_wh: number): Consumption {
  const consumption_wh = end_wh - start_wh;
  return {
    consumption_wh,
    known_consumption_wh: consumption_wh,
    coverage: 1,
    estimated: false,
    ends: { start_wh, end_wh },
    uncertainty_wh: 0,
  };
}

describe('factors', () => {
  test.each([
    ['1', 1000],
    ['-0.5', -500],
    ['0.001', 1],
    ['12.34', 12340],
    [2, 2000],
    [-1.25, -1250],
  ])('%j is %d thousandths', (input, factor_milli) => {
    expect(parseFactor(input)).toEqual({ ok: true, value: factor_milli });
  });

  test.each([
    '',
    '0',
    '-0.000',
    '1.2345',
    '1,5',
    '1e3',
    'NaN',
    '+1',
    '9999999',
    null,
    true,
    [],
    {},
    1e21,
    Number.NaN,
  ])('%j is refused', (input) => expect(parseFactor(input).ok).toBe(false));

  test('what is formatted is parsed again', () => {
    const factors = fc.integer({ min: -999_999_999, max: 999_999_999 }).filter((factor) => factor !== 0);
    fc.assert(
      fc.property(factors, (factor_milli) => {
        expect(parseFactor(formatFactor(factor_milli))).toEqual({ ok: true, value: factor_milli });
      }),
    );
  });
});

describe('formulas', () => {
  // 10 = 1 − 2; 11 = half of 10 and 3; 12 leads to 11.
  const formulas: Formulas = new Map([
    [10, [term(1, 1000), term(2, -1000)]],
    [11, [term(10, 500), term(3, 1000)]],
    [12, [term(11, 1000)]],
  ]);
  function term(meter_id: number, factor_milli: number) {
    return { meter_id, factor_milli };
  }

  test('what stands behind one, also behind others', () => {
    expect(metersBehind(formulas, 10)).toEqual([1, 2]);
    expect(metersBehind(formulas, 12)).toEqual([1, 2, 3]);
  });

  test('a cycle is found with its way, wherever it closes', () => {
    expect(findCycle(formulas, 12)).toBeNull();
    expect(findCycle(new Map([...formulas, [10, [term(12, 1000)]]]), 10)).toEqual([10, 12, 11, 10]);
    expect(findCycle(new Map([[5, [term(5, 1000)]]]), 5)).toEqual([5, 5]);
  });

  test('half of what 1 used more than 2, and all of 3', () => {
    const used = (id: number) => ({ 1: read(0, 901), 2: read(0, 400), 3: read(100, 150) })[id]!;
    // (901 − 400) / 2 = 250.5 at the end, rounded with 150: 400.5 → 401; at the start 100.
    expect(virtualConsumption(formulas, 11, used)).toMatchObject({ consumption_wh: 301, coverage: 1 });
    expect(virtualConsumption(formulas, 10, used)).toMatchObject({ consumption_wh: 501 });
  });

  test('unknown where one behind it is unknown', () => {
    const used = (id: number) => (id === 2 ? UNKNOWN : read(0, 5));
    expect(virtualConsumption(formulas, 11, used)).toMatchObject({
      consumption_wh: null,
      known_consumption_wh: null,
      coverage: 0,
    });
  });

  test('estimated, and as uncertain as its parts together, whatever their sign', () => {
    const unsure = (uncertainty_wh: number) => ({ ...read(0, 10), estimated: true, uncertainty_wh });
    const used = (id: number) => (id === 1 ? unsure(30) : id === 2 ? unsure(20) : read(0, 1));
    expect(virtualConsumption(formulas, 10, used)).toMatchObject({ estimated: true, uncertainty_wh: 50 });
  });

  test('the buckets of a period add up to it, however odd the factors', () => {
    const energies = fc.array(fc.integer({ min: 0, max: 1_000_000_000 }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(energies, energies, fc.integer({ min: -5000, max: 5000 }), (a, b, factor) => {
        const [first, second] = [a.toSorted((x, y) => x - y), b.toSorted((x, y) => x - y)];
        const last = Math.min(first.length, second.length) - 1;
        const odd: Formulas = new Map([[9, [term(1, factor || 1), term(2, 333)]]]);
        const over = (from: number, to: number) =>
          virtualConsumption(odd, 9, (id) => {
            const at = id === 1 ? first : second;
            return read(at[from]!, at[to]!);
          }).consumption_wh!;
        let sum = 0;
        for (let i = 0; i < last; i++) sum += over(i, i + 1);
        expect(sum).toBe(over(0, last));
      }),
    );
  });
});
