import { expect, test } from 'vitest';
import { sampleRatioP } from '../../src/algorithms/sample-ratio.ts';

test('p is the tail of the chi-square distribution', () => {
  // χ² = 400 / 5000 · 2 = 3.841 at 49.02 % of 10,000: the 5 % quantile of one degree of freedom.
  const off = Math.sqrt((3.841458820694124 * 10_000) / 4);
  expect(sampleRatioP([5000 - off, 5000 + off], [1, 1])).toBeCloseTo(0.05, 6);
  // Two degrees of freedom: P(χ² > x) = e^(−x/2).
  expect(sampleRatioP([90, 110, 100], [1, 1, 1])).toBeCloseTo(Math.exp(-1), 9);
  expect(sampleRatioP([250, 750], [1, 3])).toBe(1);
});

test('half a point in a hundred is seen among a million, not among a thousand', () => {
  expect(sampleRatioP([505, 495], [1, 1])).toBeGreaterThan(0.5);
  expect(sampleRatioP([505_000, 495_000], [1, 1])).toBeLessThan(0.001);
});

test('too few to tell', () => {
  expect(sampleRatioP([4, 4], [1, 1])).toBeNull();
  expect(sampleRatioP([100], [1])).toBeNull();
  expect(sampleRatioP([0, 0], [1, 1])).toBeNull();
});
