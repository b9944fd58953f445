import { expect, test } from 'vitest';
import { churnFromFiles, churnToFiles } from '../../src/algorithms/churn-files.ts';
import { DERIVED_INPUTS } from '../../src/algorithms/churn-inputs.ts';
import {
  type ChurnModel,
  churnContributions,
  churnLogit,
  churnRisk,
  churnRisks,
  scaleInputs,
} from '../../src/algorithms/churn-model.ts';
import { mbgNbd } from '../../src/algorithms/customer-base/beta-geometric.ts';
import { logit, sigmoid } from '../../src/algorithms/logistic-regression.ts';
import type { DenseLayer } from '../../src/algorithms/mlp.ts';
import { createRng } from '../../src/algorithms/rng.ts';

const featureNames = [
  'daysSinceLastOrder',
  'repeatErrands',
  'firstToLastOrderDays',
  'daysSinceFirstOrder',
  'gapLogMean',
  'recentErrands30',
  'recentErrands90',
  'recentErrands360',
  'rating',
];
const width = DERIVED_INPUTS.length + featureNames.length;
const inputAt = (name: string) => [...DERIVED_INPUTS, ...featureNames].indexOf(name);
const purchases = {
  mbgNbd: { r: 0.5, alpha: 20, a: 0.8, b: 2.5 },
  paretoNbd: { r: 0.55, alpha: 20, s: 0.6, beta: 60 },
};

/** 30 days ago the last of three orders, in 90 days; then 120 since the first. */
const vector = Float32Array.of(30, 2, 90, 120, Math.log(45), 0.8, 1.9, 2.6, 4);

function layer(inputs: number, outputs: number, draw: () => number): DenseLayer {
  return {
    inputs,
    outputs,
    weights: Float32Array.from({ length: inputs * outputs }, draw),
    bias: Float32Array.from({ length: outputs }, draw),
  };
}

function drawModel(seed: number): ChurnModel {
  const rng = createRng(seed, 'churn');
  const normal = () => 0.3 * rng.normal();
  return {
    featureNames,
    purchases,
    prior: { mbgNbd: 0.3, paretoNbd: 0.2 },
    mean: Float32Array.from({ length: width }, () => 1 + normal()),
    spread: Float32Array.from({ length: width }, () => 1 + rng.next()),
    wide: layer(width, 1, normal),
    members: [0, 1].map(() => [layer(width, 6, normal), layer(6, 4, normal), layer(4, 1, normal)]),
    calibration: { slope: 0.9, intercept: 0.2 },
    horizonDays: 60,
    horizons: [30, 60, 90],
    gone: { afterDays: 180, risk: 0.9 },
  };
}

/** Nothing but what the probability models say. */
const priorAlone: ChurnModel = {
  ...drawModel(1),
  prior: { mbgNbd: 1, paretoNbd: 0 },
  wide: { inputs: width, outputs: 1, weights: new Float32Array(width), bias: Float32Array.of(0) },
  members: [],
  calibration: { slope: 1, intercept: 0 },
};

test('without a network it says what the probability model says, for every horizon', () => {
  const outlook = mbgNbd.given(purchases.mbgNbd);
  for (const days of [30, 60, 90])
    expect(churnRisk(priorAlone, vector, days)).toBeCloseTo(
      outlook.noPurchaseProbability(2, 90, 120, days),
      5,
    );
});

test('prior, linear part and networks add up; the calibration is a line through the logit', () => {
  const model = drawModel(2);
  const inputs = new Float32Array(width);
  const z = churnLogit(model, vector, 60);
  const linear = { ...model, members: [] };
  const none = {
    ...linear,
    wide: { ...model.wide, weights: new Float32Array(width), bias: Float32Array.of(0) },
  };
  expect(z - churnLogit(linear, vector, 60)).not.toBeCloseTo(0, 3);
  expect(churnLogit(linear, vector, 60) - churnLogit(none, vector, 60)).not.toBeCloseTo(0, 3);
  expect(churnRisk(model, vector)).toBeCloseTo(sigmoid(0.9 * z + 0.2), 9);
  expect(inputs).toHaveLength(width);
});

test('inputs are clipped, what is unknown counts as the mean, and what never varied says nothing', () => {
  const scaling = {
    mean: Float32Array.of(1, 1, 1, 1),
    spread: Float32Array.of(2, 1, 1, Number.POSITIVE_INFINITY),
  };
  const inputs = Float32Array.of(5, Number.NaN, 1e30, 17);
  scaleInputs(scaling, inputs, 0);
  expect([...inputs]).toEqual([(5 - 1) / 2, 0, 4, 0]);
});

test('contributions and base add up to the logit of the risk', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const model = drawModel(seed);
    const { base, inputs } = churnContributions(model, vector);
    const sum = inputs.reduce((total, { contribution }) => total + contribution, base);
    expect(Math.abs(sum - logit(churnRisk(model, vector)))).toBeLessThan(1e-4);
  }
});

test('the customer who is the mean in everything has the base for a risk', () => {
  const model = drawModel(3);
  const before = [...model.mean];
  const { base, inputs } = churnContributions(model, vector);
  expect([...model.mean]).toEqual(before);
  const alone = inputs.find(({ name }) => name === 'rating');
  const { slope } = model.calibration;
  const others = { ...model, mean: model.mean.slice() };
  // With its own value for a mean, the feature moves nothing.
  others.mean[inputAt('rating')] = Math.log1p(4);
  expect(churnContributions(others, vector).inputs.find(({ name }) => name === 'rating')?.contribution).toBe(
    0,
  );
  expect(Math.abs(alone?.contribution ?? 0)).toBeGreaterThan(0);
  expect(Number.isFinite(base)).toBe(true);
  expect(slope).toBeGreaterThan(0);
});

test('who is longer gone than anybody learnt from has the measured risk, and that reason alone', () => {
  const model = drawModel(4);
  const gone = vector.with(0, 181);
  expect(churnRisk(model, gone)).toBe(0.9);
  expect(churnRisk(model, vector.with(0, 180))).not.toBe(0.9);
  const { base, inputs } = churnContributions(model, gone);
  expect(inputs.map(({ name }) => name)).toEqual(['daysSinceLastOrder']);
  expect(base + inputs[0]!.contribution).toBeCloseTo(logit(0.9), 9);
  // A tenth comes back within 60 days: half of that within 30.
  expect(churnRisk(model, gone, 30)).toBeCloseTo(0.95, 12);
});

test('a longer horizon never has the higher risk, and the own one is what it is', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const model = drawModel(seed);
    const risks = churnRisks(model, vector);
    expect(risks.map(({ days }) => days)).toEqual([30, 60, 90]);
    expect(risks[1]!.risk).toBe(churnRisk(model, vector));
    expect(risks[0]!.risk).toBeGreaterThanOrEqual(risks[1]!.risk);
    expect(risks[1]!.risk).toBeGreaterThanOrEqual(risks[2]!.risk);
  }
});

test('somebody who ordered a moment ago, and nobody in particular, have risks too', () => {
  const model = drawModel(5);
  for (const one of [Float32Array.of(0, 0, 0, 0, 0, 1, 1, 1, 3), new Float32Array(featureNames.length)]) {
    const risk = churnRisk(model, one);
    expect(risk).toBeGreaterThan(0);
    expect(risk).toBeLessThan(1);
  }
});

test('a model comes back from its files as it was', () => {
  for (const model of [drawModel(6), { ...drawModel(6), gone: undefined }]) {
    const { arrays, tables } = churnToFiles(model);
    expect(churnFromFiles(arrays, JSON.parse(JSON.stringify(tables)))).toEqual(model);
  }
});

test.each([
  ['mean', { mean: Float32Array.of(1) }, {}],
  ['weights0-0', { 'weights0-0': Float32Array.of(1, 2) }, {}],
  ['bias1-2', { 'bias1-2': Float64Array.of(1) }, {}],
  ['wideWeights', { wideWeights: Float32Array.of(1) }, {}],
  ['incomplete', {}, { calibration: { slope: 'steep' } }],
  ['incomplete', {}, { horizons: [] }],
  ['repeatErrands', {}, { featureNames: ['rating'] }],
])('files with a wrong %s are refused', (what, wrongArrays, wrongNetwork) => {
  const { arrays, tables } = churnToFiles(drawModel(7));
  const network = { ...(tables.network as object), ...wrongNetwork };
  expect(() => churnFromFiles({ ...arrays, ...wrongArrays }, { network })).toThrow(what);
});

test('a model as it was published before is refused, with the cure', () => {
  const network = { featureNames: ['x'], horizonDays: 30, gone: { afterDays: 90, risk: 0.9 }, widths: [1] };
  const arrays = { mean: Float32Array.of(0), spread: Float32Array.of(1), weights0: Float32Array.of(1) };
  expect(() => churnFromFiles(arrays, { network })).toThrow('(nextbest train train-churn)');
});

test('a vector of another length is refused', () => {
  expect(() => churnRisk(drawModel(8), Float32Array.of(1, 2))).toThrow('takes 9 features, not 2');
});
