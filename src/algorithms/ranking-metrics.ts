/** How well a ranked list foretells a set of relevant items. Each is between 0 and 1 and for one customer. */

/** Share of the relevant items that are among the first k; NaN when nothing is relevant. */
export function recallAtK(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  let hits = 0;
  for (let rank = 0; rank < Math.min(k, ranked.length); rank++) if (relevant.has(ranked[rank]!)) hits++;
  return hits / relevant.size;
}

/**
 * Normalised discounted cumulative gain with binary relevance (Järvelin and Kekäläinen 2002): Σ 1 / log₂(rank + 1)
 * over the hits among the first k, over the same for a perfect list of min(k, |relevant|) hits; NaN when nothing is
 * relevant.
 */
export function ndcgAtK(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  let gain = 0;
  for (let rank = 0; rank < Math.min(k, ranked.length); rank++)
    if (relevant.has(ranked[rank]!)) gain += discount(rank);
  let ideal = 0;
  for (let rank = 0; rank < Math.min(k, relevant.size); rank++) ideal += discount(rank);
  return gain / ideal;
}

/** 1 / log₂(rank + 1) for ranks from 1; `rank` here counts from 0. */
function discount(rank: number): number {
  return 1 / Math.log2(rank + 2);
}
