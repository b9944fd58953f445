/** What a decision chooses from, kept ready between requests: compiled offers, shop statistics, counters. */
import { popularityScores } from '../../algorithms/collaborative-model.ts';
import type { Offer } from '../../domain/offer.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import type { OfferMarket } from '../../offers/choose-offers.ts';
import { type CompiledOffer, compileOffer } from '../../offers/eligibility.ts';
import { type ShopStatistics, shopStatistics } from '../../offers/shop-statistics.ts';
import type { Deps } from '../deps.ts';
import { createOfferCounter } from './offer-counts.ts';

export type MarketHolder = {
  /** With counters of the last seconds. Rejects when Redis is away. */
  read: () => Promise<OfferMarket>;
  /** With the counters that were read last; reaches nothing. */
  known: () => OfferMarket;
};

/** While a catalogue is being loaded it changes with every request; its statistics hardly do. */
const statisticsMaxAgeMs = 10_000;

export function createMarketHolder({
  redis,
  keys,
  catalogue,
  models,
  now,
}: Pick<Deps, 'redis' | 'keys' | 'catalogue' | 'models' | 'now'>): MarketHolder {
  const counter = createOfferCounter(redis, keys, now);
  /** By version of the offer: the catalogue's copy holds a new object when an offer changes. */
  const compiled = new WeakMap<Offer, CompiledOffer>();
  let offers: { revision: number; list: readonly CompiledOffer[] } | undefined;
  let statistics: { basis: string; at: number; shop: ShopStatistics } | undefined;

  function compileOnce(offer: Offer): CompiledOffer {
    let known = compiled.get(offer);
    if (known === undefined) {
      known = compileOffer(offer, FEATURE_NAMES);
      compiled.set(offer, known);
    }
    return known;
  }

  function currentOffers(): readonly CompiledOffer[] {
    if (offers?.revision !== catalogue.revision)
      offers = { revision: catalogue.revision, list: [...catalogue.offers.values()].map(compileOnce) };
    return offers.list;
  }

  function currentShop(): ShopStatistics {
    const served = models.collaborative;
    const basis = `${catalogue.revision} ${served?.version ?? ''}`;
    const fresh =
      statistics !== undefined && (statistics.basis === basis || now() - statistics.at < statisticsMaxAgeMs);
    if (statistics === undefined || !fresh) {
      const popularity = served && popularityScores(served.model);
      const popularityOf = (itemId: string) => popularity?.[served?.model.itemIndex.get(itemId) ?? -1] ?? 0;
      statistics = {
        basis,
        at: now(),
        shop: shopStatistics(catalogue.items.values(), served && popularityOf),
      };
    }
    return statistics.shop;
  }

  const marketWith = (countsOf: OfferMarket['countsOf']): OfferMarket => ({
    offers: currentOffers(),
    items: catalogue.items,
    shop: currentShop(),
    countsOf,
  });
  return {
    read: async () => marketWith(await counter.read()),
    known: () => marketWith(counter.known()),
  };
}
