/** Fits every part of the collaborative model to a purchase log. */

import { interestMatrix } from '../../algorithms/browsing.ts';
import { fitRhythm } from '../../algorithms/buy-again.ts';
import type { CollaborativeModel, FusionSettings } from '../../algorithms/collaborative-model.ts';
import { csrFromTriplets } from '../../algorithms/csr.ts';
import { fitIals, type IalsFactors, type IalsOptions, type OnShare } from '../../algorithms/ials.ts';
import { fitItemNeighbours, type ItemKnnOptions } from '../../algorithms/item-knn.ts';
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import { fitPopularity, type Popularity, type PopularityOptions } from '../../algorithms/popularity.ts';
import { interactionMatrix, type PurchasePairs, purchasePairs } from '../../algorithms/purchase-pairs.ts';
import type { PurchaseWeighting } from '../../algorithms/purchase-weight.ts';
import type { Rng } from '../../algorithms/rng.ts';
import type { Purchases } from '../../history/purchases.ts';

export type CollaborativeSettings = {
  ials: IalsOptions;
  /** Of items that the same customers bought. */
  knn: ItemKnnOptions;
  /** Of items that the same orders hold. */
  boughtTogether: ItemKnnOptions;
  popularity: PopularityOptions;
  weighting: PurchaseWeighting;
  buyAgainHorizonDays: number;
  fusion: FusionSettings;
};

/** The model of these purchases, as it stands at `now` (milliseconds since 1970; no earlier than the last of them). */
export async function fitCollaborative(
  kernels: Kernels,
  purchases: Purchases,
  settings: CollaborativeSettings,
  now: number,
  rng: Rng,
  onProgress: OnShare,
): Promise<CollaborativeModel> {
  const pairs = purchasePairs(purchases, purchases.customerIds.length, purchases.itemIds.length);
  const userItems = interestMatrix(pairs, purchases.browsing, settings.weighting, now);
  const factors = await fitIals(kernels, userItems, settings.ials, {
    rng,
    onProgress: (share) => onProgress(0.9 * share),
  });
  return fitAround(kernels, factors, purchases, pairs, settings, now);
}

/** The model with these factors, and all the rest that the purchases tell. */
export async function fitAround(
  kernels: Kernels,
  { itemFactors, itemGram }: Pick<IalsFactors, 'itemFactors' | 'itemGram'>,
  purchases: Purchases,
  pairs: PurchasePairs,
  settings: CollaborativeSettings,
  now: number,
): Promise<CollaborativeModel> {
  const { item, order, at, itemIds } = purchases;
  const items = itemIds.length;
  const ones = new Uint8Array(at.length).fill(1);
  const orderItems = csrFromTriplets(purchases.orderCount, items, { row: order, col: item, value: ones });
  const popularity = fitShopPopularity(purchases, now, settings.popularity);
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
    neighbours: await fitItemNeighbours(
      kernels,
      interactionMatrix(pairs, settings.weighting, now),
      settings.knn,
    ),
    boughtTogether: await fitItemNeighbours(kernels, orderItems, settings.boughtTogether),
    segments: popularity.segments,
    popularity: popularity.shares,
    rhythm: fitRhythm(purchases, items, purchases.itemCategory, purchases.categories.length),
    buyAgainHorizonDays: settings.buyAgainHorizonDays,
    fusion: settings.fusion,
  };
}

/** Popularity of the shop's items in each segment of its customers. */
export function fitShopPopularity(purchases: Purchases, now: number, options: PopularityOptions): Popularity {
  const { item, at, customer, customerSegment, itemIds, segments } = purchases;
  const segment = customer.map((u) => customerSegment[u]!);
  return fitPopularity({ item, at, segment }, itemIds.length, segments, now, options);
}
