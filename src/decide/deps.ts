/** What deciding may reach, whichever process decides: the service for one customer, the worker for a campaign's list. */
import type { RecordStore } from '../features/record-store.ts';
import type { Catalogue } from '../infra/catalogue.ts';
import type { CatalogueStore } from '../infra/catalogue-store.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import type { Models } from '../scoring/served.ts';
import type { ContactLedger } from './ledger/contact-ledger.ts';
import type { BudgetLedger } from './ledger/offer-budget.ts';
import type { MarketHolder } from './market.ts';

export type DecidingDeps = {
  redis: Redis;
  keys: Keys;
  /** Entries that the event stream may hold. */
  config: { streamMaxLength: number };
  records: RecordStore;
  catalogue: Catalogue;
  catalogueStore: CatalogueStore;
  models: Models;
  /** The offers and what they compete by; made with `createMarketHolder`. */
  market: MarketHolder;
  /** What offers may cost, and what customers were offered of late. */
  budgets: BudgetLedger;
  contacts: ContactLedger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
};
