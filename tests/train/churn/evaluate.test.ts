import { expect, test } from 'vitest';
import { type ChurnMetrics, evaluateChurn, judgeChurn } from '../../../src/train/churn/evaluate.ts';

const metrics: ChurnMetrics = {
  auc: 0.8,
  logLoss: 0.5,
  brier: 0.2,
  ece: 0.02,
  recencyAuc: 0.7,
  recencyLogLoss: 0.55,
  baseRateLogLoss: 0.6,
  churnShare: 0.4,
  testCustomers: 100,
};

test('a model that beats recency and the base rate passes', () => {
  expect(judgeChurn(metrics)).toEqual({
    passed: true,
    reason:
      'churn risk of 100 customers: AUC 0.8000 beats recency alone (0.7000); log loss 0.5000 beats the base rate (0.6000, lower is better)',
  });
});

test.each([
  ['ranks no better than recency', { auc: 0.7 }, 'AUC 0.7000 does not beat recency alone (0.7000)'],
  [
    'says no more than the base rate',
    { logLoss: 0.6 },
    'log loss 0.6000 does not beat the base rate (0.6000, lower is better)',
  ],
  ['has no AUC', { auc: Number.NaN }, 'AUC NaN does not beat'],
])('a model that %s does not', (_, change, words) => {
  const verdict = judgeChurn({ ...metrics, ...change });
  expect(verdict.passed).toBe(false);
  expect(verdict.reason).toContain(words);
});

test('model, recency and base rate are measured on the same customers', () => {
  const set = (features: number[], labels: number[], days: number[]) => ({
    rows: labels.length,
    features: Float32Array.from(features),
    labels: Uint8Array.from(labels),
    daysSinceLastOrder: Float32Array.from(days),
    customers: Uint32Array.from(labels.keys()),
  });
  // One feature, passed through: logit = ln(1 + x); risk 0.2 at logit 0 up to 0.8 at logit 1.
  const model = {
    featureNames: ['x'],
    mean: Float32Array.of(0),
    spread: Float32Array.of(1),
    layers: [{ inputs: 1, outputs: 1, weights: Float32Array.of(1), bias: Float32Array.of(0) }],
    calibration: { scores: Float64Array.of(0, 1), probabilities: Float64Array.of(0.2, 0.8) },
    horizonDays: 30,
    gone: { afterDays: 180, risk: 0.9 },
  };
  const calibration = set([0, 0, 0, 0], [1, 0, 0, 0], [9, 1, 2, 3]);
  const tested = set([9, 9, 0, 0], [1, 1, 0, 1], [5, 1, 2, 2]);
  const measured = evaluateChurn(model, calibration, tested);
  // Risks 0.8, 0.8, 0.2, 0.2; lost: the first two and the fourth. Pairs with the negative: 1, 1, ½.
  expect(measured.auc).toBeCloseTo((1 + 1 + 0.5) / 3);
  expect(measured.logLoss).toBeCloseTo(-(3 * Math.log(0.8) + Math.log(0.2)) / 4);
  // Days 5, 1, 2, 2 against the negative's 2: 1, 0, ½.
  expect(measured.recencyAuc).toBeCloseTo((1 + 0 + 0.5) / 3);
  // The calibration customers' share, 1/4, for everybody.
  expect(measured.baseRateLogLoss).toBeCloseTo(-(3 * Math.log(1 / 4) + Math.log(3 / 4)) / 4);
  expect(measured.churnShare).toBe(3 / 4);
});
