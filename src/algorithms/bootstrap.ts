/** How sure a mean over customers is: the percentile bootstrap (Efron and Tibshirani 1993, section 13.3). */
import type { Rng } from './rng.ts';

export type Interval = {
  mean: number;
  /** Ends of the central 95 % of the resampled means. */
  lower: number;
  upper: number;
};

const resamplesDefault = 1000;
const tail = 0.025;

/** Mean of `values` (one a customer) and its interval; NaN throughout without values. */
export function bootstrapMean(
  values: Float64Array,
  rng: Rng,
  resamples: number = resamplesDefault,
): Interval {
  const n = values.length;
  if (n === 0) return { mean: Number.NaN, lower: Number.NaN, upper: Number.NaN };
  let total = 0;
  for (const value of values) total += value;
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let d = 0; d < n; d++) sum += values[rng.nextInt(n)]!;
    means[r] = sum / n;
  }
  means.sort();
  return { mean: total / n, lower: quantile(means, tail), upper: quantile(means, 1 - tail) };
}

/**
 * Interval of the mean of a − b, customer by customer: what both find easy or hard cancels out, so that it is much
 * narrower than the difference of two intervals. RangeError for arrays of different lengths.
 */
export function bootstrapDifference(
  a: Float64Array,
  b: Float64Array,
  rng: Rng,
  resamples?: number,
): Interval {
  if (a.length !== b.length) throw new RangeError(`${a.length} values cannot be paired with ${b.length}`);
  return bootstrapMean(
    a.map((value, n) => value - b[n]!),
    rng,
    resamples,
  );
}

/** Linear between the order statistics. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
