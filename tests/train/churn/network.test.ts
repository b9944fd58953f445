import { beforeAll, expect, test } from 'vitest';
import { auc } from '../../../src/algorithms/classification-metrics.ts';
import { sigmoid } from '../../../src/algorithms/logistic-regression.ts';
import { mlpLogit } from '../../../src/algorithms/mlp.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { type FittedNetwork, fitNetwork, networkDefaults } from '../../../src/train/churn/network.ts';
import { loadTensorFlow, type TensorFlow } from '../../../src/train/tensorflow.ts';
import { silentLog } from '../../support/redis.ts';

let tf: TensorFlow;
beforeAll(async () => {
  tf = (await loadTensorFlow(silentLog)).tf;
});

/** Little to hold it back: these shops have no noise. */
const options = { ...networkDefaults, hidden: [16], learningRate: 0.01, weightDecay: 0.02, epochs: 30 };
const inputs = 3;

/** Lost when the first two inputs differ in sign, which no single one tells; the third is noise. */
function samples(rows: number, seed: number) {
  const rng = createRng(seed, 'samples');
  const features = Float32Array.from({ length: rows * inputs }, () => rng.normal());
  const labels = Uint8Array.from({ length: rows }, (_, row) =>
    features[row * inputs]! * features[row * inputs + 1]! < 0 ? 1 : 0,
  );
  return { inputs, features, labels, offsets: new Float32Array(rows) };
}

const allRows = (rows: number) => Int32Array.from({ length: rows }, (_, row) => row);

function logitsOf({ wide, layers }: FittedNetwork, features: Float32Array): number[] {
  return Array.from({ length: features.length / inputs }, (_, row) => {
    const x = features.subarray(row * inputs, (row + 1) * inputs);
    return mlpLogit([wide], x) + mlpLogit(layers, x);
  });
}

test('what depends on two inputs together is found, on rows that were not learnt from', async () => {
  const fitted = await fitNetwork(tf, samples(2000, 1), allRows(2000), options, 1, () => {});
  const unseen = samples(500, 2);
  expect(auc(logitsOf(fitted, unseen.features), unseen.labels)).toBeGreaterThan(0.95);
});

test('it learns what the offset does not say, from the given rows alone', async () => {
  const given = samples(2000, 1);
  // Drawn by the very odds that the offset says: there is nothing left to learn.
  const rng = createRng(3, 'offsets');
  const offsets = Float32Array.from(given.labels, () => 2 * rng.normal());
  const drawn = Uint8Array.from(offsets, (z) => (rng.chance(sigmoid(z)) ? 1 : 0));
  const nothingLeft = await fitNetwork(
    tf,
    { ...given, labels: drawn, offsets },
    allRows(2000),
    options,
    1,
    () => {},
  );
  const alone = await fitNetwork(tf, given, allRows(2000), options, 1, () => {});
  const size = (fitted: FittedNetwork) =>
    logitsOf(fitted, given.features).reduce((sum, z) => sum + Math.abs(z), 0) / 2000;
  expect(size(nothingLeft)).toBeLessThan(0.5 * size(alone));

  const spoilt = { ...given, labels: given.labels.map((label, row) => (row < 1000 ? label : 1 - label)) };
  const half = await fitNetwork(tf, spoilt, allRows(1000), options, 1, () => {});
  const clean = await fitNetwork(tf, given, allRows(1000), options, 1, () => {});
  expect(half).toEqual(clean);
});

test('decay draws it back to the offset', async () => {
  const given = samples(1000, 1);
  const held = await fitNetwork(tf, given, allRows(1000), { ...options, weightDecay: 0.99 }, 1, () => {});
  for (const z of logitsOf(held, given.features)) expect(Math.abs(z)).toBeLessThan(0.5);
});

test('the same seed gives the same weights, another seed others', async () => {
  const given = samples(400, 1);
  const few = { ...options, epochs: 4 };
  const first = await fitNetwork(tf, given, allRows(400), few, 7, () => {});
  const second = await fitNetwork(tf, given, allRows(400), few, 7, () => {});
  const other = await fitNetwork(tf, given, allRows(400), few, 8, () => {});
  expect(second).toEqual(first);
  expect(other.layers).not.toEqual(first.layers);
});

test('the forward pass on the request path says what TensorFlow.js says', async () => {
  const given = samples(400, 1);
  const fitted = await fitNetwork(
    tf,
    given,
    allRows(400),
    { ...options, hidden: [8, 5], epochs: 4 },
    1,
    () => {},
  );
  const expected = tf.tidy(() => {
    const [wide, first, second, last] = [fitted.wide, ...fitted.layers].map(
      ({ weights, bias, inputs: rows, outputs }) => ({
        weights: tf.tensor2d(weights, [rows, outputs]),
        bias: tf.tensor1d(bias),
      }),
    );
    const x = tf.tensor2d(given.features, [400, inputs]);
    const dense = (layer: typeof first, input: ReturnType<typeof tf.add>) =>
      tf.add(tf.matMul(input, layer!.weights), layer!.bias);
    const deep = dense(last, tf.relu(dense(second, tf.relu(dense(first, x)))));
    return tf.add(dense(wide, x), deep).dataSync();
  });
  for (const [row, logit] of logitsOf(fitted, given.features).entries()) {
    const relative = Math.abs(logit - expected[row]!) / Math.max(1, Math.abs(expected[row]!));
    expect(relative).toBeLessThan(1e-5);
  }
});

test('the process breathes after every epoch', async () => {
  const epochs: number[] = [];
  const few = { ...options, epochs: 3 };
  await fitNetwork(tf, samples(300, 1), allRows(300), few, 1, (epoch) => void epochs.push(epoch));
  expect(epochs).toEqual([1, 2, 3]);
});

test('nothing is left in the engine', async () => {
  const given = samples(100, 1);
  const few = { ...options, epochs: 2 };
  await fitNetwork(tf, given, allRows(100), few, 1, () => {});
  const before = tf.memory().numTensors;
  await fitNetwork(tf, given, allRows(100), few, 1, () => {});
  expect(tf.memory().numTensors).toBe(before);
});
