/**
 * Has a population moved since a model was trained on it? The population stability index of each feature, over bins that
 * the training population fills about equally.
 */

/** How a population spreads over bins of a feature. */
export type Spread = {
  /** Inner edges, ascending and distinct: bin b holds edges[b − 1] < x ≤ edges[b]. */
  edges: readonly number[];
  /** Customers in each bin, `edges.length + 1`. */
  counts: readonly number[];
};

/**
 * Counts `values` in bins whose edges are their own quantiles; values that many share make one bin of their own. Where there
 * is but one value, what will lie below and above it has bins too: a kind of event that nobody had yet would never be seen to come.
 */
export function spreadOf(values: ArrayLike<number>, bins = 10): Spread {
  const sorted = Float64Array.from(values).sort();
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return { edges: [], counts: [0] };
  const edges: number[] = [];
  if (least === most) edges.push(least - justBelow * Math.max(1, Math.abs(least)), least);
  else
    for (let b = 1; b < bins; b++) {
      const edge = sorted[Math.floor((b * sorted.length) / bins)]!;
      if (edge < most && edge > (edges.at(-1) ?? Number.NEGATIVE_INFINITY)) edges.push(edge);
    }
  return { edges, counts: countIn(edges, values) };
}

/** Of a value, or of 1: less than two numbers of single precision differ by there. */
const justBelow = 1e-8;

/** Customers in each bin. */
export function countIn(edges: readonly number[], values: ArrayLike<number>): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (let i = 0; i < values.length; i++) counts[binOf(edges, values[i]!)]! += 1;
  return counts;
}

function binOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= edges[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Population stability index: Σ (q_b − p_b) ln(q_b / p_b) over the bins' shares then (p) and now (q), the symmetric
 * divergence of Jeffreys (1946). By convention below .1 is nothing and above .25 a shift (Siddiqi, Credit Risk
 * Scorecards, 2006). Half a customer is added to each bin, so that an empty one does not make it infinite.
 */
export function stabilityIndex(then: readonly number[], now: readonly number[]): number {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count + 0.5, 0);
  const [totalThen, totalNow] = [total(then), total(now)];
  let index = 0;
  for (let b = 0; b < then.length; b++) {
    const p = (then[b]! + 0.5) / totalThen;
    const q = (now[b]! + 0.5) / totalNow;
    index += (q - p) * Math.log(q / p);
  }
  return index;
}

/**
 * What the index stays below in 999 of 1,000 cases where nothing has moved: (1/n + 1/m) times that quantile of χ² with
 * bins − 1 degrees of freedom (Yurdakul, Statistical Properties of Population Stability Index, 2018), by the
 * approximation of Wilson and Hilferty (1931). Small shops shake a lot by chance alone.
 */
export function stabilityByChance(bins: number, then: number, now: number): number {
  const z = 3.0902;
  const freedom = Math.max(1, bins - 1);
  const root = 1 - 2 / (9 * freedom) + z * Math.sqrt(2 / (9 * freedom));
  return (1 / Math.max(1, then) + 1 / Math.max(1, now)) * freedom * root ** 3;
}

/**
 * Spiegelhalter's statistic of calibration (Statistics in Medicine 1986): standard normal where every probability is
 * right; Σ (y − p)(1 − 2p) / √Σ (1 − 2p)² p (1 − p). 0 where all probabilities are one half, which says nothing.
 */
export function calibrationZ(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  let excess = 0;
  let variance = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i]!;
    excess += (labels[i]! - p) * (1 - 2 * p);
    variance += (1 - 2 * p) ** 2 * p * (1 - p);
  }
  return variance > 0 ? excess / Math.sqrt(variance) : 0;
}
