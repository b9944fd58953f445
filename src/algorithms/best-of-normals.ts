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

  const size = uncertain.length;
  const each = Math.max(pointsMin, Math.ceil(pointsInAll / Math.max(1, size)));
  const { mean, deviation, logBefore, gains, won, cuts } = roomFor(size, each);
  let before = 1;
  for (let u = 0; u < size; u++) {
    const i = uncertain[u]!;
    mean[u] = means[i]!;
    deviation[u] = deviations[i]!;
    const log = logNormalCdf((start - mean[u]!) / deviation[u]!);
    logBefore[u] = log;
    before *= Math.exp(log);
    won[u] = 0;
  }
  if (certain >= 0) probabilities[certain] = before;

  const cutCount = writeCuts(cuts, each, mean, deviation, size, start);
  for (let c = 0; c <= cutCount; c++) {
    const x = c === cutCount ? Infinity : cuts[c]!;
    let logOfLargest = 0;
    let gained = 0;
    for (let u = 0; u < size; u++) {
      const log = x === Infinity ? 0 : logNormalCdf((x - mean[u]!) / deviation[u]!);
      const gain = log - logBefore[u]!;
      gains[u] = gain;
      gained += gain;
      logBefore[u] = log;
      logOfLargest += log;
    }
    const after = Math.exp(logOfLargest);
    if (gained > 0) {
      const share = (after - before) / gained;
      for (let u = 0; u < size; u++) won[u]! += share * gains[u]!;
    }
    before = after;
  }
  for (let u = 0; u < size; u++) probabilities[uncertain[u]!] = won[u]!;
  return probabilities;
}

/** Ascending, all above `start`, from the start of `cuts`; answers how many. */
function writeCuts(
  cuts: Float64Array,
  each: number,
  mean: Float64Array,
  deviation: Float64Array,
  size: number,
  start: number,
): number {
  let count = 0;
  for (let u = 0; u < size; u++)
    for (let p = 0; p < each; p++) {
      const x = mean[u]! + reach * ((2 * p) / (each - 1) - 1) * deviation[u]!;
      if (x > start) cuts[count++] = x;
    }
  cuts.subarray(0, count).sort();
  return count;
}

type Room = Record<'mean' | 'deviation' | 'logBefore' | 'gains' | 'won' | 'cuts', Float64Array>;
let room: Room | undefined;

/** The same for every call: a list of a million asks as often, and nothing of it outlives the call. */
function roomFor(size: number, each: number): Room {
  if (room === undefined || room.mean.length < size || room.cuts.length < size * each) {
    const of = (length: number) => new Float64Array(2 * length);
    room = {
      mean: of(size),
      deviation: of(size),
      logBefore: of(size),
      gains: of(size),
      won: of(size),
      cuts: of(size * each),
    };
  }
  return room;
}
