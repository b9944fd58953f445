/** What a row of a log counts for: by the probability with which its arm was drawn, and by how much its reward varies anyway. */
import { noContact, type UpliftLog } from './uplift-log.ts';

/** Bands of the expected response in which the variance of the rest is measured. */
const bands = 10;

/** q/π₀: the arm's share of the log over the probability that it had there, cut off, at a mean of 1. */
export function armWeights(
  log: Pick<UpliftLog, 'rows' | 'arm' | 'propensity'>,
  arms: number,
  weightMax: number,
): Float64Array {
  const share = armShares(log, arms, new Float64Array(log.rows).fill(1));
  const ofNone = 1 - share.reduce((sum, value) => sum + value, 0);
  const weight = log.propensity.map((propensity, row) => {
    const arm = log.arm[row]!;
    return (arm === noContact ? ofNone : share[arm]!) / propensity;
  });
  const mean = weight.reduce((sum, value) => sum + value, 0) / log.rows;
  const cut = weight.map((value) => Math.min(weightMax, value / mean));
  const cutMean = cut.reduce((sum, value) => sum + value, 0) / log.rows;
  return cut.map((value) => value / cutMean);
}

/** Of the log, by arm; what is left had no contact. */
export function armShares(
  log: Pick<UpliftLog, 'rows' | 'arm'>,
  arms: number,
  weight: Float64Array,
): Float64Array {
  const share = new Float64Array(arms);
  let total = 0;
  for (let row = 0; row < log.rows; row++) {
    total += weight[row]!;
    const arm = log.arm[row]!;
    if (arm !== noContact) share[arm]! += weight[row]!;
  }
  return share.map((value) => value / total);
}

/** `share` of them at either end takes the value there. */
export function cutRewards(reward: Float64Array, share: number): Float64Array {
  const sorted = reward.slice().sort();
  const last = sorted.length - 1;
  const low = sorted[Math.floor(share * last)]!;
  const high = sorted[Math.ceil((1 - share) * last)]!;
  return reward.map((value) => Math.min(high, Math.max(low, value)));
}

/**
 * By row: its weight over the variance of what is left of the reward at its expected response. Rewards of customers who bring more vary
 * more; as if they varied alike, that would be taken for effects. Scaled by Kish's Σw/Σw², so that unequal weights do not make the
 * log look larger than it is.
 */
export function precisions(
  residual: Float64Array,
  expected: Float64Array,
  weight: Float64Array,
): Float64Array {
  const order = Int32Array.from(expected, (_m, row) => row).sort((a, b) => expected[a]! - expected[b]!);
  const variance = new Float64Array(bands);
  let squares = 0;
  let total = 0;
  let totalSquares = 0;
  for (let row = 0; row < weight.length; row++) {
    squares += weight[row]! * residual[row]! ** 2;
    total += weight[row]!;
    totalSquares += weight[row]! ** 2;
  }
  const mean = squares / total || 1;
  const edges = Array.from({ length: bands + 1 }, (_, b) => Math.round((b * order.length) / bands));
  for (let b = 0; b < bands; b++) {
    let inBand = 0;
    let ofBand = 0;
    for (let p = edges[b]!; p < edges[b + 1]!; p++) {
      inBand += weight[order[p]!]!;
      ofBand += weight[order[p]!]! * residual[order[p]!]! ** 2;
    }
    // Drawn to the mean by a few rows, and bounded: a band in which nothing happened yet is not known for sure.
    variance[b] = Math.max(mean / 5, (ofBand + 20 * mean) / (inBand + 20));
  }
  const kish = total / totalSquares;
  const precision = new Float64Array(weight.length);
  for (let b = 0; b < bands; b++)
    for (let p = edges[b]!; p < edges[b + 1]!; p++)
      precision[order[p]!] = (kish * weight[order[p]!]!) / variance[b]!;
  return precision;
}

export function weightedMean(values: Float64Array, weight: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    sum += weight[row]! * values[row]!;
    total += weight[row]!;
  }
  return sum / total;
}
