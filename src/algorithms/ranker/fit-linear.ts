/**
 * The linear ranker: minimises the listwise softmax cross entropy (ListNet with binary relevance; Cao et al., ICML 2007)
 *
 *   mean over customers of  −Σ_i t_i ln softmax(z)_i  +  λ/2 |w|²,   t = 1 / (number bought) for what was bought, else 0
 *
 * which is convex. Items that the customer has bought before have weights of their own.
 */
import { minimize } from '../lbfgs.ts';
import { OWN_COLUMN, RANKER_FEATURES } from './features.ts';
import type { Ranker } from './ranker.ts';
import { fitScaling, type RankerSamples } from './samples.ts';

/** Groups without anything bought teach nothing and are passed over. */
export function fitLinearRanker(samples: RankerSamples, regularization: number): Ranker {
  const { width, indptr, features, labels } = samples;
  const scaling = fitScaling(samples);
  const { mean, spread } = scaling;
  const scaled = features.map((value, p) => (value - mean[p % width]!) / spread[p % width]!);
  const rows = labels.length;
  const regime = Uint8Array.from({ length: rows }, (_, r) =>
    features[r * width + OWN_COLUMN]! > 0 ? width : 0,
  );
  const bought = positivesOf(samples);
  const groups = bought.reduce((sum, count) => sum + Number(count > 0), 0);
  const z = new Float64Array(rows);

  const objective = (w: Float64Array, gradient: Float64Array): number => {
    let loss = 0;
    for (let f = 0; f < w.length; f++) {
      loss += 0.5 * regularization * w[f]! ** 2;
      gradient[f] = regularization * w[f]!;
    }
    for (let g = 0; g + 1 < indptr.length; g++) {
      if (bought[g] === 0) continue;
      const from = indptr[g]!;
      const to = indptr[g + 1]!;
      let highest = Number.NEGATIVE_INFINITY;
      for (let r = from; r < to; r++) {
        const at = r * width;
        const own = regime[r]!;
        let sum = 0;
        for (let f = 0; f < width; f++) sum += w[own + f]! * scaled[at + f]!;
        z[r] = sum;
        if (sum > highest) highest = sum;
      }
      let partition = 0;
      for (let r = from; r < to; r++) partition += Math.exp(z[r]! - highest);
      const logPartition = highest + Math.log(partition);
      for (let r = from; r < to; r++) {
        const target = labels[r]! / bought[g]!;
        if (target > 0) loss += (target * (logPartition - z[r]!)) / groups;
        const error = (Math.exp(z[r]! - logPartition) - target) / groups;
        const at = r * width;
        const own = regime[r]!;
        for (let f = 0; f < width; f++) gradient[own + f]! += error * scaled[at + f]!;
      }
    }
    return loss;
  };
  const { x } = minimize(objective, new Float64Array(2 * width), { iterationsMax: 80, tolerance: 1e-4 });
  return { kind: 'linear', featureNames: RANKER_FEATURES, ...scaling, weights: Float32Array.from(x) };
}

/** How many candidates of each group were bought. */
export function positivesOf({ indptr, labels }: RankerSamples): Int32Array {
  const bought = new Int32Array(indptr.length - 1);
  for (let g = 0; g < bought.length; g++)
    for (let r = indptr[g]!; r < indptr[g + 1]!; r++) bought[g]! += labels[r]!;
  return bought;
}
