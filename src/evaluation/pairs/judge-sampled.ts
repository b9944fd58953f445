/** Measures a model by how high the test item comes among itself and its negatives. */
import type { PairScorer } from './pair-model.ts';
import type { SampledCases } from './sampled-cases.ts';

/** Means over test pairs. */
export type SampledQuality = { hrAt10: number; ndcgAt10: number };

const listLength = 10;

/**
 * He et al. 2017: HR@10 is the share of ranks up to 10, NDCG@10 the mean of 1/log₂(rank + 1) for those, else 0. Ties are
 * averaged.
 */
export function judgeSampled(scorer: PairScorer, cases: SampledCases): SampledQuality {
  const { user, item, start, negatives } = cases;
  let hits = 0;
  let gain = 0;
  for (let n = 0; n < user.length; n++) {
    const candidates = new Int32Array(1 + start[n + 1]! - start[n]!);
    candidates[0] = item[n]!;
    candidates.set(negatives.subarray(start[n]!, start[n + 1]!), 1);
    const scores = new Float32Array(candidates.length);
    scorer.score(user[n]!, candidates, scores);
    const judged = judgeRank(scores, 0);
    hits += judged.hit;
    gain += judged.gain;
  }
  return { hrAt10: hits / user.length, ndcgAt10: gain / user.length };
}

/**
 * Hit and gain at 10 of the candidate at `index`, as the mean over all orders of those that have its score. A score that is
 * no number ranks behind all others.
 */
export function judgeRank(scores: Float32Array, index: number): { hit: number; gain: number } {
  const own = scores[index]!;
  let above = 0;
  let equal = 0;
  for (let c = 0; c < scores.length; c++) {
    if (c === index) continue;
    const score = scores[c]!;
    if (score > own || (Number.isNaN(own) && !Number.isNaN(score))) above++;
    else if (score === own || (Number.isNaN(own) && Number.isNaN(score))) equal++;
  }
  let hit = 0;
  let gain = 0;
  for (let rank = above + 1; rank <= Math.min(listLength, above + 1 + equal); rank++) {
    hit += 1 / (equal + 1);
    gain += 1 / Math.log2(rank + 1) / (equal + 1);
  }
  return { hit, gain };
}
