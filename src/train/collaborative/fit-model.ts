/** Fits every part of the collaborative model to a purchase log. */
import { fitRhythm } from '../../algorithms/buy-again.ts';
import type { CollaborativeModel, FusionSettings } from '../../algorithms/collaborative-model.ts';
import { csrFromTriplets } from '../../algorithms/csr.ts';
import { fitIals, type IalsOptions, type OnShare } from '../../algorithms/ials.ts';
import { fitItemNeighbours, type ItemKnnOptions } from '../../algorithms/item-knn.ts';
import { fitPopularity, type PopularityOptions } from '../../algorithms/popularity.ts';
import { interactionMatrix, purchasePairs } from '../../algorithms/purchase-pairs.ts';
import type { PurchaseWeighting } from '../../algorithms/purchase-weight.ts';
import type { Rng } from '../../algorithms/rng.ts';
import type { Purchases } from '../../history/interactions.ts';

export type CollaborativeSettings = {
  ials: IalsOptions;
  knn: ItemKnnOptions;
  popularity: PopularityOptions;
  weighting: PurchaseWeighting;
  buyAgainHorizonDays: number;
  fusion: FusionSettings;
};

/** The model of these purchases, as it stands at `now` (milliseconds since 1970; no earlier than the last of them). */
export async function fitCollaborative(
  purchases: Purchases,
  settings: CollaborativeSettings,
  now: number,
  rng: Rng,
  onProgress: OnShare,
): Promise<CollaborativeModel> {
  const { customer, item, order, at, customerIds, itemIds } = purchases;
  const items = itemIds.length;
  const pairs = purchasePairs(purchases, customerIds.length, items);
  const userItems = interactionMatrix(pairs, settings.weighting, now);
  const ones = new Uint8Array(at.length).fill(1);
  const orderItems = csrFromTriplets(purchases.orderCount, items, { row: order, col: item, value: ones });

  const neighbours = fitItemNeighbours(userItems, settings.knn);
  await onProgress(0.05);
  const boughtTogether = fitItemNeighbours(orderItems, settings.knn);
  await onProgress(0.1);
  const popularity = fitPopularity(
    { item, at, segment: customer.map((u) => purchases.customerSegment[u]!) },
    items,
    purchases.segments,
    now,
    settings.popularity,
  );
  const rhythm = fitRhythm(purchases, items, purchases.itemCategory, purchases.categories.length);
  const { itemFactors, itemGram } = await fitIals(userItems, settings.ials, rng, (share) =>
    onProgress(0.1 + 0.9 * share),
  );
  const { factors, unobservedWeight, regularization, regularizationExponent } = settings.ials;
  return {
    itemIds,
    itemIndex: new Map(itemIds.map((id, i) => [id, i])),
    factors,
    itemFactors,
    gram: itemGram,
    unobservedWeight,
    regularization,
    regularizationExponent,
    asOf: now,
    weighting: settings.weighting,
    neighbours,
    boughtTogether,
    segments: popularity.segments,
    popularity: popularity.shares,
    rhythm,
    buyAgainHorizonDays: settings.buyAgainHorizonDays,
    fusion: settings.fusion,
  };
}
