import { expect, test } from 'vitest';
import { DERIVED_INPUTS } from '../../src/algorithms/churn-inputs.ts';
import { type ChurnModel, churnRisk } from '../../src/algorithms/churn-model.ts';
import { logit } from '../../src/algorithms/logistic-regression.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';
import { churnReasons, explainChurn } from '../../src/scoring/churn-reasons.ts';
import { groupOf, inputsWithoutWords } from '../../src/scoring/churn-words.ts';
import { shopChurnModel } from '../support/shop-models.ts';

const width = DERIVED_INPUTS.length + FEATURE_NAMES.length;

/** Every input moves the risk, alone and with others. */
function drawModel(seed: number): ChurnModel {
  const rng = createRng(seed, 'reasons');
  const draw = (length: number) => Float32Array.from({ length }, () => 0.2 * rng.normal());
  return {
    ...shopChurnModel(),
    prior: { mbgNbd: 0.25, paretoNbd: 0.25 },
    wide: { inputs: width, outputs: 1, weights: draw(width), bias: draw(1) },
    members: [
      [
        { inputs: width, outputs: 8, weights: draw(8 * width), bias: draw(8) },
        { inputs: 8, outputs: 1, weights: draw(8), bias: draw(1) },
      ],
    ],
  };
}

const vectorOf = (features: Record<string, number>) =>
  Float32Array.from(FEATURE_NAMES, (name) => features[name] ?? 0);

const regular = {
  daysSinceLastOrder: 58.4,
  purchaseCount: 6,
  repeatErrands: 5,
  firstToLastOrderDays: 105,
  daysSinceFirstOrder: 163.4,
  tenureDays: 163.4,
  gapMeanDays: 21,
  gapLogMean: Math.log(21),
  recentErrands90: 1,
  ratingCount: 1,
  lastRating: 2,
  averageOrderValueMinor: 4599,
  lastOrderValueMinor: 4599,
};

function textOf(feature: string, features: Record<string, number>): string | undefined {
  const { reasons } = explainChurn(drawModel(1), vectorOf({ ...regular, ...features }));
  return reasons.find((reason) => reason.feature === feature)?.text;
}

test('every feature has words', () => {
  expect(inputsWithoutWords(FEATURE_NAMES)).toEqual([]);
});

test('reasons and base add up to the logit of the risk', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const model = drawModel(seed);
    const vector = vectorOf(regular);
    const { base, reasons } = explainChurn(model, vector);
    const sum = reasons.reduce((total, { contribution }) => total + contribution, base);
    expect(Math.abs(sum - logit(churnRisk(model, vector)))).toBeLessThan(1e-4);
    const sizes = reasons.map(({ contribution }) => Math.abs(contribution));
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  }
});

test('a reason a group: how overdue an order is is one with the usual gap', () => {
  const { reasons } = explainChurn(drawModel(1), vectorOf(regular));
  expect(new Set(reasons.map(({ feature }) => feature)).size).toBe(reasons.length);
  expect(reasons.map(({ feature }) => feature)).not.toContain('overdueRatio');
  expect(churnReasons(drawModel(1), vectorOf(regular), 3)).toEqual(reasons.slice(0, 3));
});

test.each([
  ['daysSinceLastOrder', { repeatErrands: 0, purchaseCount: 1 }, 'ordered once, 58 days ago'],
  ['purchaseCount', {}, 'has ordered 6 times'],
  ['recentErrands90', {}, 'orders less often of late than before'],
  ['daysSinceFirstOrder', {}, 'customer for 5 months'],
  ['daysSinceFirstOrder', { daysSinceFirstOrder: 730 }, 'customer for 23 months'],
  ['daysSinceFirstOrder', { daysSinceFirstOrder: 731 }, 'customer for 2 years'],
  ['averageOrderValueMinor', {}, 'spends 45.99 an order on average'],
  ['averageOrderValueMinor', { lastOrderValueMinor: 900 }, 'the last order was smaller than usual'],
  ['lastRating', {}, 'last rated us 2 of 5'],
  ['lastRating', { ratingCount: 0 }, 'has never rated us'],
  ['openComplaints', { openComplaints: 1, complaintCount: 2 }, 'has 1 open complaint'],
  ['openComplaints', { complaintCount: 2 }, 'complained 2 times, all resolved'],
  ['contactCount', { contactCount: 1, recentContacts: 0.5 }, 'got in touch once without a complaint'],
  ['lateDeliveryCount', { lateDeliveryCount: 2 }, 'had 2 late deliveries'],
  ['webShare', { storeShare: 0.8, webShare: 0.2 }, 'orders mostly in the store'],
  ['lastNps', { npsCount: 1, lastNps: 3 }, 'would recommend us with 3 of 10'],
  ['loyaltyTier', { loyaltyTier: 3 }, 'has the loyalty tier gold'],
  ['messageOpenShare', { unsubscribeCount: 1 }, 'unsubscribed from our messages'],
])('%s, as a clerk would say it', (feature, features, words) => {
  expect(textOf(feature, features)).toBe(words);
});

test.each([
  [58.4, 21, true, 'usually orders every 21 days, last order 58 days ago'],
  [58.4, 21, false, 'usually orders as often as every 21 days, last order 58 days ago'],
  [0.3, 38, true, 'usually orders only every 38 days, last order less than a day ago'],
  [0.3, 1, false, 'usually orders every day, last order less than a day ago'],
  [1.9, 21, false, 'usually orders every 21 days, last order 1 day ago'],
])(
  '%d days after the last order at a gap of %d (raises the risk: %s), by what it does',
  (since, gap, raises, words) => {
    const features: Record<string, number> = {
      repeatErrands: 5,
      daysSinceLastOrder: since,
      gapMeanDays: gap,
    };
    expect(groupOf('overdueRatio').say((name) => features[name] ?? 0, raises)).toBe(words);
  },
);

test('somebody who was never observed at all is explained without a fault', () => {
  for (const { text } of explainChurn(drawModel(1), vectorOf({})).reasons) {
    expect(text).not.toMatch(/NaN|undefined|Infinity|[a-z][A-Z]/);
    expect(text.length).toBeGreaterThan(5);
  }
});
