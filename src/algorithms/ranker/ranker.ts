/** The learned ranker's arithmetic: a score for each row of candidates, by typed arrays alone. */
import type { DenseLayer } from '../mlp.ts';
import { OWN_COLUMN } from './features.ts';
import type { FeatureScaling } from './samples.ts';

/**
 * `linear`: one weight a feature for items that the customer has not bought, and one for those that the customer has;
 * `weights` holds the two rows. `network`: dense layers with ReLU between them, one output.
 */
export type Ranker = FeatureScaling & { featureNames: readonly string[] } & (
    | { kind: 'linear'; weights: Float32Array }
    | { kind: 'network'; layers: readonly DenseLayer[] }
  );

/** Scores the first `count` rows of `features` into `out`. Higher is better; differences within a customer are all that counts. */
export type RankerScorer = (features: Float32Array, count: number, out: Float32Array) => void;

export function createRankerScorer(ranker: Ranker): RankerScorer {
  return ranker.kind === 'linear' ? linearScorer(ranker) : networkScorer(ranker);
}

function linearScorer({ weights, mean, spread }: Extract<Ranker, { kind: 'linear' }>): RankerScorer {
  const width = mean.length;
  // Scaling folded into the weights: Σ w·(x − m) / s = Σ (w/s)·x − Σ w·m/s.
  const scaled = weights.map((weight, j) => weight / spread[j % width]!);
  const offset = new Float64Array(2);
  for (let j = 0; j < scaled.length; j++) offset[Math.floor(j / width)]! -= scaled[j]! * mean[j % width]!;
  return (features, count, out) => {
    for (let c = 0; c < count; c++) {
      const row = c * width;
      const regime = features[row + OWN_COLUMN]! > 0 ? 1 : 0;
      const at = regime * width;
      let sum = offset[regime]!;
      for (let f = 0; f < width; f++) sum += scaled[at + f]! * features[row + f]!;
      out[c] = sum;
    }
  };
}

function networkScorer({ layers, mean, spread }: Extract<Ranker, { kind: 'network' }>): RankerScorer {
  const width = mean.length;
  const widest = Math.max(width, ...layers.map(({ outputs }) => outputs));
  let input = new Float32Array(widest);
  let output = new Float32Array(widest);
  return (features, count, out) => {
    for (let c = 0; c < count; c++) {
      for (let f = 0; f < width; f++) input[f] = (features[c * width + f]! - mean[f]!) / spread[f]!;
      for (let l = 0; l < layers.length; l++) {
        const { inputs, outputs, weights, bias } = layers[l]!;
        for (let o = 0; o < outputs; o++) output[o] = bias[o]!;
        for (let i = 0; i < inputs; i++) {
          const value = input[i]!;
          // A rectified unit that is off: half of them are.
          if (l > 0 && value <= 0) continue;
          const row = i * outputs;
          for (let o = 0; o < outputs; o++) output[o]! += value * weights[row + o]!;
        }
        const swap = input;
        input = output;
        output = swap;
      }
      out[c] = input[0]!;
    }
  };
}
