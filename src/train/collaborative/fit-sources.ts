/** Fits what only the ranker reads: facts of the items, exemplar customers, and EASE where the catalogue allows it. */
import type { RankerSources } from '../../algorithms/collaborative-model.ts';
import { fitCustomerNeighbours } from '../../algorithms/customer-neighbours.ts';
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { PurchasePairs } from '../../algorithms/purchase-pairs.ts';
import { fitItemFacts } from '../../algorithms/ranker/item-facts.ts';
import { createRng } from '../../algorithms/rng.ts';
import { fitEaseRows } from './fit-ease-rows.ts';
import type { CollaborativeSettings } from './settings.ts';
import type { ShopLog } from './shop-log.ts';

export async function fitSources(
  kernels: Kernels,
  purchases: ShopLog,
  pairs: PurchasePairs,
  settings: CollaborativeSettings,
  now: number,
  seed: number,
): Promise<RankerSources> {
  const { itemCategory, itemIds } = purchases;
  const prices = purchases.unitPriceMinor ?? new Float64Array(itemIds.length);
  const ease = await fitEaseRows(kernels, pairs, settings.ease);
  return {
    facts: fitItemFacts(purchases, itemCategory, prices, now),
    customers: fitCustomerNeighbours(pairs, settings.customers, now, createRng(seed, 'exemplars')),
    habitHalfLifeDays: settings.habitHalfLifeDays,
    ...(ease !== undefined && { ease }),
  };
}
