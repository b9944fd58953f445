/** Customers to be judged on: what a model may know of each, and what each bought after that. */
import type { ItemHistory } from '../../algorithms/buy-again.ts';
import type { RankingRequest } from '../../algorithms/collaborative-ranking.ts';
import { type PurchasePairs, purchasePairs } from '../../algorithms/purchase-pairs.ts';
import { createRng, shuffle } from '../../algorithms/rng.ts';
import type { Purchases } from '../../history/purchases.ts';
import type { ShopLog } from './shop-log.ts';

export type TestSet = {
  /** The moment that the model stands at: everything relevant was bought after it. */
  now: number;
  train: ShopLog;
  pairs: PurchasePairs;
  /** Customers with purchases before and after `now`, by their index in `train`. */
  customers: Int32Array;
  /** What each of them bought after `now`, by index in `train`; items that `train` lacks have indices below 0. */
  relevant: ReadonlySet<number>[];
};

/** At most `customersMax` customers, drawn by the seed. `later` are the purchases from `now` on. */
export function createTestSet(
  train: ShopLog,
  later: Purchases,
  now: number,
  customersMax: number,
  seed: number,
): TestSet {
  const customerIndex = new Map(train.customerIds.map((id, u) => [id, u]));
  const itemIndex = new Map(train.itemIds.map((id, i) => [id, i]));
  const customerOf = later.customerIds.map((id) => customerIndex.get(id));
  const itemOf = later.itemIds.map((id, i) => itemIndex.get(id) ?? -1 - i);
  const known = customerOf.filter((u) => u !== undefined);
  const drawn = shuffle(known, createRng(seed, 'test-customers')).slice(0, customersMax);
  const customers = Int32Array.from(drawn).sort();
  const place = new Map(Array.from(customers, (u, n) => [u, n]));
  const relevant = Array.from(customers, () => new Set<number>());
  for (let p = 0; p < later.at.length; p++) {
    const n = place.get(customerOf[later.customer[p]!] ?? -1);
    if (n !== undefined) relevant[n]!.add(itemOf[later.item[p]!]!);
  }
  const pairs = purchasePairs(train, train.customerIds.length, train.itemIds.length);
  return { now, train, pairs, customers, relevant };
}

/** What the model is asked for the n-th customer of the set. */
export function requestOf({ train, pairs, customers, now }: TestSet, n: number): RankingRequest {
  const customer = customers[n]!;
  const history: ItemHistory[] = [];
  for (let p = pairs.indptr[customer]!; p < pairs.indptr[customer + 1]!; p++) {
    history.push({
      item: pairs.item[p]!,
      purchaseCount: pairs.purchaseCount[p]!,
      firstAt: pairs.firstAt[p]!,
      lastAt: pairs.lastAt[p]!,
    });
  }
  return { history, segment: train.segments[train.customerSegment[customer]!], now };
}
