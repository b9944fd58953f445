/**
 * A customer's lists out of the collaborative model, and their fusion. What was bought before is ranked by its rhythm,
 * everything else by iALS, neighbours and popularity.
 */
import type { ItemHistory } from './buy-again.ts';
import {
  buyAgain,
  COLLABORATIVE_SOURCES,
  type CollaborativeModel,
  type CollaborativeSource,
  type DueItem,
  type FusionSettings,
  foldInUser,
  historyWeights,
  neighbourScores,
  popularityScores,
  scoreAllItems,
} from './collaborative-model.ts';
import { type FusedItem, fuseByRank } from './fusion.ts';
import { nothingRanked, type Ranked, topK } from './top-k.ts';

export type RankingRequest = {
  history: readonly ItemHistory[];
  /** Market segment, where it is known. */
  segment?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
};

export type SourceLists = Record<CollaborativeSource, Ranked>;

/** These lists as one; at most k. */
export function fuseSources(
  fusion: FusionSettings,
  lists: SourceLists,
  k: number,
): FusedItem<CollaborativeSource>[] {
  return fuseByRank(
    COLLABORATIVE_SOURCES.map((source) => ({ source, weight: fusion.weights[source], list: lists[source] })),
    k,
    fusion.rankConstant,
  );
}

/** What each source has to say of every item; `due` holds only what was bought before, likeliest first. */
export type SourceScores = {
  /** undefined: nothing is known of the customer. */
  ials: Float32Array | undefined;
  neighbours: Float32Array;
  popularity: Float32Array;
  due: DueItem[];
};

export function scoreSources(
  model: CollaborativeModel,
  { history, segment, now }: RankingRequest,
): SourceScores {
  const { items, weights } = historyWeights(model, history, now);
  return {
    ials: items.length > 0 ? scoreAllItems(model, foldInUser(model, items, weights)) : undefined,
    neighbours: neighbourScores(model, items, weights),
    popularity: popularityScores(model, segment),
    due: buyAgain(model, history, now),
  };
}

/** The at most k best items of each source. `allowed` bounds all but buy-again, which knows only what was bought before. */
export function rankSources(
  { ials, neighbours, popularity, due }: SourceScores,
  k: number,
  allowed: (item: number) => boolean = () => true,
): SourceLists {
  const likeliest = due.slice(0, k);
  return {
    ials: ials === undefined ? nothingRanked : topK(ials, k, allowed),
    neighbours: topPositive(neighbours, k, allowed),
    buyAgain: {
      indices: Int32Array.from(likeliest, ({ item }) => item),
      scores: Float32Array.from(likeliest, ({ score }) => score),
    },
    popularity: topPositive(popularity, k, allowed),
  };
}

/** Items of score 0 are unknown to the source, not its last choices. */
function topPositive(scores: Float32Array, k: number, allowed: (item: number) => boolean): Ranked {
  return topK(scores, k, allowed, 0);
}
