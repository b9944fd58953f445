/** Which items lead to which: from one basket to the next, and from a user's items to those of users alike. */
import { type CsrMatrix, transpose } from '../csr.ts';
import { topK } from '../top-k.ts';
import { type BasketLog, basketCount } from './basket-log.ts';
import { decayedFrequency, recentShareWeight } from './decayed-frequency.ts';

/** Rows with more entries (a reseller's basket) cost their square and say nothing of what goes with what. */
const rowEntriesMax = 1000;

export type LinkOptions = {
  /** Links that are kept of each item: those of the highest score. */
  links: number;
  /** Pseudo-count that keeps pairs which were seen once or twice low. */
  shrinkage: number;
};

/**
 * items × items: P(j is in the next basket | i is in this one) = n_ij / (n_i + shrinkage), over all pairs of successive
 * baskets; j ≠ i.
 */
export function nextBasketLinks(log: BasketLog, { links, shrinkage }: LinkOptions): CsrMatrix {
  const { users, items, userBaskets, basketItems, item } = log;
  const isLast = new Uint8Array(userBaskets[users]!);
  for (let u = 0; u < users; u++) if (basketCount(log, u) > 0) isLast[userBaskets[u + 1]! - 1] = 1;
  const pointers = Int32Array.from(basketItems);
  const data = new Float32Array(item.length).fill(1);
  // The row of a user's last basket is emptied by weight 0: nothing is known to follow it.
  for (let b = 0; b < isLast.length; b++)
    if (isLast[b] === 1) data.fill(0, basketItems[b]!, basketItems[b + 1]!);
  const baskets: CsrMatrix = { rows: isLast.length, cols: items, indptr: pointers, indices: item, data };
  return linkItems(baskets, 1, links, (together, from) => together / (from + shrinkage));
}

/**
 * items × items: cosine of the two items' sets of users, times n_ij / (n_ij + shrinkage); pairs of one user alone are left out;
 * j ≠ i.
 */
export function sameUserLinks(log: BasketLog, { links, shrinkage }: LinkOptions): CsrMatrix {
  const shares = decayedFrequency(log, recentShareWeight(0));
  const bought = { ...shares, data: new Float32Array(shares.data.length).fill(1) };
  return linkItems(bought, 0, links, (together, from, to) =>
    together < 2 ? 0 : (together / Math.sqrt(from * to)) * (together / (together + shrinkage)),
  );
}

/**
 * For each item i the `links` items j of the highest score > 0, where `together` counts the rows r of weight 1 that hold i
 * while row r + `offset` holds j, and `from` and `to` count the rows of weight 1 that hold i and j.
 */
function linkItems(
  rows: CsrMatrix,
  offset: number,
  links: number,
  scoreOf: (together: number, from: number, to: number) => number,
): CsrMatrix {
  const { cols, indptr, indices, data } = rows;
  const byItem = transpose(rows);
  const counts = new Float64Array(cols);
  for (let p = 0; p < indices.length; p++) counts[indices[p]!]! += data[p]!;
  const together = new Float64Array(cols);
  const touched = new Int32Array(cols);
  const linkStarts = new Int32Array(cols + 1);
  const linkItem: number[] = [];
  const linkScore: number[] = [];
  for (let i = 0; i < cols; i++) {
    let found = 0;
    for (let q = byItem.indptr[i]!; q < byItem.indptr[i + 1]!; q++) {
      if (byItem.data[q] === 0) continue;
      const r = byItem.indices[q]! + offset;
      if (indptr[r + 1]! - indptr[r]! > rowEntriesMax) continue;
      for (let p = indptr[r]!; p < indptr[r + 1]!; p++) {
        const j = indices[p]!;
        if (together[j] === 0) touched[found++] = j;
        together[j]!++;
      }
    }
    const candidates = touched.subarray(0, found).sort();
    const scores = Float32Array.from(candidates, (j) =>
      j === i ? 0 : scoreOf(together[j]!, counts[i]!, counts[j]!),
    );
    const kept = topK(scores, links, (n) => scores[n]! > 0).indices.sort();
    for (const n of kept) {
      linkItem.push(candidates[n]!);
      linkScore.push(scores[n]!);
    }
    linkStarts[i + 1] = linkItem.length;
    for (const j of candidates) together[j] = 0;
  }
  return {
    rows: cols,
    cols,
    indptr: linkStarts,
    indices: Int32Array.from(linkItem),
    data: Float32Array.from(linkScore),
  };
}
