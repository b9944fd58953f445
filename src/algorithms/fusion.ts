/** Merges ranked lists of different sources into one. */
import type { Ranked } from './top-k.ts';

export type SourceList<Source extends string> = {
  source: Source;
  /** Importance of the source, ≥ 0; 0 leaves it out. */
  weight: number;
  list: Ranked;
};

export type FusedItem<Source extends string> = {
  index: number;
  /** Σ weight / (rankConstant + rank) over the lists that hold the item, ranks from 1. */
  score: number;
  /** The sources that hold it, by what each added, largest first: the first is the reason to show. */
  sources: { source: Source; rank: number; share: number }[];
};

/**
 * Weighted reciprocal-rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): needs no common scale of scores. The
 * smaller `rankConstant`, the more the tops of the lists count. Best first, ties by lower index; at most k.
 */
export function fuseByRank<Source extends string>(
  lists: readonly SourceList<Source>[],
  k: number,
  rankConstant: number,
): FusedItem<Source>[] {
  const fused = new Map<number, FusedItem<Source>>();
  for (const { source, weight, list } of lists) {
    if (weight <= 0) continue;
    for (let rank = 1; rank <= list.indices.length; rank++) {
      const index = list.indices[rank - 1]!;
      const share = weight / (rankConstant + rank);
      const item = fused.get(index) ?? { index, score: 0, sources: [] };
      item.score += share;
      item.sources.push({ source, rank, share });
      fused.set(index, item);
    }
  }
  const best = [...fused.values()]
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, Math.max(0, k));
  for (const item of best) item.sources.sort((a, b) => b.share - a.share);
  return best;
}
