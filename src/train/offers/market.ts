/** The offers of the lake and what they compete by, for policies that are tried on logged decisions. */

import type { CurrentPolicy } from '../../decide/policy.ts';
import type { Item } from '../../domain/item.ts';
import { Offer } from '../../domain/offer.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { latestItems, latestOffers } from '../../history/catalogue.ts';
import { type Lake, queryChunks } from '../../history/lake.ts';
import type { OfferCounts } from '../../offers/accept-propensity.ts';
import { compileContactPolicy } from '../../offers/contact-policy.ts';
import { contentVersion } from '../../offers/content-version.ts';
import { economicsOf } from '../../offers/cost.ts';
import { compileOffer } from '../../offers/eligibility.ts';
import { compileExperiments } from '../../offers/experiments.ts';
import type { OfferMarket } from '../../offers/offer-market.ts';
import { offerSubject } from '../../offers/offer-subject.ts';
import { shopStatistics } from '../../offers/shop-statistics.ts';

export type ShopOffers = {
  items: ReadonlyMap<string, Item>;
  /** As they are now; those that have been deleted are not among them. */
  current: readonly Offer[];
  /** All that ever were, by version, and the last of each id. */
  versions: ReadonlyMap<string, Offer>;
  latest: ReadonlyMap<string, Offer>;
};

export async function readShopOffers(lake: Lake): Promise<ShopOffers> {
  const items = new Map<string, Item>();
  for await (const changes of latestItems(lake))
    for (const change of changes) if (change.kind === 'item') items.set(change.item.itemId, change.item);
  const current: Offer[] = [];
  for await (const changes of latestOffers(lake))
    for (const change of changes) if (change.kind === 'offer') current.push(change.offer);
  const versions = new Map<string, Offer>();
  const latest = new Map<string, Offer>();
  const query = `SELECT json FROM ${lake.from('offers')} WHERE json IS NOT NULL
     GROUP BY json ORDER BY max("updatedAt"), json`;
  for await (const chunk of queryChunks(lake.connection, query))
    for (const [json] of chunk.getRows() as [string][]) {
      const offer = Offer.safeParse(JSON.parse(json)).data;
      if (offer === undefined) continue;
      versions.set(contentVersion(offer), offer);
      latest.set(offer.offerId, offer);
    }
  return { items, current, versions, latest };
}

/** Median value of an order, minor units; 0 where no sale names a price. */
export async function usualOrderOf(lake: Lake, before: number): Promise<number> {
  const found = await lake.connection.runAndReadAll(
    `SELECT median(value)::DOUBLE FROM (
       SELECT sum(quantity * "unitPriceMinor" - coalesce("discountMinor", 0)) AS value FROM ${lake.from('events')}
       WHERE type = 'purchase' AND "unitPriceMinor" > 0 AND "occurredAt" < make_timestamp(${Math.floor(before)} * 1000)
       GROUP BY "customerId", "sessionId", "eventId")`,
  );
  return (found.getRows()[0]?.[0] as number | null) ?? 0;
}

/**
 * A market in which the best offer is made, or nothing: nothing is explored, there is no control group and no experiment.
 * Without the popularity that the service weighs categories by.
 */
export function replayedMarket(
  { items, current }: ShopOffers,
  { policy, version }: CurrentPolicy,
  currency: string,
  countsOf: (offerId: string) => OfferCounts,
): OfferMarket {
  const shop = shopStatistics(items.values());
  const subjects = new Map(current.map((offer) => [offer, offerSubject(offer, items, shop)]));
  return {
    offers: current.map((offer) => compileOffer(offer, FEATURE_NAMES)),
    // Nothing is logged.
    // Budgets are as they are today, and say nothing of then.
    budgetReason: () => undefined,
    items,
    shop,
    subjectOf: (offer) => subjects.get(offer) ?? offerSubject(offer, items, shop),
    countsOf,
    affordExploring: () => false,
    economics: economicsOf(policy, currency),
    policy,
    policyVersion: version,
    contactPolicy: compileContactPolicy(policy.contact),
    experiments: compileExperiments({ ...policy, controlGroupShare: 0, experiments: [] }),
    currency,
  };
}
