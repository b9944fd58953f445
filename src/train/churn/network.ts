/** Fits the churn network with TensorFlow.js: two hidden layers, Adam, early stopping on customers not learnt from. */

import type { DenseLayer } from '../../algorithms/mlp.ts';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { createNetwork } from '../dense-network.ts';
import type { Tensor2D, TensorFlow } from '../tensorflow.ts';
import { sigmoidCrossEntropy } from '../tensorflow.ts';

export type NetworkOptions = {
  hidden: readonly number[];
  learningRate: number;
  batchSize: number;
  epochsMax: number;
  /** Epochs without a better validation loss before the best weights are taken. */
  patience: number;
  /** Share of the customers that only watch. */
  validationShare: number;
};

export const networkDefaults: NetworkOptions = {
  hidden: [32, 16],
  learningRate: 0.003,
  batchSize: 256,
  epochsMax: 40,
  patience: 4,
  validationShare: 0.15,
};

/** Rows of scaled features (rows × inputs), their labels, and the customer that each row belongs to. */
export type NetworkSamples = {
  inputs: number;
  features: Float32Array;
  labels: Uint8Array;
  customers: Uint32Array;
};

export type FittedNetwork = { layers: DenseLayer[]; epochs: number; validationLoss: number };

/**
 * Deterministic in its seed: weights, batches and the customers that watch all come from it. `onEpoch` is awaited after
 * each epoch, which lets the process breathe (heartbeats, the end of its parent).
 */
export async function fitNetwork(
  tf: TensorFlow,
  samples: NetworkSamples,
  options: NetworkOptions,
  seed: number,
  onEpoch: (epoch: number) => Promise<void> | void,
): Promise<FittedNetwork> {
  const { learning, watching } = splitByCustomer(samples.customers, options.validationShare, seed);
  const all = tf.tensor2d(samples.features, [samples.labels.length, samples.inputs]);
  const labels = tf.tensor2d(Float32Array.from(samples.labels), [samples.labels.length, 1]);
  const network = createNetwork(
    tf,
    [samples.inputs, ...options.hidden, 1],
    baseLogit(samples.labels),
    (layer) => createRng(seed, 'churn', 'weights', layer),
  );
  const optimizer = tf.train.adam(options.learningRate);
  const rng = createRng(seed, 'churn', 'batches');
  const lossOf = (rows: Int32Array) => {
    const indices = tf.tensor1d(rows, 'int32');
    return sigmoidCrossEntropy(
      tf.gather(labels, indices),
      network.forward(tf.gather(all, indices) as Tensor2D),
    );
  };
  const watchedLoss = () => tf.tidy(() => lossOf(watching).dataSync()[0] ?? Number.NaN);
  let best = { layers: network.read(), epochs: 0, validationLoss: watchedLoss() };
  try {
    for (let epoch = 1; epoch <= options.epochsMax && epoch - best.epochs <= options.patience; epoch++) {
      shuffleRows(learning, rng);
      for (let start = 0; start < learning.length; start += options.batchSize) {
        const batch = learning.slice(start, start + options.batchSize);
        tf.tidy(() => void optimizer.minimize(() => lossOf(batch), false, network.variables));
      }
      const validationLoss = watchedLoss();
      if (validationLoss < best.validationLoss)
        best = { layers: network.read(), epochs: epoch, validationLoss };
      await onEpoch(epoch);
    }
    return best;
  } finally {
    optimizer.dispose();
    network.dispose();
    all.dispose();
    labels.dispose();
  }
}

/** A customer's rows are alike: on both sides of a split they would hide overfitting. */
function splitByCustomer(
  customers: Uint32Array,
  share: number,
  seed: number,
): { learning: Int32Array; watching: Int32Array } {
  const rng = createRng(seed, 'churn', 'validation');
  const watches = new Map<number, boolean>();
  const learning: number[] = [];
  const watching: number[] = [];
  for (const [row, customer] of customers.entries()) {
    const watched = watches.get(customer) ?? rng.next() < share;
    watches.set(customer, watched);
    (watched ? watching : learning).push(row);
  }
  if (learning.length === 0 || watching.length === 0) throw new Error('too few customers to learn from');
  return { learning: Int32Array.from(learning), watching: Int32Array.from(watching) };
}

function baseLogit(labels: Uint8Array): number {
  let positives = 0;
  for (const label of labels) positives += label;
  // One more of each: a set with one class only still has a finite logit.
  return Math.log((positives + 1) / (labels.length - positives + 1));
}

function shuffleRows(rows: Int32Array, rng: Rng): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    const moved = rows[i]!;
    rows[i] = rows[j]!;
    rows[j] = moved;
  }
}
