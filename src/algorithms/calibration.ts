/**
 * Isotonic calibration: the non-decreasing map from scores to probabilities that fits the labels best in squares,
 * found by pooling adjacent violators (Barlow et al. 1972; Zadrozny & Elkan 2002).
 *
 * Each pool becomes one point at its mean score, with straight lines between (centred isotonic regression, Oron &
 * Flournoy 2017): unlike the step function it keeps the order of scores within a pool.
 */
export type IsotonicCalibration = {
  /** Ascending. */
  scores: Float64Array;
  /** Non-decreasing, strictly between 0 and 1; as many as scores. */
  probabilities: Float64Array;
};

/**
 * `labels` are 0 or 1. One made-up positive at the lowest score and one negative at the highest (a rule of succession
 * at both ends) keep probabilities off 0 and 1, where one surprise would cost an infinite log loss.
 */
export function fitIsotonic(scores: ArrayLike<number>, labels: ArrayLike<number>): IsotonicCalibration {
  const n = scores.length;
  if (n === 0 || labels.length !== n) throw new Error('isotonic calibration needs as many labels as scores');
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  const lowest = scores[order[0]!]!;
  const highest = scores[order[n - 1]!]!;
  const points: Pool[] = [{ weight: 1, scoreSum: lowest, labelSum: 1 }];
  let previous = lowest;
  for (const i of order) {
    const score = scores[i]!;
    // Equal scores are one point: no map can tell them apart.
    if (score !== previous) points.push({ weight: 0, scoreSum: 0, labelSum: 0 });
    merge(points.at(-1)!, { weight: 1, scoreSum: score, labelSum: labels[i]! });
    previous = score;
  }
  merge(points.at(-1)!, { weight: 1, scoreSum: highest, labelSum: 0 });
  const pools: Pool[] = [];
  for (const point of points) {
    pools.push(point);
    while (pools.length > 1 && mean(pools.at(-2)!) >= mean(pools.at(-1)!)) {
      const violator = pools.pop()!;
      merge(pools.at(-1)!, violator);
    }
  }
  return {
    scores: Float64Array.from(pools, ({ scoreSum, weight }) => scoreSum / weight),
    probabilities: Float64Array.from(pools, mean),
  };
}

/** The probability that belongs to a score; beyond the ends, that of the end. */
export function calibrate({ scores, probabilities }: IsotonicCalibration, score: number): number {
  const last = scores.length - 1;
  if (!(score > scores[0]!)) return probabilities[0]!;
  if (score >= scores[last]!) return probabilities[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (scores[middle]! <= score) low = middle;
    else high = middle;
  }
  const share = (score - scores[low]!) / (scores[high]! - scores[low]!);
  return probabilities[low]! + share * (probabilities[high]! - probabilities[low]!);
}

type Pool = { weight: number; scoreSum: number; labelSum: number };

function mean({ labelSum, weight }: Pool): number {
  return labelSum / weight;
}

function merge(into: Pool, other: Pool): void {
  into.weight += other.weight;
  into.scoreSum += other.scoreSum;
  into.labelSum += other.labelSum;
}
