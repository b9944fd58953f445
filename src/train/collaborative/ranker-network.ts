/** Fits the ranker's network with TensorFlow.js: whole customers in a batch, listwise loss, early stopping. */

import { RANKER_FEATURES } from '../../algorithms/ranker/features.ts';
import { positivesOf } from '../../algorithms/ranker/fit-linear.ts';
import type { Ranker } from '../../algorithms/ranker/ranker.ts';
import { fitScaling, type RankerSamples } from '../../algorithms/ranker/samples.ts';
import { createRng, shuffle } from '../../algorithms/rng.ts';
import { createNetwork } from '../dense-network.ts';
import { softmaxCrossEntropy, type TensorFlow } from '../tensorflow.ts';

export type RankerNetworkOptions = {
  hidden: readonly number[];
  learningRate: number;
  /** Customers a step. */
  batchCustomers: number;
  epochsMax: number;
  /** Epochs without a better loss on the customers that watch before the best weights are taken. */
  patience: number;
  /** Share of the customers that only watch. */
  watchingShare: number;
};

export const rankerNetworkDefaults: RankerNetworkOptions = {
  hidden: [32, 16],
  learningRate: 0.002,
  batchCustomers: 32,
  epochsMax: 30,
  patience: 4,
  watchingShare: 0.15,
};

/** A place that no candidate takes. */
const empty = -1e9;

/** Deterministic in its seed. `onEpoch` is awaited after each epoch, which lets the process breathe. */
export async function fitRankerNetwork(
  tf: TensorFlow,
  samples: RankerSamples,
  options: RankerNetworkOptions,
  seed: number,
  onEpoch: (epoch: number) => Promise<void> | void,
): Promise<{ ranker: Ranker; epochs: number }> {
  const { mean, spread } = fitScaling(samples);
  const { width } = samples;
  const bought = positivesOf(samples);
  const rng = createRng(seed, 'ranker', 'batches');
  const usable = shuffle(
    [...bought.keys()].filter((g) => bought[g]! > 0),
    createRng(seed, 'ranker', 'watching'),
  );
  const watchingCount = Math.ceil(usable.length * options.watchingShare);
  const watching = usable.slice(0, watchingCount);
  const learning = usable.slice(watchingCount);
  if (learning.length === 0 || watching.length === 0) throw new Error('too few customers to learn from');
  const network = createNetwork(tf, [width, ...options.hidden, 1], 0, (layer) =>
    createRng(seed, 'ranker', 'weights', layer),
  );
  const optimizer = tf.train.adam(options.learningRate);

  const lossOf = (groups: readonly number[]) => {
    const batch = padded(samples, bought, groups, mean, spread);
    const shape: [number, number] = [groups.length, batch.length];
    const logits = network.forward(tf.tensor2d(batch.inputs, [groups.length * batch.length, width]));
    return softmaxCrossEntropy(tf.tensor2d(batch.targets, shape), tf.tensor2d(batch.mask, shape), logits);
  };
  const watchedLoss = () => {
    let sum = 0;
    for (const batch of batchesOf(watching, options.batchCustomers))
      sum += batch.length * tf.tidy(() => lossOf(batch).dataSync()[0] ?? Number.NaN);
    return sum / watching.length;
  };
  let best = { layers: network.read(), epochs: 0, loss: watchedLoss() };
  try {
    for (let epoch = 1; epoch <= options.epochsMax && epoch - best.epochs <= options.patience; epoch++) {
      shuffle(learning, rng);
      for (const batch of batchesOf(learning, options.batchCustomers))
        tf.tidy(() => void optimizer.minimize(() => lossOf(batch), false, network.variables));
      const loss = watchedLoss();
      if (loss < best.loss) best = { layers: network.read(), epochs: epoch, loss };
      await onEpoch(epoch);
    }
    return {
      ranker: { kind: 'network', featureNames: RANKER_FEATURES, mean, spread, layers: best.layers },
      epochs: best.epochs,
    };
  } finally {
    optimizer.dispose();
    network.dispose();
  }
}

function* batchesOf(groups: readonly number[], size: number): Generator<number[]> {
  for (let from = 0; from < groups.length; from += size) yield groups.slice(from, from + size);
}

/** These groups as a rectangle: scaled inputs, targets, and which places are taken. */
function padded(
  { width, indptr, features, labels }: RankerSamples,
  bought: Int32Array,
  groups: readonly number[],
  mean: Float32Array,
  spread: Float32Array,
) {
  const length = groups.reduce((most, g) => Math.max(most, indptr[g + 1]! - indptr[g]!), 0);
  const inputs = new Float32Array(groups.length * length * width);
  const targets = new Float32Array(groups.length * length);
  const mask = new Float32Array(groups.length * length).fill(empty);
  for (const [b, g] of groups.entries()) {
    for (let r = indptr[g]!, place = b * length; r < indptr[g + 1]!; r++, place++) {
      mask[place] = 0;
      targets[place] = labels[r]! / bought[g]!;
      for (let f = 0; f < width; f++)
        inputs[place * width + f] = (features[r * width + f]! - mean[f]!) / spread[f]!;
    }
  }
  return { length, inputs, targets, mask };
}
