/** What each customer bought of each item: runs of a purchase log that is sorted by customer, item and time. */
import type { SortedPurchases } from './buy-again.ts';
import type { CsrMatrix } from './csr.ts';
import { isSameErrand } from './errand.ts';
import { type PurchaseWeighting, purchaseWeight } from './purchase-weight.ts';

/** customers × items; the entries of customer u are those from `indptr[u]` up to `indptr[u + 1]`, items ascending. */
export type PurchasePairs = {
  customers: number;
  items: number;
  indptr: Int32Array;
  item: Int32Array;
  /** Errands of the customer that brought the item: orders of one day are one. */
  purchaseCount: Int32Array;
  /** Milliseconds since 1970. */
  firstAt: Float64Array;
  lastAt: Float64Array;
};

export function purchasePairs(purchases: SortedPurchases, customers: number, items: number): PurchasePairs {
  const { customer, item, at } = purchases;
  const rows = at.length;
  const startsPair = (p: number) => p === 0 || customer[p] !== customer[p - 1] || item[p] !== item[p - 1];
  let count = 0;
  for (let p = 0; p < rows; p++) if (startsPair(p)) count++;
  const pairs: PurchasePairs = {
    customers,
    items,
    indptr: new Int32Array(customers + 1),
    item: new Int32Array(count),
    purchaseCount: new Int32Array(count),
    firstAt: new Float64Array(count),
    lastAt: new Float64Array(count),
  };
  let pair = -1;
  for (let p = 0; p < rows; p++) {
    if (startsPair(p)) {
      pair++;
      pairs.item[pair] = item[p]!;
      pairs.firstAt[pair] = at[p]!;
      pairs.indptr[customer[p]! + 1]!++;
    }
    if (startsPair(p) || !isSameErrand(at[p - 1]!, at[p]!)) pairs.purchaseCount[pair]!++;
    pairs.lastAt[pair] = at[p]!;
  }
  for (let u = 0; u < customers; u++) pairs.indptr[u + 1]! += pairs.indptr[u]!;
  return pairs;
}

/** The interaction matrix users × items that iALS is fitted to; values are confidence − 1. */
export function interactionMatrix(
  pairs: PurchasePairs,
  weighting: PurchaseWeighting,
  now: number,
): CsrMatrix {
  const { purchaseCount, lastAt } = pairs;
  return {
    rows: pairs.customers,
    cols: pairs.items,
    indptr: pairs.indptr,
    indices: pairs.item,
    data: Float32Array.from(purchaseCount, (count, p) => purchaseWeight(weighting, count, lastAt[p]!, now)),
  };
}
