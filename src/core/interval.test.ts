import { expect, test } from 'vitest';
import { usualInterval } from './interval.ts';

test.each([
  ['never read', [], null],
  ['read three times: no habit yet', [30, 20, 10], null],
  ['every ten', [40, 30, 20, 10], 10],
  ['mostly every ten, once late', [80, 40, 30, 20, 10], 10],
  ['the lower of the two middle ones', [100, 70, 50, 49, 9], 20],
])('%s', (_, instants, usual) => {
  expect(usualInterval(instants)).toBe(usual);
});
