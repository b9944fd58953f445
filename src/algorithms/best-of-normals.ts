/** Which of several uncertain values is the largest: the action probabilities of Thompson sampling. */
import { logNormalCdf } from './normal-distribution.ts';

/** Points that the range of each value is cut at, in standard deviations from its mean: few for each where there are many. */
const reach = 4.5;
const pointsInAll = 64;
const pointsMin = 9;

/**
 * P(value i is above `floor` and the largest of all), for independent normal values of these means and standard deviations;
 * what is missing to 1 is the probability that none is above the floor. Values with a deviation of 0 are certain: the
 * largest of them (the first, where several are) is a floor for the others.
 *
 * With Fᵢ the distribution functions and G = ∏ Fᵢ that of the largest, P(i) = ∫ G · d ln Fᵢ. The range is cut where the
 * values lie, and what the largest gains in an interval is shared out by what each ln Fᵢ gains there: exact where these
 * grow in proportion, and never more or less than 1 in sum, whatever the cut.
 */
export function bestOfNormals(
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  floor: number,
): Float64Array {
  const count = means.length;
  const probabilities = new Float64Array(count);
  let start = floor;
  let certain = -1;
  const uncertain: number[] = [];
  for (let i = 0; i < count; i++) {
    const mean = means[i] ?? 0;
    if ((deviations[i] ?? 0) > 0) uncertain.push(i);
    else if (mean > start) {
      start = mean;
      certain = i;
    }
  }

  const logBefore = new Float64Array(uncertain.length);
  const gains = new Float64Array(uncertain.length);
  let before = 1;
  const logsAt = (x: number, at: number): number => {
    const i = uncertain[at] ?? 0;
    return logNormalCdf((x - (means[i] ?? 0)) / (deviations[i] ?? 1));
  };
  for (let u = 0; u < uncertain.length; u++) {
    logBefore[u] = logsAt(start, u);
    before *= Math.exp(logBefore[u] ?? 0);
  }
  if (certain >= 0) probabilities[certain] = before;

  for (const x of [...cutsOf(uncertain, means, deviations, start), Infinity]) {
    let logOfLargest = 0;
    let gained = 0;
    for (let u = 0; u < uncertain.length; u++) {
      const log = x === Infinity ? 0 : logsAt(x, u);
      const gain = log - (logBefore[u] ?? 0);
      gains[u] = gain;
      gained += gain;
      logBefore[u] = log;
      logOfLargest += log;
    }
    const after = Math.exp(logOfLargest);
    if (gained > 0)
      for (let u = 0; u < uncertain.length; u++) {
        const i = uncertain[u] ?? 0;
        probabilities[i] = (probabilities[i] ?? 0) + ((after - before) * (gains[u] ?? 0)) / gained;
      }
    before = after;
  }
  return probabilities;
}

/** Ascending, all above `start`. */
function cutsOf(
  uncertain: readonly number[],
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  start: number,
): Float64Array {
  const each = Math.max(pointsMin, Math.ceil(pointsInAll / Math.max(1, uncertain.length)));
  const cuts: number[] = [];
  for (const i of uncertain)
    for (let p = 0; p < each; p++) {
      const x = (means[i] ?? 0) + reach * ((2 * p) / (each - 1) - 1) * (deviations[i] ?? 0);
      if (x > start) cuts.push(x);
    }
  return Float64Array.from(cuts).sort();
}
