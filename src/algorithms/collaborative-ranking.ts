/**
 * A customer's list out of the collaborative model. What was bought before is ranked by its rhythm, everything else by
 * iALS, neighbours and popularity; the ranks are fused.
 */
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
};

export type SourceLists = Record<CollaborativeSource, Ranked>;

/** How much deeper than the k that are asked for each source's list goes into the fusion. */
const extraDepth = 50;

/** The at most k best items for a customer by all sources together. Without a history it is what sells. */
export function rankForCustomer(
  model: CollaborativeModel,
  request: RankingRequest,
  k: number,
): FusedItem<CollaborativeSource>[] {
  const bought = new Set(request.history.map(({ item }) => item));
  return fuseSources(
    model,
    rankBySource(model, request, k + extraDepth, (item) => !bought.has(item)),
    k,
  );
}

/** The model's fusion of these lists; at most k. */
export function fuseSources(
  { fusion }: Pick<CollaborativeModel, 'fusion'>,
  lists: SourceLists,
  k: number,
): FusedItem<CollaborativeSource>[] {
  return fuseByRank(
    COLLABORATIVE_SOURCES.map((source) => ({ source, weight: fusion.weights[source], list: lists[source] })),
    k,
    fusion.rankConstant,
  );
}

/** The at most k best items of each source. `allowed` bounds all but buy-again, which knows only what was bought before. */
export function rankBySource(
  model: CollaborativeModel,
  { history, segment, now }: RankingRequest,
  k: number,
  allowed: (item: number) => boolean = () => true,
): SourceLists {
  const { items, weights } = historyWeights(model, history, now);
  const due = buyAgain(model, history, now).slice(0, k);
  return {
    ials:
      items.length > 0 ? topK(scoreAllItems(model, foldInUser(model, items, weights)), k, allowed) : nothing,
    neighbours: topPositive(neighbourScores(model, items, weights), k, allowed),
    buyAgain: {
      indices: Int32Array.from(due, ({ item }) => item),
      scores: Float32Array.from(due, ({ score }) => score),
    },
    popularity: topPositive(popularityScores(model, segment), k, allowed),
  };
}

const nothing: Ranked = { indices: new Int32Array(0), scores: new Float32Array(0) };

/** Items of score 0 are unknown to the source, not its last choices. */
function topPositive(scores: Float32Array, k: number, allowed: (item: number) => boolean): Ranked {
  return topK(scores, k, (i) => scores[i]! > 0 && allowed(i));
}
