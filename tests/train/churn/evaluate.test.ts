import { expect, test } from 'vitest';
import { DERIVED_INPUTS } from '../../../src/algorithms/churn-inputs.ts';
import type { ChurnModel } from '../../../src/algorithms/churn-model.ts';
import { FEATURE_NAMES } from '../../../src/features/registry.ts';
import { type ChurnTest, evaluateChurn, judgeChurn } from '../../../src/train/churn/evaluate.ts';

const around = (mean: number) => ({ mean, lower: mean - 0.02, upper: mean + 0.02 });
const tested: ChurnTest = {
  metrics: {
    auc: 0.8,
    prAuc: 0.7,
    logLoss: 0.5,
    brier: 0.2,
    ece: 0.02,
    liftTopDecile: 2,
    recencyAuc: 0.7,
    recencyLogLoss: 0.55,
    mbgNbdAuc: 0.79,
    mbgNbdLogLoss: 0.51,
    paretoNbdAuc: 0.79,
    paretoNbdLogLoss: 0.51,
    baseRateLogLoss: 0.6,
    churnShare: 0.4,
    testCustomers: 100,
    oneTimeCustomers: 0,
  },
  ahead: {
    aucOfRecency: around(0.1),
    aucOfMbgNbd: around(0.01),
    logLossOfBaseRate: around(0.1),
    logLossOfMbgNbd: around(0.01),
  },
};

test('a model that beats recency and the base rate beyond doubt, and is level with MBG/NBD, passes', () => {
  const { passed, reason } = judgeChurn(tested);
  expect(passed).toBe(true);
  expect(reason).toContain('churn risk of 100 customers: AUC 0.8000 beats recency alone (0.7000');
  expect(reason).toContain('log loss 0.5000 beats the base rate (0.6000');
  expect(reason).toContain('AUC 0.8000 is level with MBG/NBD (0.7900');
});

test.each([
  ['may be no better than recency', { aucOfRecency: around(0.01) }, 'does not beat recency alone'],
  ['may say no more than the base rate', { logLossOfBaseRate: around(0.01) }, 'does not beat the base rate'],
  ['ranks worse than MBG/NBD', { aucOfMbgNbd: around(-0.03) }, 'is worse than MBG/NBD'],
  ['says less than MBG/NBD', { logLossOfMbgNbd: around(-0.03) }, 'is worse than MBG/NBD'],
  ['has no AUC', { aucOfRecency: around(Number.NaN) }, 'does not beat recency alone'],
])('a model that %s does not', (_, change, words) => {
  const verdict = judgeChurn({ ...tested, ahead: { ...tested.ahead, ...change } });
  expect(verdict.passed).toBe(false);
  expect(verdict.reason).toContain(words);
});

test('model and baselines are measured on the same customers', () => {
  const width = DERIVED_INPUTS.length + FEATURE_NAMES.length;
  const weights = new Float32Array(width);
  weights[DERIVED_INPUTS.length + FEATURE_NAMES.indexOf('purchaseCount')] = 1;
  // logit = ln(1 + orders) − ln 2: risk 1/2 with one order, 3/4 … with more.
  const model: ChurnModel = {
    featureNames: FEATURE_NAMES,
    purchases: {
      mbgNbd: { r: 1, alpha: 1, a: 1, b: 1 },
      paretoNbd: { r: 1, alpha: 1, s: 1, beta: 1 },
    },
    prior: { mbgNbd: 0, paretoNbd: 0 },
    mean: new Float32Array(width),
    spread: new Float32Array(width).fill(1),
    wide: { inputs: width, outputs: 1, weights, bias: Float32Array.of(-Math.log(2)) },
    members: [],
    calibration: { slope: 1, intercept: 0 },
    horizonDays: 30,
    horizons: [30],
    gone: undefined,
  };
  const orders = [5, 5, 1, 1];
  const features = new Float32Array(4 * FEATURE_NAMES.length);
  for (const [row, count] of orders.entries())
    for (const [name, value] of Object.entries({ purchaseCount: count, repeatErrands: count - 1 }))
      features[row * FEATURE_NAMES.length + FEATURE_NAMES.indexOf(name)] = value;
  const set = {
    rows: 4,
    features,
    // Lost, lost (on the very end of the horizon), back, lost.
    daysToNextOrder: Float32Array.of(Number.POSITIVE_INFINITY, 30, 29.9, 99),
    daysSinceLastOrder: Float32Array.of(5, 1, 2, 2),
    customers: Uint32Array.of(0, 1, 2, 3),
  };
  const same = new Float64Array(4).fill(1 / 4);
  const others = {
    'mbg-nbd': same,
    'pareto-nbd': same,
    logistic: same,
    recency: Float64Array.of(0.5, 0.1, 0.2, 0.2),
    'base-rate': same,
  };
  const { metrics, ahead } = evaluateChurn(model, set, others, 1);
  // Risks 3/4, 3/4, 1/2, 1/2 (6 / 2 = odds of 3). Pairs with the one who came back: 1, 1, ½.
  expect(metrics.auc).toBeCloseTo((1 + 1 + 0.5) / 3);
  expect(metrics.logLoss).toBeCloseTo(-(2 * Math.log(3 / 4) + 2 * Math.log(1 / 2)) / 4, 6);
  expect(metrics.recencyAuc).toBeCloseTo((1 + 0 + 0.5) / 3);
  expect(ahead.aucOfRecency.mean).toBeCloseTo(metrics.auc - metrics.recencyAuc);
  expect(metrics.baseRateLogLoss).toBeCloseTo(-(3 * Math.log(1 / 4) + Math.log(3 / 4)) / 4);
  expect(ahead.logLossOfBaseRate.mean).toBeCloseTo(metrics.baseRateLogLoss - metrics.logLoss);
  expect(metrics.churnShare).toBe(3 / 4);
  // The two with one errand: risk 1/2, of whom one was lost.
  expect(metrics).toMatchObject({ oneTimeCustomers: 2, oneTimeChurnShare: 1 / 2 });
  expect(metrics.oneTimeRisk).toBeCloseTo(1 / 2, 6);
});
