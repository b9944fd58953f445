import fc from 'fast-check';
import { expect, test } from 'vitest';
import { calibrate, fitIsotonic } from '../../src/algorithms/calibration.ts';

test('adjacent violators are pooled, at their mean score', () => {
  // Scores 1..4 with labels 0 1 0 1; a made-up positive joins score 1, a made-up negative score 4:
  // means 1/2, 1/1, 0/1, 1/2. Scores 2 and 3 pool to 1/2, which equals both neighbours: everything pools.
  const all = fitIsotonic([1, 2, 3, 4], [0, 1, 0, 1]);
  expect([...all.scores]).toEqual([(1 + 1 + 2 + 3 + 4 + 4) / 6]);
  expect([...all.probabilities]).toEqual([3 / 6]);

  // 0 0 | 1 0 | 1 1: means (0+1)/2, 0/1 pool to 1/3; 1, 0 pool to 1/2; 1/1 then (1+0)/2 pool to 2/3.
  const three = fitIsotonic([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1]);
  expect([...three.scores]).toEqual([(1 + 1 + 2) / 3, (3 + 4) / 2, (5 + 6 + 6) / 3]);
  expect([...three.probabilities]).toEqual([1 / 3, 1 / 2, 2 / 3]);
});

test('equal scores are one point before anything is pooled', () => {
  // Score 1: (0 + 0 + 0 + 1)/4 = 1/4. Score 2: (0 + 1 + 0)/3 = 1/3, made-up negative included.
  const ties = fitIsotonic([2, 1, 1, 2, 1], [0, 0, 0, 1, 0]);
  expect([...ties.scores]).toEqual([1, 2]);
  expect([...ties.probabilities]).toEqual([1 / 4, 1 / 3]);
});

test('between two points the probability rises on a straight line, beyond the ends it stays', () => {
  const line = { scores: Float64Array.of(0, 1, 3), probabilities: Float64Array.of(0.1, 0.3, 0.9) };
  expect(calibrate(line, -5)).toBe(0.1);
  expect(calibrate(line, 0.5)).toBeCloseTo(0.1 + 0.5 * (0.3 - 0.1));
  expect(calibrate(line, 1)).toBe(0.3);
  expect(calibrate(line, 2)).toBeCloseTo((0.3 + 0.9) / 2);
  expect(calibrate(line, 99)).toBe(0.9);
});

test('whatever the labels, a probability is never 0 or 1 and never falls as the score rises', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.constantFrom(0, 1)), {
        minLength: 1,
      }),
      (pairs) => {
        const scores = pairs.map(([score]) => score);
        const fitted = fitIsotonic(
          scores,
          pairs.map(([, label]) => label),
        );
        const sorted = scores.toSorted((a, b) => a - b).map((score) => calibrate(fitted, score));
        for (const [i, p] of sorted.entries()) {
          expect(p).toBeGreaterThan(0);
          expect(p).toBeLessThan(1);
          if (i > 0) expect(p).toBeGreaterThanOrEqual(sorted[i - 1]!);
        }
      },
    ),
  );
});

test('nothing to fit is refused', () => {
  expect(() => fitIsotonic([], [])).toThrow('needs as many labels as scores');
  expect(() => fitIsotonic([1, 2], [1])).toThrow('needs as many labels as scores');
});
