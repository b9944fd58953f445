/** Interest that was no purchase: what customers looked at or put into the cart, as weak interactions. */
import type { CsrMatrix } from './csr.ts';
import { interactionMatrix, type PurchasePairs } from './purchase-pairs.ts';
import { decayAt, type PurchaseWeighting } from './purchase-weight.ts';

/** What each customer browsed of each item: one row a pair, sorted by customer and item. */
export type Browsing = {
  customer: Int32Array;
  item: Int32Array;
  /** The last view or addition to the cart, milliseconds since 1970. */
  lastAt: Float64Array;
  /** 1: it was in the cart at least once. */
  addedToCart: Uint8Array;
};

/** Interest beside a purchase's weight of about 1. */
const viewWeight = 0.4;
const cartWeight = 0.9;

/**
 * Confidence − 1 of an item that was browsed and not bought, last at `lastAt`, at the instant `reference`: ages as a
 * purchase does. How often it was looked at does not count.
 */
export function browsingWeight(
  weighting: PurchaseWeighting,
  addedToCart: boolean,
  lastAt: number,
  reference: number,
): number {
  return (addedToCart ? cartWeight : viewWeight) * decayAt(weighting, lastAt, reference);
}

/** The interaction matrix users × items of purchases, and of what was browsed without being bought. */
export function interestMatrix(
  pairs: PurchasePairs,
  browsing: Browsing | undefined,
  weighting: PurchaseWeighting,
  now: number,
): CsrMatrix {
  const bought = interactionMatrix(pairs, weighting, now);
  if (browsing === undefined) return bought;
  const { customer, item, lastAt, addedToCart } = browsing;
  const { rows, cols } = bought;
  const indptr = new Int32Array(rows + 1);
  const indices = new Int32Array(bought.indices.length + item.length);
  const data = new Float32Array(indices.length);
  let at = 0;
  let b = 0;
  for (let u = 0; u < rows; u++) {
    let p = bought.indptr[u]!;
    const end = bought.indptr[u + 1]!;
    while (p < end || customer[b] === u) {
      const isBrowsed = customer[b] === u;
      if (p < end && (!isBrowsed || bought.indices[p]! <= item[b]!)) {
        if (isBrowsed && bought.indices[p] === item[b]) b++;
        indices[at] = bought.indices[p]!;
        data[at++] = bought.data[p++]!;
      } else {
        indices[at] = item[b]!;
        data[at++] = browsingWeight(weighting, addedToCart[b] === 1, lastAt[b]!, now);
        b++;
      }
    }
    indptr[u + 1] = at;
  }
  return { rows, cols, indptr, indices: indices.slice(0, at), data: data.slice(0, at) };
}
