/**
 * What pages are made with out of one collaborative model: the one that is served, or a version that an experiment tries. Each
 * has all of it to itself, so that nothing that was made by one is shown to whom the other serves.
 */
import type { RecordStore } from '../../features/record-store.ts';
import { readBestSellers } from '../../infra/best-sellers.ts';
import type { FollowedCatalogue } from '../../infra/catalogue.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import type { Closer } from '../../infra/shutdown.ts';
import type { Models } from '../../scoring/served.ts';
import { type BestSellersHolder, createBestSellers } from './best-sellers.ts';
import { createNewItems } from './new-items.ts';
import { createPreparedStore, type PreparedStore } from './prepared-store.ts';
import { createRecommender, type Recommender } from './recommender.ts';
import { createShownPages, type ShownPages } from './shown-pages.ts';
import { createStock } from './stock.ts';

export type Pages = {
  recommender: Recommender;
  /** Pages that are ready, beside the records. */
  prepared: PreparedStore;
  /** Those that this process has shown. */
  shown: ShownPages;
};

export type PagesByModel = {
  /** By the model that is served, and the one after it when that comes. */
  served: Pages;
  /** By each version that experiments try. */
  tried: ReadonlyMap<string, Pages>;
};

export type PagesDeps = {
  redis: Redis;
  keys: Keys;
  records: Pick<RecordStore, 'readBeside'>;
  catalogue: FollowedCatalogue;
  /** Told at once of whatever has been opened: what was opened last is to be closed first. */
  onOpened: (close: Closer) => void;
};

/** Waits until what the catalogue says of the models' items is known. */
export async function openPagesByModel(
  models: Pick<Models, 'collaborative'>,
  tried: ReadonlyMap<string, NonNullable<Models['collaborative']>>,
  deps: PagesDeps,
): Promise<PagesByModel> {
  const { redis, keys, onOpened } = deps;
  const bestSellers = createBestSellers(models, () => readBestSellers(redis, keys));
  onOpened(bestSellers.stop);
  await bestSellers.start();
  const served = await openPages(models, deps, bestSellers);
  const byVersion = new Map<string, Pages>();
  for (const [version, collaborative] of tried)
    byVersion.set(version, await openPages({ collaborative }, deps, bestSellers));
  return { served, tried: byVersion };
}

async function openPages(
  models: Pick<Models, 'collaborative'>,
  { redis, keys, records, catalogue, onOpened }: PagesDeps,
  bestSellers: BestSellersHolder,
): Promise<Pages> {
  const newItems = createNewItems(models, catalogue);
  onOpened(newItems.stop);
  const stock = createStock(models, catalogue);
  onOpened(stock.stop);
  await Promise.all([newItems.start(), stock.start()]);
  return {
    recommender: createRecommender(models, catalogue, newItems, stock, bestSellers),
    prepared: createPreparedStore(redis, keys, records, models),
    shown: createShownPages(models, newItems, catalogue),
  };
}
