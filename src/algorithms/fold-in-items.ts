/** Brings the factors of an earlier training to a later log: items that it knows keep theirs, new ones are folded in. */
import type { CsrMatrix } from './csr.ts';
import { foldInItem } from './ials.ts';
import { createRowSolver, type FixedSide, type RowObjective } from './ials-row.ts';

/** What is left of an earlier training. */
export type TrainedFactors = {
  /** The items that it knew. */
  items: FixedSide;
  /** Number and Gram matrix (lower half) of the customers that it learned from. */
  users: { count: number; gram: Float64Array };
};

/**
 * Item factors for `userItems` (users × items, values confidence − 1): those of `trained` where `trainedItem` gives the
 * item's row there; where it is −1, the row that training would have solved from those who bought the item, whose own
 * factors are folded in from the items that are known. A new item of customers who bought nothing else stays zero.
 */
export function foldInNewItems(
  trained: TrainedFactors,
  userItems: CsrMatrix,
  trainedItem: Int32Array,
  objective: RowObjective,
): Float32Array {
  const { items, users } = trained;
  const { size } = items;
  const { rows, cols, indptr, indices, data } = userItems;
  const factors = new Float32Array(cols * size);
  const buyers = new Map<number, { factors: number[]; weights: number[] }>();
  for (let i = 0; i < cols; i++) {
    const known = trainedItem[i]!;
    if (known >= 0) factors.set(items.factors.subarray(known * size, (known + 1) * size), i * size);
    else buyers.set(i, { factors: [], weights: [] });
  }
  const solve = createRowSolver(items, objective);
  const user = new Float32Array(size);
  for (let u = 0; u < rows; u++) {
    const row = Array.from({ length: indptr[u + 1]! - indptr[u]! }, (_, n) => indptr[u]! + n);
    const bought = row.filter((p) => trainedItem[indices[p]!]! < 0);
    if (bought.length === 0) continue;
    const known = row.filter((p) => trainedItem[indices[p]!]! >= 0);
    const knownItems = Int32Array.from(known, (p) => trainedItem[indices[p]!]!);
    solve(
      knownItems,
      Float32Array.from(known, (p) => data[p]!),
      0,
      known.length,
      user,
      0,
    );
    for (const p of bought) {
      const item = buyers.get(indices[p]!)!;
      item.factors.push(...user);
      item.weights.push(data[p]!);
    }
  }
  for (const [i, item] of buyers) {
    const fixed = { factors: Float32Array.from(item.factors), size, gram: users.gram, rows: users.count };
    factors.set(foldInItem(fixed, Float32Array.from(item.weights), objective), i * size);
  }
  return factors;
}
