import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatKwh, MAX_REGISTER_WH, parseKwh, scaleRounded } from './units.ts';

const anyRegister = fc.integer({ min: 0, max: MAX_REGISTER_WH });
const anySafeInteger = fc.maxSafeInteger();

function refusal(input: unknown): string {
  const parsed = parseKwh(input);
  if (parsed.ok) throw new Error(`${String(input)} was accepted as ${parsed.value} Wh`);
  return parsed.message;
}

describe('kWh on the way in', () => {
  test.each<[unknown, number]>([
    ['0', 0],
    ['0.001', 1],
    ['0.01', 10],
    ['0.1', 100],
    ['1', 1000],
    ['250.5', 250_500],
    ['250.50', 250_500],
    ['250.500', 250_500],
    // Registers show leading zeros; people copy them.
    ['004711.3', 4_711_300],
    ['0000000000001', 1000],
    ['999999999.999', MAX_REGISTER_WH],
    [250.5, 250_500],
    [0, 0],
    [-0, 0],
    [0.001, 1],
    [1e3, 1_000_000],
    [999_999_999.999, MAX_REGISTER_WH],
  ])('%j is %d Wh', (input, value_wh) => {
    expect(parseKwh(input)).toEqual({ ok: true, value: value_wh });
  });

  test.each<[unknown, RegExp]>([
    ['0.0001', /at most three decimals/],
    ['250.5000', /at most three decimals/],
    [1.2345, /at most three decimals/],
    // What a sum in floating point leaves behind is refused, not rounded away.
    [0.1 + 0.2, /at most three decimals/],
    ['-1', /negative/],
    ['-0.001', /negative/],
    [-250.5, /negative/],
    ['1000000000', /at most 999999999.999/],
    ['1000000000.000', /at most 999999999.999/],
    [1_000_000_000, /at most 999999999.999/],
    ['12,5', /decimal point, not a comma/],
    ['1,234.5', /decimal point, not a comma/],
    ['', /plain decimal number/],
    [' 1', /plain decimal number/],
    ['1\n', /plain decimal number/],
    ['1 kWh', /plain decimal number/],
    ['1e3', /plain decimal number/],
    ['0x10', /plain decimal number/],
    ['+5', /plain decimal number/],
    ['.5', /plain decimal number/],
    ['5.', /plain decimal number/],
    ['1.2.3', /plain decimal number/],
    ['٣', /plain decimal number/],
    ['NaN', /plain decimal number/],
    [Number.NaN, /plain decimal number/],
    [Number.POSITIVE_INFINITY, /plain decimal number/],
    [1e-7, /plain decimal number/],
    [1e21, /plain decimal number/],
    [null, /decimal string/],
    [true, /decimal string/],
    [undefined, /decimal string/],
    [5n, /decimal string/],
    [['5'], /decimal string/],
  ])('%o is refused', (input, why) => {
    expect(refusal(input)).toMatch(why);
  });

  test('every value of a register comes back from its string, and from its JSON number', () => {
    fc.assert(
      fc.property(anyRegister, (value_wh) => {
        const text = formatKwh(value_wh);
        expect(parseKwh(text)).toEqual({ ok: true, value: value_wh });
        expect(parseKwh(JSON.parse(text))).toEqual({ ok: true, value: value_wh });
      }),
    );
  });

  test('a fourth decimal is refused whatever it is, zero included', () => {
    const digits = fc.stringMatching(/^\d{4,9}$/);
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), digits, (whole, fraction) => {
        expect(refusal(`${whole}.${fraction}`)).toMatch(/three decimals/);
      }),
    );
  });

  test('whatever is accepted is a whole number of Wh that a register can show', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.double(), fc.stringMatching(/^-?\d{1,12}\.?\d{0,4}$/)),
        (input) => {
          const parsed = parseKwh(input);
          if (!parsed.ok) return;
          expect(Number.isInteger(parsed.value)).toBe(true);
          expect(parsed.value).toBeGreaterThanOrEqual(0);
          expect(parsed.value).toBeLessThanOrEqual(MAX_REGISTER_WH);
          // As numbers, so that -0 is 0.
          expect(Number(formatKwh(parsed.value)) === Number(input)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('kWh on the way out', () => {
  test.each([
    [0, '0'],
    [-0, '0'],
    [1, '0.001'],
    [-5, '-0.005'],
    [10, '0.01'],
    [100, '0.1'],
    [1000, '1'],
    [240_000, '240'],
    [250_500, '250.5'],
    [-250_050, '-250.05'],
    [MAX_REGISTER_WH, '999999999.999'],
    [Number.MAX_SAFE_INTEGER, '9007199254740.991'],
    [-Number.MAX_SAFE_INTEGER, '-9007199254740.991'],
  ])('%d Wh is %s kWh', (value_wh, text) => {
    expect(formatKwh(value_wh)).toBe(text);
  });

  test('no digit is lost over the whole range of exact integers', () => {
    fc.assert(
      fc.property(anySafeInteger, (value_wh) => {
        const [whole = '', fraction = ''] = formatKwh(value_wh).split('.');
        expect(fraction).toMatch(/^(\d{0,2}[1-9])?$/);
        expect(BigInt(whole + fraction.padEnd(3, '0'))).toBe(BigInt(value_wh));
      }),
    );
  });
});

describe('a share of an amount', () => {
  test.each([
    // amount, numerator, denominator, rounded half up
    [10, 1, 4, 3],
    [10, 1, 3, 3],
    [10, 2, 3, 7],
    [1, 1, 2, 1],
    [-1, 1, 2, 0],
    [-10, 1, 4, -2],
    [-10, 1, 3, -3],
    [0, 5, 7, 0],
    [9, 0, 7, 0],
    [Number.MAX_SAFE_INTEGER, 999_999, 1_000_000, 9_007_190_247_541_736],
    [Number.MAX_SAFE_INTEGER, 1, 2, 4_503_599_627_370_496],
    [-Number.MAX_SAFE_INTEGER, 1, 2, -4_503_599_627_370_495],
  ])('%d × %d ⁄ %d = %d', (amount, numerator, denominator, share) => {
    expect(scaleRounded(amount, numerator, denominator)).toBe(share);
  });

  /** A share 0 … 1 of any amount: small ones and ones whose product no double can hold. */
  const anyShare = fc
    .oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
    .chain((denominator) =>
      fc.record({ denominator: fc.constant(denominator), numerator: fc.nat({ max: denominator }) }),
    );
  const anyAmount = fc.oneof(fc.integer({ min: -2000, max: 2000 }), anySafeInteger);

  test('is the whole number within half of the exact fraction, the upper one of two', () => {
    fc.assert(
      fc.property(anyAmount, anyShare, (amount, { numerator, denominator }) => {
        const share = scaleRounded(amount, numerator, denominator);
        expect(Number.isSafeInteger(share)).toBe(true);
        // share − ½ ≤ exact < share + ½, with everything multiplied by twice the denominator.
        const twice_exact = 2n * BigInt(amount) * BigInt(numerator);
        const twice_share = 2n * BigInt(share) * BigInt(denominator);
        expect(twice_exact).toBeGreaterThanOrEqual(twice_share - BigInt(denominator));
        expect(twice_exact).toBeLessThan(twice_share + BigInt(denominator));
      }),
      { numRuns: 2000 },
    );
  });
});
