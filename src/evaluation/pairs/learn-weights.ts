/** Weights of several sources' scores, by what was held out. */

/**
 * Candidates of many users: user g's are c from `start[g]` up to `start[g + 1]`. `scores[s][c]` is what source s says of
 * candidate c, on a scale that all sources share.
 */
export type CandidateGroups = {
  start: Int32Array;
  scores: readonly Float32Array[];
  /** Candidates that are to come first: 1. */
  relevant: Uint8Array;
  /** Relevant items of each user, those among them that are no candidates. */
  relevantCount: Int32Array;
};

/** Steps by which a weight is moved, over the largest weight. */
const steps = [1, 0.5, 0.25, 0.1, 0.05];
const mostRounds = 12;

/**
 * The weights of the highest mean of recall and NDCG at k that coordinate search finds from the best single source and from
 * equal weights: the measure itself is climbed, since what is judged are the first k and not the fit of all scores.
 */
export function learnWeights(groups: CandidateGroups, k: number): { weights: number[]; quality: number } {
  const sources = groups.scores.length;
  const one = (s: number) => Array.from({ length: sources }, (_, n) => (n === s ? 1 : 0));
  const starts = [...one(0).map((_, s) => one(s)), Array.from({ length: sources }, () => 1 / sources)];
  let best = bestOf(starts.map((weights) => ({ weights, quality: qualityOf(groups, weights, k) })));
  for (const step of steps) {
    for (let round = 0; round < mostRounds; round++) {
      const before = best.quality;
      const scale = Math.max(...best.weights.map(Math.abs));
      for (let s = 0; s < sources; s++)
        for (const move of [step, -step]) {
          const weights = best.weights.map((w, n) => (n === s ? rounded(w + move * scale) : w));
          if (weights.every((w) => w <= 0)) continue;
          best = bestOf([best, { weights, quality: qualityOf(groups, weights, k) }]);
        }
      if (best.quality <= before) break;
    }
  }
  return best;
}

/** Mean over users of (Recall@k + NDCG@k) / 2 for the weighted sum of the scores. */
export function qualityOf(groups: CandidateGroups, weights: readonly number[], k: number): number {
  const { start, scores, relevant, relevantCount } = groups;
  const users = relevantCount.length;
  let sum = 0;
  let mixed = new Float64Array(0);
  for (let g = 0; g < users; g++) {
    const from = start[g]!;
    const count = start[g + 1]! - from;
    if (mixed.length < count) mixed = new Float64Array(2 * count);
    mixed.fill(0, 0, count);
    for (let s = 0; s < weights.length; s++) {
      const weight = weights[s]!;
      if (weight === 0) continue;
      const own = scores[s]!;
      for (let c = 0; c < count; c++) mixed[c]! += weight * own[from + c]!;
    }
    let hits = 0;
    let gain = 0;
    for (let c = 0; c < count; c++) {
      if (relevant[from + c] === 0) continue;
      const rank = rankOf(mixed, c, count, k);
      if (rank > k) continue;
      hits++;
      gain += 1 / Math.log2(rank + 1);
    }
    let ideal = 0;
    for (let rank = 1; rank <= Math.min(k, relevantCount[g]!); rank++) ideal += 1 / Math.log2(rank + 1);
    sum += (hits / relevantCount[g]! + gain / ideal) / 2;
  }
  return sum / users;
}

/** Rank of one value, ties by lower index; anything above k once it is below k others. */
function rankOf(values: Float64Array, index: number, count: number, k: number): number {
  const own = values[index]!;
  let rank = 1;
  for (let c = 0; c < count && rank <= k; c++) {
    const value = values[c]!;
    if (value > own || (value === own && c < index)) rank++;
  }
  return rank;
}

function rounded(weight: number): number {
  return Math.round(weight * 1e6) / 1e6;
}

/** The earliest of equals. */
function bestOf<T extends { quality: number }>(options: readonly T[]): T {
  return options.reduce((best, option) => (option.quality > best.quality ? option : best));
}
