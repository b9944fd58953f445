import { beforeAll, expect, test } from 'vitest';
import { auc } from '../../../src/algorithms/classification-metrics.ts';
import { mlpLogit } from '../../../src/algorithms/mlp.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { fitNetwork, networkDefaults } from '../../../src/train/churn/network.ts';
import { loadTensorFlow, type TensorFlow } from '../../../src/train/tensorflow.ts';
import { silentLog } from '../../support/redis.ts';

let tf: TensorFlow;
beforeAll(async () => {
  tf = (await loadTensorFlow(silentLog)).tf;
});

const options = { ...networkDefaults, epochsMax: 15 };
const inputs = 3;

/** Lost when the first two features differ in sign, which no single one tells; the third is noise. */
function samples(rows: number, seed: number) {
  const rng = createRng(seed, 'samples');
  const features = Float32Array.from({ length: rows * inputs }, () => rng.normal());
  const labels = Uint8Array.from({ length: rows }, (_, row) =>
    features[row * inputs]! * features[row * inputs + 1]! < 0 ? 1 : 0,
  );
  return { inputs, features, labels, customers: Uint32Array.from({ length: rows }, (_, row) => row >> 1) };
}

test('what depends on two features together is found, on rows that were not learnt from', async () => {
  const { layers } = await fitNetwork(tf, samples(2000, 1), options, 1, () => {});
  const unseen = samples(500, 2);
  const logits = Array.from(unseen.labels, (_, row) =>
    mlpLogit(layers, unseen.features.subarray(row * inputs, (row + 1) * inputs)),
  );
  expect(auc(logits, unseen.labels)).toBeGreaterThan(0.95);
});

test('the same seed gives the same weights, another seed others', async () => {
  const given = samples(400, 1);
  const first = await fitNetwork(tf, given, options, 7, () => {});
  const second = await fitNetwork(tf, given, options, 7, () => {});
  const other = await fitNetwork(tf, given, options, 8, () => {});
  expect(second).toEqual(first);
  expect(other.layers).not.toEqual(first.layers);
});

test('the forward pass on the request path says what TensorFlow.js says', async () => {
  const given = samples(400, 1);
  const { layers } = await fitNetwork(tf, given, options, 1, () => {});
  const expected = tf.tidy(() => {
    const [first, second, last] = layers.map(({ weights, bias, inputs: rows, outputs }) => ({
      weights: tf.tensor2d(weights, [rows, outputs]),
      bias: tf.tensor1d(bias),
    }));
    const x = tf.tensor2d(given.features, [400, inputs]);
    const dense = (layer: typeof first, input: ReturnType<typeof tf.add>) =>
      tf.add(tf.matMul(input, layer!.weights), layer!.bias);
    return dense(last, tf.relu(dense(second, tf.relu(dense(first, x))))).dataSync();
  });
  for (let row = 0; row < 400; row++) {
    const logit = mlpLogit(layers, given.features.subarray(row * inputs, (row + 1) * inputs));
    const relative = Math.abs(logit - expected[row]!) / Math.max(1, Math.abs(expected[row]!));
    expect(relative).toBeLessThan(1e-5);
  }
});

test('learning stops when customers who only watch gain nothing more, and the best weights are kept', async () => {
  const rng = createRng('noise');
  const noise = {
    ...samples(300, 1),
    labels: Uint8Array.from({ length: 300 }, () => (rng.chance(0.5) ? 1 : 0)),
  };
  let epochs = 0;
  const fitted = await fitNetwork(tf, noise, { ...options, epochsMax: 100 }, 1, () => void epochs++);
  expect(epochs).toBeLessThan(100);
  expect(epochs).toBe(fitted.epochs + options.patience);
});

test('nothing is left in the engine', async () => {
  const given = samples(100, 1);
  await fitNetwork(tf, given, options, 1, () => {});
  const before = tf.memory().numTensors;
  await fitNetwork(tf, given, options, 1, () => {});
  expect(tf.memory().numTensors).toBe(before);
});
