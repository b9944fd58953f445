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

/**
 * Features are mostly 0 (a source that does not know the item): scaling is folded into the first layer, W/s · x + (b − Σ m·W/s),
 * so that those cost nothing, and neither do rectified units that are off. Sums are of double precision.
 */
function networkScorer(ranker: Extract<Ranker, { kind: 'network' }>): RankerScorer {
  const width = ranker.mean.length;
  const folded = foldedLayers(ranker);
  const widest = Math.max(width, ...folded.map(({ outputs }) => outputs));
  const values = new Float64Array(widest);
  const rows = new Int32Array(widest);
  const output = new Float64Array(widest);
  return (features, count, out) => {
    for (let c = 0; c < count; c++) {
      let known = 0;
      for (let i = 0; i < width; i++) {
        const value = features[c * width + i]!;
        if (value === 0) continue;
        values[known] = value;
        rows[known++] = i;
      }
      for (let l = 0; l < folded.length; l++) {
        const layer = folded[l]!;
        multiplySome(layer, values, rows, known, output);
        if (l === folded.length - 1) break;
        known = 0;
        for (let i = 0; i < layer.outputs; i++) {
          if (!(output[i]! > 0)) continue;
          values[known] = output[i]!;
          rows[known++] = i;
        }
      }
      out[c] = output[0]!;
    }
  };
}

/** `out` = bias + Σ values[n] · row rows[n] of the weights, over the first `known`; four outputs at a time stay in registers. */
function multiplySome(
  { outputs, weights, bias }: DoubleLayer,
  values: Float64Array,
  rows: Int32Array,
  known: number,
  out: Float64Array,
): void {
  const fours = outputs - (outputs % 4);
  for (let o = 0; o < fours; o += 4) {
    let s0 = bias[o]!;
    let s1 = bias[o + 1]!;
    let s2 = bias[o + 2]!;
    let s3 = bias[o + 3]!;
    for (let n = 0; n < known; n++) {
      const value = values[n]!;
      const at = rows[n]! * outputs + o;
      s0 += value * weights[at]!;
      s1 += value * weights[at + 1]!;
      s2 += value * weights[at + 2]!;
      s3 += value * weights[at + 3]!;
    }
    out[o] = s0;
    out[o + 1] = s1;
    out[o + 2] = s2;
    out[o + 3] = s3;
  }
  for (let o = fours; o < outputs; o++) {
    let sum = bias[o]!;
    for (let n = 0; n < known; n++) sum += values[n]! * weights[rows[n]! * outputs + o]!;
    out[o] = sum;
  }
}

/** The layers of a network that takes features as they are. */
export function foldedLayers({
  layers,
  mean,
  spread,
}: Pick<Extract<Ranker, { kind: 'network' }>, 'layers' | 'mean' | 'spread'>): DoubleLayer[] {
  return layers.map((layer, l) => (l === 0 ? foldScaling(layer, mean, spread) : asDoubles(layer)));
}

type DoubleLayer = { inputs: number; outputs: number; weights: Float64Array; bias: Float64Array };

function asDoubles({ inputs, outputs, weights, bias }: DenseLayer): DoubleLayer {
  return { inputs, outputs, weights: Float64Array.from(weights), bias: Float64Array.from(bias) };
}

function foldScaling(layer: DenseLayer, mean: Float32Array, spread: Float32Array): DoubleLayer {
  const { inputs, outputs, weights, bias } = asDoubles(layer);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      weights[i * outputs + o]! /= spread[i]!;
      bias[o]! -= mean[i]! * weights[i * outputs + o]!;
    }
  }
  return { inputs, outputs, weights, bias };
}
