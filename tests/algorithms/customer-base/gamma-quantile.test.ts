import { expect, test } from 'vitest';
import { gammaQuantile, gammaShareBelow } from '../../../src/algorithms/customer-base/gamma-quantile.ts';

test('the share below, where there is a closed form', () => {
  // k = 1: the exponential; k = 2: 1 − (1 + x) e^−x. On both sides of the mean.
  for (const x of [0.01, 0.7, 1.9, 2.1, 8, 40]) {
    expect(gammaShareBelow(1, x)).toBeCloseTo(-Math.expm1(-x), 12);
    expect(gammaShareBelow(2, x)).toBeCloseTo(1 - (1 + x) * Math.exp(-x), 12);
  }
  // k = 1/2: the chance that a normal lies within √(2 x); 1.96 holds 95 %.
  expect(gammaShareBelow(0.5, 1.959963985 ** 2 / 2)).toBeCloseTo(0.95, 9);
  expect(gammaShareBelow(3, 0)).toBe(0);
});

test('a quantile has its share below it, whatever the shape', () => {
  for (const k of [0.02, 0.3, 0.99, 1, 4.5, 60, 3000])
    for (const share of [0.001, 0.1, 0.5, 0.9, 0.999]) {
      const x = gammaQuantile(k, share);
      expect(x).toSatisfy(Number.isFinite);
      // Of very small shapes the low quantiles lie below what a double holds.
      if (x > 1e-299) expect(Math.abs(gammaShareBelow(k, x) - share)).toBeLessThan(1e-7);
    }
});

test('chi-squared tables: 5 degrees of freedom, 95 %; 1 degree, 10 %', () => {
  expect(2 * gammaQuantile(2.5, 0.95)).toBeCloseTo(11.0705, 4);
  expect(2 * gammaQuantile(0.5, 0.1)).toBeCloseTo(0.01579, 5);
});
