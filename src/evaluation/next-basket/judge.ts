/** Measures a model by the basket that came next. */
import { topK } from '../../algorithms/top-k.ts';
import type { BasketTruth } from './hold-out.ts';
import type { NextBasketScorer } from './next-basket-model.ts';

/** Means over users. */
export type NextBasketQuality = { recallAt10: number; ndcgAt10: number; phrAt10: number };

const listLength = 10;

/**
 * Of each user's first 10 items: the share of the true basket that is among them (recall); Σ 1/log₂(rank + 1) over the
 * hits, over the same for a list that begins with the whole true basket, which is not capped at 10 (NDCG); whether there
 * is any hit (PHR, personal hit ratio). As in Li et al., "A next basket recommendation reality check" (TOIS 2023).
 * NaN without users.
 */
export function judgeNextBasket(
  scorer: NextBasketScorer,
  truth: BasketTruth,
  items: number,
): NextBasketQuality {
  const scores = new Float32Array(items);
  const sum = { recallAt10: 0, ndcgAt10: 0, phrAt10: 0 };
  for (let n = 0; n < truth.user.length; n++) {
    scorer.score(truth.user[n]!, scores);
    const relevant = new Set(truth.items.subarray(truth.start[n]!, truth.start[n + 1]!));
    const { indices } = topK(scores, listLength);
    const { hits, gain, ideal } = gains(indices, relevant);
    sum.recallAt10 += hits / relevant.size;
    sum.ndcgAt10 += gain / ideal;
    sum.phrAt10 += hits > 0 ? 1 : 0;
  }
  const users = truth.user.length;
  return {
    recallAt10: sum.recallAt10 / users,
    ndcgAt10: sum.ndcgAt10 / users,
    phrAt10: sum.phrAt10 / users,
  };
}

function gains(list: Int32Array, relevant: ReadonlySet<number>) {
  let hits = 0;
  let gain = 0;
  for (let rank = 1; rank <= list.length; rank++) {
    if (!relevant.has(list[rank - 1]!)) continue;
    hits++;
    gain += 1 / Math.log2(rank + 1);
  }
  let ideal = 0;
  for (let rank = 1; rank <= relevant.size; rank++) ideal += 1 / Math.log2(rank + 1);
  return { hits, gain, ideal };
}
