import { expect, test } from 'vitest';
import {
  auc,
  baseRate,
  brierScore,
  expectedCalibrationError,
  logLoss,
} from '../../src/algorithms/classification-metrics.ts';

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
