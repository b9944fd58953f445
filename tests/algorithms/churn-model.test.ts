import { expect, test } from 'vitest';
import {
  type ChurnModel,
  churnFromFiles,
  churnLogit,
  churnReasons,
  churnRisk,
  churnToFiles,
  scaleFeatures,
  signedLog,
} from '../../src/algorithms/churn-model.ts';

/** logit = 2·scaled(days) − 1·scaled(orders) + 0·scaled(rating); risk rises from 0.2 to 0.8 over logits −3 … 3. */
const model: ChurnModel = {
  featureNames: ['daysSinceLastOrder', 'orders', 'rating'],
  mean: Float32Array.of(Math.log1p(30), Math.log1p(3), 0),
  spread: Float32Array.of(1, 0.5, 1),
  layers: [{ inputs: 3, outputs: 1, weights: Float32Array.of(2, -1, 0), bias: Float32Array.of(0) }],
  calibration: { scores: Float64Array.of(-3, 3), probabilities: Float64Array.of(0.2, 0.8) },
  horizonDays: 60,
  gone: { afterDays: 180, risk: 0.9 },
};

test('features are scaled by the mean and spread of their signed logarithms', () => {
  const scaled = scaleFeatures(model, Float32Array.of(30, 6, -1));
  expect(scaled[0]).toBeCloseTo(0, 6);
  expect(scaled[1]).toBeCloseTo((Math.log(1 + 6) - Math.log(1 + 3)) / 0.5, 5);
  expect(scaled[2]).toBeCloseTo(-Math.log(2), 6);
  expect(signedLog(-3)).toBe(-signedLog(3));
});

test('extremes are clipped and what is unknown counts as the mean', () => {
  const scaled = scaleFeatures(model, Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN, 1e30));
  expect([...scaled]).toEqual([5, 0, 5]);
});

test('the risk is the calibrated logit', () => {
  const vector = Float32Array.of(30, 6, 4);
  const logit = (-1 * Math.log((1 + 6) / (1 + 3))) / 0.5;
  expect(churnLogit(model, vector)).toBeCloseTo(logit, 5);
  expect(churnRisk(model, vector)).toBeCloseTo(0.2 + ((logit + 3) / 6) * 0.6, 6);
});

test('who is longer gone than anybody trained on has the measured risk, and that reason alone', () => {
  const vector = Float32Array.of(181, 60, 5);
  expect(churnRisk(model, vector)).toBe(0.9);
  const contribution = Math.log(0.9 / (1 - 0.9));
  expect(churnReasons(model, vector, 5)).toEqual([
    { feature: 'daysSinceLastOrder', value: 181, contribution },
  ]);
  expect(churnRisk(model, Float32Array.of(180, 60, 5))).not.toBe(0.9);
});

test('reasons are what the logit loses without the feature, largest first', () => {
  const reasons = churnReasons(model, Float32Array.of(90, 6, 4), 3);
  expect(reasons.map(({ feature, value }) => [feature, value])).toEqual([
    ['daysSinceLastOrder', 90],
    ['orders', 6],
  ]);
  expect(reasons[0]!.contribution).toBeCloseTo(2 * Math.log(91 / 31), 5);
  expect(reasons[1]!.contribution).toBeCloseTo(-Math.log(7 / 4) / 0.5, 5);
  expect(churnReasons(model, Float32Array.of(90, 6, 4), 1)).toHaveLength(1);
});

test('a model comes back from its files as it was', () => {
  const { arrays, tables } = churnToFiles(model);
  expect(churnFromFiles(arrays, JSON.parse(JSON.stringify(tables)))).toEqual(model);
});

test.each([
  ['mean', { mean: Float32Array.of(1) }, {}],
  ['weights0', { weights0: Float32Array.of(1, 2) }, {}],
  ['bias0', { bias0: Float64Array.of(1) }, {}],
  ['calibration', { calibrationScores: Float64Array.of(1) }, {}],
  ['network', {}, { network: undefined }],
])('files with a wrong %s are refused', (what, wrongArrays, wrongTables) => {
  const { arrays, tables } = churnToFiles(model);
  expect(() => churnFromFiles({ ...arrays, ...wrongArrays }, { ...tables, ...wrongTables })).toThrow(what);
});

test('a vector of another length is refused', () => {
  expect(() => churnRisk(model, Float32Array.of(1, 2))).toThrow('takes 3 features, not 2');
});
