/** Fits every part of the collaborative model to a purchase log. */

import { interestMatrix } from '../../algorithms/browsing.ts';
import { fitRhythm } from '../../algorithms/buy-again.ts';
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import { csrFromTriplets } from '../../algorithms/csr.ts';
import { fitIals, type IalsFactors, type KnownFactors, type OnShare } from '../../algorithms/ials.ts';
import { fitItemNeighbours } from '../../algorithms/item-knn.ts';
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import { fitPopularity, type Popularity, type PopularityOptions } from '../../algorithms/popularity.ts';
import { interactionMatrix, type PurchasePairs, purchasePairs } from '../../algorithms/purchase-pairs.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { Purchases } from '../../history/purchases.ts';
import { fitSources } from './fit-sources.ts';
import type { CollaborativeSettings } from './settings.ts';
import type { ShopLog } from './shop-log.ts';

/** Of a training that goes on from factors that are nearly right: as many passes as bring it as far (docs/benchmarks.md). */
const warmIterations = 2;

/**
 * The model of these purchases, as it stands at `now` (milliseconds since 1970; no earlier than the last of them). With a
 * `warmStart`, items begin at the factors of an earlier training.
 */
export async function fitCollaborative(
  kernels: Kernels,
  purchases: ShopLog,
  settings: CollaborativeSettings,
  now: number,
  seed: number,
  onProgress: OnShare,
  warmStart?: KnownFactors,
): Promise<CollaborativeModel> {
  const pairs = purchasePairs(purchases, purchases.customerIds.length, purchases.itemIds.length);
  const userItems = interestMatrix(pairs, purchases.browsing, settings.weighting, now);
  const iterations = warmStart === undefined ? settings.ials.iterations : warmIterations;
  const factors = await fitIals(
    kernels,
    userItems,
    { ...settings.ials, iterations },
    {
      rng: createRng(seed, 'ials'),
      start: warmStart && { items: warmStart },
      onProgress: (share) => onProgress(0.8 * share),
    },
  );
  const model = await fitAround(kernels, factors, purchases, pairs, settings, now);
  return {
    ...model,
    users: { count: userItems.rows, gram: factors.userGram },
    sources: await fitSources(kernels, purchases, pairs, settings, now, seed),
  };
}

/** The model with these factors, and all the rest that the purchases tell. */
export async function fitAround(
  kernels: Kernels,
  { itemFactors, itemGram }: Pick<IalsFactors, 'itemFactors' | 'itemGram'>,
  purchases: ShopLog,
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
