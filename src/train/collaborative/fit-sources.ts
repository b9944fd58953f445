/** Fits what only the ranker reads: facts of the items, exemplar customers, and EASE where the catalogue allows it. */
import type { RankerSources } from '../../algorithms/collaborative-model.ts';
import { fitCustomerNeighbours } from '../../algorithms/customer-neighbours.ts';
import type { PurchasePairs } from '../../algorithms/purchase-pairs.ts';
import { fitItemFacts } from '../../algorithms/ranker/item-facts.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { CollaborativeSettings } from './settings.ts';
import type { ShopLog } from './shop-log.ts';

export function fitSources(
  purchases: ShopLog,
  pairs: PurchasePairs,
  settings: CollaborativeSettings,
  now: number,
  seed: number,
): RankerSources {
  const { itemCategory, itemIds } = purchases;
  const prices = purchases.unitPriceMinor ?? new Float64Array(itemIds.length);
  return {
    facts: fitItemFacts(purchases, itemCategory, prices, now),
    customers: fitCustomerNeighbours(pairs, settings.customers, now, createRng(seed, 'exemplars')),
    habitHalfLifeDays: settings.habitHalfLifeDays,
  };
}
