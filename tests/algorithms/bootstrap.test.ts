import { expect, test } from 'vitest';
import { bootstrapDifference, bootstrapMean } from '../../src/algorithms/bootstrap.ts';
import { createRng } from '../../src/algorithms/rng.ts';

test('a constant is known exactly', () => {
  expect(bootstrapMean(new Float64Array(5).fill(0.5), createRng(1))).toEqual({
    mean: 0.5,
    lower: 0.5,
    upper: 0.5,
  });
});

test('the interval of a share is that of the binomial distribution', () => {
  // 400 of 1000: mean 0.4, standard error √(0.4 · 0.6 / 1000) = 0.0155, and 1.96 of them to either side.
  const values = Float64Array.from({ length: 1000 }, (_, n) => Number(n < 400));
  const { mean, lower, upper } = bootstrapMean(values, createRng(1), 4000);
  const half = 1.96 * Math.sqrt((0.4 * 0.6) / 1000);
  expect(mean).toBeCloseTo(0.4, 12);
  expect(lower).toBeCloseTo(0.4 - half, 2);
  expect(upper).toBeCloseTo(0.4 + half, 2);
});

test('pairs see a small difference that customers differ by far more than', () => {
  const rng = createRng(2);
  const b = Float64Array.from({ length: 500 }, () => rng.next());
  const a = b.map((value) => value + 0.01);
  const { mean, lower, upper } = bootstrapDifference(a, b, createRng(1));
  expect(mean).toBeCloseTo(0.01, 12);
  expect(lower).toBeGreaterThan(0);
  expect(upper).toBeLessThan(0.02);
});

test('the same seed gives the same interval', () => {
  const values = Float64Array.from({ length: 50 }, (_, n) => n);
  expect(bootstrapMean(values, createRng(3))).toEqual(bootstrapMean(values, createRng(3)));
});

test('nobody to judge by is not a number, and unequal lengths are refused', () => {
  expect(bootstrapMean(new Float64Array(0), createRng(1)).lower).toBeNaN();
  expect(() => bootstrapDifference(new Float64Array(2), new Float64Array(3), createRng(1))).toThrow(
    RangeError,
  );
});
