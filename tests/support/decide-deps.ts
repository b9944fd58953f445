/** What decisions need, over the test run's Redis: a shop of some items and offers, without a server around it. */

import { createContactLedger } from '../../src/decide/ledger/contact-ledger.ts';
import { createBudgetLedger } from '../../src/decide/ledger/offer-budget.ts';
import { createMarketHolder } from '../../src/decide/market.ts';
import { currentPolicy } from '../../src/decide/policy.ts';
import type { StandingDeps } from '../../src/decide/standing-decision.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import type { Item } from '../../src/domain/item.ts';
import type { Offer } from '../../src/domain/offer.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { createCatalogueStore } from '../../src/infra/catalogue-store.ts';
import type { Keys } from '../../src/infra/keys.ts';
import type { Redis } from '../../src/infra/redis.ts';
import type { Models } from '../../src/scoring/served.ts';

/** The best is made, several discounts if need be: other tests are for what is drawn and for the contact policy. */
const defaultPolicy = DecisionPolicy.parse({
  exploration: { method: 'none' },
  contact: { oneDiscountAtATime: false },
  // What annoyance costs by e-mail is of hardly any account.
  economics: { lifetimeValueWeight: 0.02 },
});

export type Shop = {
  offers: readonly Offer[];
  items?: readonly Item[];
  models?: Models;
  now: () => number;
  streamMaxLength?: number;
  policy?: DecisionPolicy;
  random?: () => number;
};

/** As one process has them: its own copy of the catalogue, its own counters. */
export function decideDeps(redis: Redis, keys: Keys, shop: Shop) {
  const catalogue = {
    loaded: true,
    items: new Map((shop.items ?? []).map((item) => [item.itemId as string, item])),
    offers: new Map(shop.offers.map((offer) => [offer.offerId as string, offer])),
    revision: 1,
  };
  const models = shop.models ?? {
    collaborative: undefined,
    churn: undefined,
    customerValue: undefined,
    offers: undefined,
  };
  const { now } = shop;
  return {
    config: { streamMaxLength: shop.streamMaxLength ?? 1_000_000 },
    redis,
    keys,
    catalogue,
    models,
    now,
    random: shop.random ?? (() => 0),
    budgets: createBudgetLedger(redis, keys),
    contacts: createContactLedger(redis, keys),
    records: createRecordStore(redis, keys),
    catalogueStore: createCatalogueStore(redis, keys),
    market: createMarketHolder({
      redis,
      keys,
      catalogue,
      models,
      policy: currentPolicy(shop.policy ?? defaultPolicy),
      currency: 'EUR',
      now,
    }),
  } satisfies StandingDeps;
}
