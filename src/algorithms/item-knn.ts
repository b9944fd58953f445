/** Items that go together, counted: bought in the same basket, or by the same customer. */
import { z } from 'zod';
import { type CsrMatrix, transpose } from './csr.ts';
import { topK } from './top-k.ts';

export const ItemKnnOptions = z.strictObject({
  /** Neighbours that are kept of each item. */
  k: z.int().positive().max(1000).default(50),
  /** β: a pair seen together n times has its similarity multiplied by n / (n + β), so that chance pairs stay low. */
  shrinkage: z.number().min(0).default(5),
  /** Pairs seen together less often are dropped. */
  minTogether: z.int().positive().default(2),
  /** Baskets with more items (a reseller's) say nothing about what goes together, and cost their square. */
  maxBasketItems: z.int().positive().default(2000),
});
export type ItemKnnOptions = z.output<typeof ItemKnnOptions>;

/**
 * Neighbours of each item from `baskets` (baskets or customers × items; values are not read): items × items, each
 * row the k highest of
 *
 *   n_ij / √(n_i n_j) · n_ij / (n_ij + β)        cosine (Sarwar et al. 2001) with shrinkage (Bell and Koren 2007)
 *
 * among the pairs with lift n_ij N / (n_i n_j) > 1. The cosine divides a bestseller's counts by its popularity, and
 * the lift drops what is bought together only because everybody buys it.
 */
export function fitItemNeighbours(baskets: CsrMatrix, options: ItemKnnOptions): CsrMatrix {
  const items = baskets.cols;
  const itemBaskets = transpose(baskets);
  const { counts, basketCount } = countItems(baskets, options.maxBasketItems);
  const indptr = new Int32Array(items + 1);
  const indices: Int32Array[] = [];
  const data: Float32Array[] = [];
  const together = new Float64Array(items);
  const touched = new Int32Array(items);

  for (let i = 0; i < items; i++) {
    let found = 0;
    for (let p = itemBaskets.indptr[i]!; p < itemBaskets.indptr[i + 1]!; p++) {
      const from = baskets.indptr[itemBaskets.indices[p]!]!;
      const to = baskets.indptr[itemBaskets.indices[p]! + 1]!;
      if (to - from > options.maxBasketItems) continue;
      for (let q = from; q < to; q++) {
        const j = baskets.indices[q]!;
        if (together[j] === 0) touched[found++] = j;
        together[j]!++;
      }
    }
    const candidates = touched.subarray(0, found).sort();
    const scores = Float32Array.from(candidates, (j) => {
      const n = together[j]!;
      const chance = counts[i]! * counts[j]!;
      const counted = j !== i && n >= options.minTogether && n * basketCount > chance;
      return counted ? (n / Math.sqrt(chance)) * (n / (n + options.shrinkage)) : Number.NEGATIVE_INFINITY;
    });
    const best = topK(scores, options.k);
    // Columns ascend in a CSR row: by candidate, not by score.
    const kept = best.indices.sort();
    indices.push(kept.map((c) => candidates[c]!));
    data.push(Float32Array.from(kept, (c) => scores[c]!));
    indptr[i + 1] = indptr[i]! + kept.length;
    for (const j of candidates) together[j] = 0;
  }
  return { rows: items, cols: items, indptr, ...concatenate(indices, data, indptr[items]!) };
}

/** Baskets that hold each item, and their number: without those too large to tell anything. */
function countItems(baskets: CsrMatrix, maxBasketItems: number) {
  const counts = new Float64Array(baskets.cols);
  let basketCount = 0;
  for (let b = 0; b < baskets.rows; b++) {
    const from = baskets.indptr[b]!;
    const to = baskets.indptr[b + 1]!;
    if (to === from || to - from > maxBasketItems) continue;
    basketCount++;
    for (let p = from; p < to; p++) counts[baskets.indices[p]!]!++;
  }
  return { counts, basketCount };
}

function concatenate(indices: readonly Int32Array[], data: readonly Float32Array[], length: number) {
  const joined = { indices: new Int32Array(length), data: new Float32Array(length) };
  let at = 0;
  for (let r = 0; r < indices.length; r++) {
    joined.indices.set(indices[r]!, at);
    joined.data.set(data[r]!, at);
    at += indices[r]!.length;
  }
  return joined;
}
