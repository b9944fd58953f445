/** A customer's list: each source ranks, the ranks are fused. Evaluation and serving both go through here. */

import type { ItemHistory } from './buy-again.ts';
import {
  buyAgain,
  COLLABORATIVE_SOURCES,
  type CollaborativeModel,
  type CollaborativeSource,
  foldInUser,
  historyWeights,
  neighbourScores,
  popularityScores,
  scoreAllItems,
} from './collaborative-model.ts';
import { type FusedItem, fuseByRank } from './fusion.ts';
import { type Ranked, topK } from './top-k.ts';

export type RankingRequest = {
  history: readonly ItemHistory[];
  /** Market segment, where it is known. */
  segment?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** Items that may be shown; all, where it is absent. */
  allowed?: ((item: number) => boolean) | undefined;
};

/** How deep each source's list goes into the fusion, beside the k that are asked for. */
const extraDepth = 90;

/** The at most k best items for a customer by all sources together. Without a history it is what sells. */
export function rankForCustomer(
  model: CollaborativeModel,
  request: RankingRequest,
  k: number,
): FusedItem<CollaborativeSource>[] {
  const lists = rankBySource(model, request, k + extraDepth);
  const { weights, rankConstant } = model.fusion;
  return fuseByRank(
    COLLABORATIVE_SOURCES.map((source) => ({ source, weight: weights[source], list: lists[source] })),
    k,
    rankConstant,
  );
}

/** The at most k best items of each source by itself. */
export function rankBySource(
  model: CollaborativeModel,
  request: RankingRequest,
  k: number,
): Record<CollaborativeSource, Ranked> {
  const { history, segment, now, allowed } = request;
  const { items, weights } = historyWeights(model, history, now);
  const due = buyAgain(model, history, now).filter(({ item }) => allowed?.(item) ?? true);
  return {
    ials:
      items.length > 0 ? topK(scoreAllItems(model, foldInUser(model, items, weights)), k, allowed) : nothing,
    neighbours: topPositive(neighbourScores(model, items, weights), k, allowed),
    buyAgain: {
      indices: Int32Array.from(due.slice(0, k), ({ item }) => item),
      scores: Float32Array.from(due.slice(0, k), ({ score }) => score),
    },
    popularity: topPositive(popularityScores(model, segment), k, allowed),
  };
}

const nothing: Ranked = { indices: new Int32Array(0), scores: new Float32Array(0) };

/** Items of score 0 are unknown to the source, not its last choices. */
function topPositive(
  scores: Float32Array,
  k: number,
  allowed: ((item: number) => boolean) | undefined,
): Ranked {
  return topK(scores, k, (i) => scores[i]! > 0 && (allowed?.(i) ?? true));
}
