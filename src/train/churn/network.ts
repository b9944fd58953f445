/**
 * Fits one network of the churn model with TensorFlow.js: Adam with decoupled weight decay (Loshchilov and Hutter 2019) on
 * the cross entropy of what the probability models say plus what the network adds,
 *
 *   logit = offset + x·wide + mlp(x)
 *
 * (wide and deep: Cheng et al. 2016). It begins as the probability models themselves, and decay draws it back there: where
 * there is little to learn from, it stays close to them. The weights are the mean over the later half of the epochs
 * (Izmailov et al. 2018), so that no epoch needs choosing on customers who only watch.
 */

import type { DenseLayer } from '../../algorithms/mlp.ts';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { createNetwork } from '../dense-network.ts';
import type { Tensor2D, TensorFlow } from '../tensorflow.ts';
import { sigmoidCrossEntropy } from '../tensorflow.ts';

export type NetworkOptions = {
  hidden: readonly number[];
  learningRate: number;
  /** Share of each weight that an epoch takes away. */
  weightDecay: number;
  batchSize: number;
  epochs: number;
};

export const networkDefaults: NetworkOptions = {
  hidden: [12],
  learningRate: 0.003,
  weightDecay: 0.6,
  batchSize: 512,
  epochs: 8,
};

/** Rows of scaled inputs (rows × inputs), the logits that they begin at, their labels. */
export type NetworkSamples = {
  inputs: number;
  features: Float32Array;
  offsets: Float32Array;
  labels: Uint8Array;
};

export type FittedNetwork = { wide: DenseLayer; layers: DenseLayer[] };

/**
 * From the given rows of `samples`. Deterministic in its seed: weights and batches come from it. `onEpoch` is awaited after
 * each epoch, which lets the process breathe (heartbeats, the end of its parent).
 */
export async function fitNetwork(
  tf: TensorFlow,
  samples: NetworkSamples,
  rows: Int32Array,
  options: NetworkOptions,
  seed: number,
  onEpoch: (epoch: number) => Promise<void> | void,
): Promise<FittedNetwork> {
  const { inputs } = samples;
  const count = samples.labels.length;
  const all = tf.tensor2d(samples.features, [count, inputs]);
  const offsets = tf.tensor2d(samples.offsets, [count, 1]);
  const labels = tf.tensor2d(Float32Array.from(samples.labels), [count, 1]);
  const wide = createNetwork(tf, [inputs, 1], 0, () => zeros);
  const deep = createNetwork(tf, [inputs, ...options.hidden, 1], 0, (layer) =>
    layer === options.hidden.length ? zeros : createRng(seed, 'churn', 'weights', layer),
  );
  const variables = [...wide.variables, ...deep.variables];
  const optimizer = tf.train.adam(options.learningRate);
  const rng = createRng(seed, 'churn', 'batches');
  const order = rows.slice();
  const mean = createMean();
  const batches = Math.ceil(order.length / options.batchSize);
  const kept = tf.scalar((1 - options.weightDecay) ** (1 / batches));
  try {
    for (let epoch = 1; epoch <= options.epochs; epoch++) {
      shuffleRows(order, rng);
      for (let start = 0; start < order.length; start += options.batchSize) {
        const batch = order.slice(start, start + options.batchSize);
        tf.tidy(() => {
          const indices = tf.tensor1d(batch, 'int32');
          const x = tf.gather(all, indices) as Tensor2D;
          const begin = tf.gather(offsets, indices);
          const wanted = tf.gather(labels, indices);
          optimizer.minimize(
            () => sigmoidCrossEntropy(wanted, tf.add(begin, tf.add(wide.forward(x), deep.forward(x)))),
            false,
            variables,
          );
          for (const variable of variables) if (variable.rank === 2) variable.assign(tf.mul(variable, kept));
        });
      }
      if (epoch > options.epochs / 2) mean.add([...wide.read(), ...deep.read()]);
      await onEpoch(epoch);
    }
    const [first, ...layers] = mean.finish();
    return { wide: first as DenseLayer, layers };
  } finally {
    optimizer.dispose();
    wide.dispose();
    deep.dispose();
    for (const tensor of [all, offsets, labels, kept]) tensor.dispose();
  }
}

/** Draws nothing but 0: layers that begin without a say. */
const zeros = { normal: () => 0 } as Rng;

function createMean() {
  let sum: DenseLayer[] = [];
  let count = 0;
  return {
    add(layers: DenseLayer[]): void {
      count++;
      if (count === 1) {
        sum = layers;
        return;
      }
      for (const [l, { weights, bias }] of layers.entries()) {
        const into = sum[l] as DenseLayer;
        for (let i = 0; i < weights.length; i++) into.weights[i]! += weights[i]!;
        for (let i = 0; i < bias.length; i++) into.bias[i]! += bias[i]!;
      }
    },
    finish: (): DenseLayer[] =>
      sum.map(({ inputs, outputs, weights, bias }) => ({
        inputs,
        outputs,
        weights: weights.map((value) => value / count),
        bias: bias.map((value) => value / count),
      })),
  };
}

function shuffleRows(rows: Int32Array, rng: Rng): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    const moved = rows[i]!;
    rows[i] = rows[j]!;
    rows[j] = moved;
  }
}
