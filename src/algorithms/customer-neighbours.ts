/**
 * "People like you": what the customers buy who are most like this one, and what the customer buys often. TIFU-KNN
 * (Hu, He, Gao and Zhang, SIGIR 2020) with days in the place of baskets, against a bounded number of exemplar customers
 * that are kept as item vectors, without their ids. A customer may be an exemplar too, and then is its own nearest one: what
 * learns from the scores must not see the purchases that it is to foretell among those of the exemplars.
 */

import { z } from 'zod';
import { dayMs } from '../domain/time.ts';
import type { ItemHistory } from './buy-again.ts';
import { type CsrMatrix, transpose } from './csr.ts';
import { decayedPurchases } from './decayed-purchases.ts';
import { createNearestRows } from './nearest-rows.ts';
import type { PurchasePairs } from './purchase-pairs.ts';
import type { Rng } from './rng.ts';
import { ScoreSheet } from './score-sheet.ts';
import { topK } from './top-k.ts';

export const CustomerNeighbourOptions = z.strictObject({
  /** Customers that are kept, at most. */
  exemplars: z.int().positive().max(200_000).default(20_000),
  /** An exemplar's heaviest items that are kept, at most. */
  itemsPerExemplar: z.int().positive().max(1000).default(100),
  /** A purchase this many days old counts half. */
  halfLifeDays: z.number().positive().default(180),
  /** k: the most similar exemplars whose vectors are averaged. */
  neighbours: z.int().positive().max(5000).default(300),
  /** q: an exemplar weighs similarity^q in the average. 0: all k alike, as in the paper. */
  locality: z.number().min(0).default(0.5),
  /** α: weight of the customer's own vector; the average has the rest. */
  ownWeight: z.number().min(0).max(1).default(0.3),
});
export type CustomerNeighbourOptions = z.output<typeof CustomerNeighbourOptions>;

/**
 * Exemplars and an inverted index of them. In memory 16 bytes for each item that an exemplar has, 8 for each item of the
 * shop and 4 for each exemplar: with the defaults at most 32 MB (20,000 × 100 items), some 6 MB where customers have 20 items.
 * A request costs the lists of the customer's items in the index and k exemplars: .3–.8 ms for 20,000 exemplars of 20–60 items.
 */
export type CustomerNeighbours = Pick<
  CustomerNeighbourOptions,
  'halfLifeDays' | 'neighbours' | 'locality' | 'ownWeight'
> & {
  /** exemplars × items: decayed purchases, each row scaled to length 1. */
  exemplars: CsrMatrix;
  /** items × exemplars: for each item who has it, with the part that the item has in the exemplar's cosine. */
  byItem: CsrMatrix;
  /** By item, idf = ln(1 + exemplars / (1 + those who have it)): what everybody buys makes nobody alike. */
  rarity: Float32Array;
};

/**
 * Draws the exemplars among the customers of `pairs` with two items or more, and indexes them. Somebody whose last
 * purchase is d days before `now` (milliseconds since 1970) is drawn with weight 2^(−d / half-life): who shops today
 * tells most of what is bought today.
 */
export function fitCustomerNeighbours(
  pairs: PurchasePairs,
  options: CustomerNeighbourOptions,
  now: number,
  rng: Rng,
): CustomerNeighbours {
  const { halfLifeDays, neighbours, locality, ownWeight } = options;
  const drawn = drawExemplars(pairs, options, now, rng);
  const exemplars = exemplarVectors(pairs, drawn, options, now);
  return {
    ...indexExemplars(exemplars),
    halfLifeDays,
    neighbours,
    locality,
    ownWeight,
  };
}

/** What follows from the exemplars' vectors alone; a model's files need not hold it. */
export function indexExemplars(
  exemplars: CsrMatrix,
): Pick<CustomerNeighbours, 'exemplars' | 'byItem' | 'rarity'> {
  const { rows, cols, indptr, indices, data } = exemplars;
  const owners = new Int32Array(cols);
  for (const i of indices) owners[i]!++;
  const rarity = Float32Array.from(owners, (count) => Math.log(1 + rows / (1 + count)));
  const parts = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) {
    for (let p = indptr[r]!; p < indptr[r + 1]!; p++) parts[p] = data[p]! * rarity[indices[p]!]!;
    scaleToUnit(parts, indptr[r]!, indptr[r + 1]!);
  }
  return { exemplars, byItem: transpose({ ...exemplars, data: parts }), rarity };
}

/**
 * Score of every item, by its index, for a customer with this history at `now`: α · own vector + (1 − α) · what similar
 * customers buy, with α = `ownWeight` (TIFU-KNN, eq. 4). 0 for what neither buys; all 0 without a history. Ranks; no
 * probability.
 */
export function customerNeighbourScores(
  model: CustomerNeighbours,
  history: readonly ItemHistory[],
  now: number,
  ownWeight = model.ownWeight,
): Float32Array {
  const scores = similarCustomerScores(model, history, now);
  const own = customerVector(history, now, model.halfLifeDays);
  for (let i = 0; i < scores.length; i++) scores[i]! *= 1 - ownWeight;
  for (let h = 0; h < own.length; h++) scores[history[h]!.item]! += ownWeight * own[h]!;
  return scores;
}

/** The second half of it alone: the mean of the k most similar exemplars' vectors, each weighing similarity^q. */
export function similarCustomerScores(
  model: CustomerNeighbours,
  history: readonly ItemHistory[],
  now: number,
): Float32Array {
  const sheet = new ScoreSheet(model.rarity.length);
  createSimilarCustomers(model)(history, now, sheet);
  return sheet.all();
}

/** Adds those scores to a sheet; owns scratch memory, so one call at a time. */
export function createSimilarCustomers({
  exemplars,
  byItem,
  rarity,
  halfLifeDays,
  neighbours,
  locality,
}: CustomerNeighbours): (history: readonly ItemHistory[], now: number, out: ScoreSheet) => void {
  const { find } = createNearestRows(byItem);
  const nearest = new Int32Array(neighbours);
  const weights = new Float32Array(neighbours);
  return (history, now, out) => {
    const own = customerVector(history, now, halfLifeDays);
    const query = {
      indices: Int32Array.from(history, ({ item }) => item),
      // Not scaled to length 1: that would divide all similarities by the same number.
      data: own.map((value, h) => value * rarity[history[h]!.item]!),
      from: 0,
      to: own.length,
    };
    const found = find(query, neighbours, -1, nearest, weights);
    let total = 0;
    for (let n = 0; n < found; n++) {
      weights[n] = weights[n]! ** locality;
      total += weights[n]!;
    }
    for (let n = 0; n < found; n++) {
      const r = nearest[n]!;
      for (let p = exemplars.indptr[r]!; p < exemplars.indptr[r + 1]!; p++)
        out.add(exemplars.indices[p]!, (weights[n]! / total) * exemplars.data[p]!);
    }
  };
}

/** Personal frequency: the customer's decayed purchases of each item of the history, scaled to length 1; aligned with the history. */
export function customerVector(
  history: readonly ItemHistory[],
  now: number,
  halfLifeDays: number,
): Float32Array {
  const vector = Float32Array.from(history, ({ purchaseCount, firstAt, lastAt }) =>
    decayedPurchases(purchaseCount, firstAt, lastAt, now, halfLifeDays),
  );
  return scaleToUnit(vector, 0, vector.length);
}

/** The customers with the highest u^(1 / weight), u uniform: a weighted draw without replacement (Efraimidis and Spirakis 2006). */
function drawExemplars(
  { customers, indptr, lastAt }: PurchasePairs,
  { exemplars, halfLifeDays }: CustomerNeighbourOptions,
  now: number,
  rng: Rng,
): Int32Array {
  const keys = new Float32Array(customers).fill(Number.NEGATIVE_INFINITY);
  for (let u = 0; u < customers; u++) {
    if (indptr[u + 1]! - indptr[u]! < 2) continue;
    let last = Number.NEGATIVE_INFINITY;
    for (let p = indptr[u]!; p < indptr[u + 1]!; p++) last = Math.max(last, lastAt[p]!);
    // ln(−ln(u^(1 / weight))), negated: in logarithms nobody's weight underflows.
    const decay = (-Math.LN2 * Math.max(0, now - last)) / dayMs / halfLifeDays;
    keys[u] = decay - Math.log(-Math.log(Math.max(rng.next(), 2 ** -33)));
  }
  return topK(keys, exemplars).indices.sort();
}

/** Decayed purchases of these customers, the heaviest items of each, as rows of length 1. */
function exemplarVectors(
  pairs: PurchasePairs,
  drawn: Int32Array,
  { itemsPerExemplar, halfLifeDays }: CustomerNeighbourOptions,
  now: number,
): CsrMatrix {
  const indptr = new Int32Array(drawn.length + 1);
  for (let r = 0; r < drawn.length; r++) {
    const bought = pairs.indptr[drawn[r]! + 1]! - pairs.indptr[drawn[r]!]!;
    indptr[r + 1] = indptr[r]! + Math.min(itemsPerExemplar, bought);
  }
  const indices = new Int32Array(indptr[drawn.length]!);
  const data = new Float32Array(indices.length);
  for (let r = 0; r < drawn.length; r++) {
    const from = pairs.indptr[drawn[r]!]!;
    const { lastAt, purchaseCount, firstAt } = pairs;
    const to = pairs.indptr[drawn[r]! + 1]!;
    let newest = Number.NEGATIVE_INFINITY;
    for (let p = from; p < to; p++) newest = Math.max(newest, lastAt[p]!);
    // As of the customer's own last purchase: a row of length 1 has no age, and one long gone would underflow.
    const reference = Math.min(now, newest);
    const weights = Float32Array.from({ length: to - from }, (_, n) =>
      decayedPurchases(
        purchaseCount[from + n]!,
        firstAt[from + n]!,
        lastAt[from + n]!,
        reference,
        halfLifeDays,
      ),
    );
    const kept = topK(weights, itemsPerExemplar).indices.sort();
    for (let n = 0; n < kept.length; n++) {
      indices[indptr[r]! + n] = pairs.item[from + kept[n]!]!;
      data[indptr[r]! + n] = weights[kept[n]!]!;
    }
    scaleToUnit(data, indptr[r]!, indptr[r + 1]!);
  }
  return { rows: drawn.length, cols: pairs.items, indptr, indices, data };
}

/** Scales `values[from … to − 1]` to length 1, in place; all 0 stays so. */
function scaleToUnit(values: Float32Array, from: number, to: number): Float32Array {
  let squares = 0;
  for (let p = from; p < to; p++) squares += values[p]! ** 2;
  if (squares > 0) for (let p = from; p < to; p++) values[p]! /= Math.sqrt(squares);
  return values;
}
