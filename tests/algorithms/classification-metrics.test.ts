import { expect, test } from 'vitest';
import {
  auc,
  aucDifference,
  baseRate,
  brierScore,
  expectedCalibrationError,
  liftTopDecile,
  logLoss,
  prAuc,
} from '../../src/algorithms/classification-metrics.ts';
import { createRng } from '../../src/algorithms/rng.ts';

test('auc: share of positive-negative pairs in the right order', () => {
  // Positives 0.8, 0.4; negatives 0.6, 0.2: right are 0.8>0.6, 0.8>0.2, 0.4>0.2, wrong is 0.4<0.6.
  expect(auc([0.8, 0.6, 0.4, 0.2], [1, 0, 1, 0])).toBe(3 / 4);
  expect(auc([1, 2, 3], [0, 0, 1])).toBe(1);
  expect(auc([1, 2, 3], [1, 0, 0])).toBe(0);
});

test('auc: ties count half', () => {
  // Positives 2, 1; negatives 2, 1: 2 vs 2 = ½, 2 vs 1 = 1, 1 vs 2 = 0, 1 vs 1 = ½.
  expect(auc([2, 2, 1, 1], [1, 0, 1, 0])).toBe((0.5 + 1 + 0 + 0.5) / 4);
  expect(auc([7, 7, 7], [1, 0, 0])).toBe(1 / 2);
});

test('auc: one class alone has none', () => {
  expect(auc([1, 2], [1, 1])).toBeNaN();
});

test('logLoss: mean of −ln of what happened', () => {
  expect(logLoss([0.8, 0.3], [1, 0])).toBeCloseTo(-(Math.log(0.8) + Math.log(0.7)) / 2, 12);
});

test('brierScore: mean squared distance', () => {
  expect(brierScore([0.8, 0.3], [1, 0])).toBeCloseTo((0.2 ** 2 + 0.3 ** 2) / 2, 12);
});

test('expectedCalibrationError: bins weighted by what is in them', () => {
  // Bin [0, ½): 0.2, 0.4 with one positive: |0.3 − 0.5|·2/3. Bin [½, 1]: 1.0, positive: 0.
  expect(expectedCalibrationError([0.2, 0.4, 1], [0, 1, 1], 2)).toBeCloseTo((0.2 * 2) / 3, 12);
});

test('baseRate: share of positives', () => {
  expect(baseRate([1, 0, 0, 1, 1])).toBe(3 / 5);
});

test('prAuc: mean over positives of the precision down to each, ties coming in together', () => {
  // In order: 1, 0, 1 → precisions at the positives 1/1 and 2/3.
  expect(prAuc([0.9, 0.5, 0.1], [1, 0, 1])).toBeCloseTo((1 + 2 / 3) / 2, 12);
  // The last three share a score: 2 positives of 4 by then, for both of them; and the first.
  expect(prAuc([0.9, 0.5, 0.5, 0.5], [1, 1, 0, 0])).toBeCloseTo((1 + 2 / 4) / 2, 12);
  expect(prAuc([1, 2], [0, 0])).toBeNaN();
});

test('liftTopDecile: positives among the tenth that scores highest, beside all; ties are shared', () => {
  const scores = Array.from({ length: 20 }, (_, i) => -i);
  const labels = scores.map((_, i) => (i === 0 || i >= 16 ? 1 : 0));
  // Of the first two one is positive, of all five of twenty.
  expect(liftTopDecile(scores, labels)).toBeCloseTo(1 / 2 / (5 / 20), 12);
  expect(liftTopDecile(new Array(20).fill(1), labels)).toBeCloseTo(1, 12);
});

test('aucDifference: the difference of the two, and an interval that holds what other draws say', () => {
  const rng = createRng(5, 'delong');
  const draw = () => {
    const labels = Array.from({ length: 300 }, () => (rng.chance(0.3) ? 1 : 0));
    const common = labels.map((label) => label + rng.normal());
    const good = common.map((value) => value + 0.3 * rng.normal());
    const poor = common.map((value) => Math.round(value + rng.normal()));
    return { good, poor, labels };
  };
  const draws = Array.from({ length: 200 }, draw);
  const intervals = draws.map(({ good, poor, labels }) => aucDifference(good, poor, labels));
  for (const [n, { good, poor, labels }] of draws.entries())
    expect(intervals[n]!.mean).toBeCloseTo(auc(good, labels) - auc(poor, labels), 12);
  const truth = intervals.reduce((sum, { mean }) => sum + mean, 0) / draws.length;
  const held = intervals.filter(({ lower, upper }) => lower <= truth && truth <= upper).length;
  expect(held / draws.length).toBeGreaterThan(0.9);
  expect(held / draws.length).toBeLessThan(0.99);
});
