/** How good predicted probabilities of a yes-or-no outcome are. `labels` are 0 or 1, one for each prediction. */

/**
 * Area under the ROC curve: the chance that a random positive scores above a random negative, ties counting half
 * (Mann–Whitney). NaN where one of the classes is missing.
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = scores.length;
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < n; ) {
    let end = start;
    while (end < n && scores[order[end]!]! === scores[order[start]!]!) end++;
    // Ranks start + 1 … end, shared by all of equal score.
    const rank = (start + 1 + end) / 2;
    for (let p = start; p < end; p++) {
      if (labels[order[p]!] !== 1) continue;
      positives++;
      rankSum += rank;
    }
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (n - positives));
}

/** Mean of −ln(probability given to what happened). */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++)
    sum -= Math.log(labels[i] === 1 ? probabilities[i]! : 1 - probabilities[i]!);
  return sum / labels.length;
}

/** Mean of (probability − label)² (Brier 1950). */
export function brierScore(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (probabilities[i]! - labels[i]!) ** 2;
  return sum / labels.length;
}

/**
 * Expected calibration error: over bins of equal width, |mean probability − share of positives| weighted by the bin's
 * share of the predictions (Naeini et al. 2015).
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  bins = 10,
): number {
  const excess = new Float64Array(bins);
  for (let i = 0; i < labels.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(probabilities[i]! * bins));
    excess[bin]! += probabilities[i]! - labels[i]!;
  }
  return excess.reduce((sum, difference) => sum + Math.abs(difference), 0) / labels.length;
}

/** Share of positives. */
export function baseRate(labels: ArrayLike<number>): number {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  return positives / labels.length;
}

/**
 * Area under the curve of precision over recall, as average precision: the mean over positives of the precision among all
 * that score at least as high. Equal scores come in together. NaN without positives.
 */
export function prAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = descending(scores);
  let positives = 0;
  let sum = 0;
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start]!]!;
    let end = start;
    let tied = 0;
    for (; end < order.length && scores[order[end]!] === score; end++) tied += labels[order[end]!]!;
    positives += tied;
    sum += (tied * positives) / end;
    start = end;
  }
  return sum / positives;
}

/**
 * How many times as many positives there are among the tenth that scores highest as among all. Of those who share the score
 * at the edge, as many count as have room, each as the mean of them. NaN without positives.
 */
export function liftTopDecile(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = descending(scores);
  const room = Math.ceil(order.length / 10);
  let hits = 0;
  for (let start = 0; start < room; ) {
    const score = scores[order[start]!]!;
    let end = start;
    let tied = 0;
    for (; end < order.length && scores[order[end]!] === score; end++) tied += labels[order[end]!]!;
    hits += (tied * Math.min(end - start, room - start)) / (end - start);
    start = end;
  }
  return hits / room / baseRate(labels);
}

/**
 * AUC of `a` − AUC of `b` on the same labels, with its 95 % interval by the variance of DeLong, DeLong and Clarke-Pearson
 * (1988), whose placements are computed from ranks (Sun and Xu 2014). NaN where one of the classes is missing.
 */
export function aucDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  labels: ArrayLike<number>,
): { mean: number; lower: number; upper: number } {
  const [ofA, ofB] = [placements(a, labels), placements(b, labels)];
  const differences = [[] as number[], [] as number[]] as const;
  for (let i = 0; i < labels.length; i++) differences[labels[i] === 1 ? 1 : 0].push(ofA[i]! - ofB[i]!);
  const [negative, positive] = differences.map(meanAndVariance) as [Moments, Moments];
  const spread =
    1.959964 * Math.sqrt(positive.variance / positive.count + negative.variance / negative.count);
  const { mean } = positive;
  return { mean, lower: mean - spread, upper: mean + spread };
}

/** Of a positive, the share of negatives that score below it (ties half); of a negative, that of positives above it. */
function placements(scores: ArrayLike<number>, labels: ArrayLike<number>): Float64Array {
  const order = descending(scores).reverse();
  const total = [0, 0];
  for (const i of order) total[labels[i]!]!++;
  const below = [0, 0];
  const found = new Float64Array(order.length);
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start]!]!;
    const tied = [0, 0];
    let end = start;
    for (; end < order.length && scores[order[end]!] === score; end++) tied[labels[order[end]!]!]!++;
    for (let p = start; p < end; p++) {
      const i = order[p]!;
      const other = labels[i] === 1 ? 0 : 1;
      const lower = (below[other]! + tied[other]! / 2) / total[other]!;
      found[i] = other === 0 ? lower : 1 - lower;
    }
    below[0]! += tied[0]!;
    below[1]! += tied[1]!;
    start = end;
  }
  return found;
}

type Moments = { count: number; mean: number; variance: number };

function meanAndVariance(values: readonly number[]): Moments {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count, mean, variance: count > 1 ? squares / (count - 1) : 0 };
}

function descending(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => scores[j]! - scores[i]!);
}
