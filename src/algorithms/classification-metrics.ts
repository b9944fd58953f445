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
