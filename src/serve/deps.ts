/** What handlers may reach, each typed by need: a test writes the ones that it uses. */

import type { ContactLedger } from '../decide/ledger/contact-ledger.ts';
import type { BudgetLedger } from '../decide/ledger/offer-budget.ts';
import type { MarketHolder } from '../decide/market.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import type { RecordStore } from '../features/record-store.ts';
import type { BatchQueue } from '../infra/batch-queue.ts';
import type { Catalogue } from '../infra/catalogue.ts';
import type { CatalogueStore } from '../infra/catalogue-store.ts';
import type { Config } from '../infra/config.ts';
import type { ErasureFiles } from '../infra/erasure-files.ts';
import type { JobQueue } from '../infra/job-queue.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import type { MetricsSource } from '../infra/process-metrics.ts';
import type { Redis } from '../infra/redis.ts';
import type { Tombstones } from '../infra/tombstones.ts';
import type { DeadLetters } from '../infra/webhook-queue.ts';
import type { Experiments } from '../offers/experiments.ts';
import type { Models } from '../scoring/served.ts';
import type { HeldData } from './customers/held-data.ts';
import type { ScoreReader } from './customers/score-reader.ts';
import type { PastDecisions } from './decide/past-decisions.ts';
import type { StandingAnswers } from './decide/standing-answers.ts';
import type { EvictionWatch } from './eviction-watch.ts';
import type { Insights } from './insights.ts';
import type { ServeMetrics } from './metrics.ts';
import type { ItemsText } from './recommend/page-text.ts';
import type { PreparedStore } from './recommend/prepared-store.ts';
import type { Recommender } from './recommend/recommender.ts';
import type { Scenarios } from './recommend/scenarios.ts';
import type { ShownPages } from './recommend/shown-pages.ts';
import type { StoreHealth } from './store-health.ts';

export type Deps = {
  config: Pick<
    Config,
    'currency' | 'dataDir' | 'modelsDir' | 'redisTimeoutMs' | 'streamMaxLength' | 'production'
  >;
  keys: Keys;
  /** Fail-fast: a command is answered, or rejected within `config.redisTimeoutMs`. */
  redis: Redis;
  store: Pick<StoreHealth, 'reachable'>;
  eviction: Pick<EvictionWatch, 'evicts'>;
  records: RecordStore;
  catalogue: Catalogue;
  catalogueStore: CatalogueStore;
  models: Models;
  /** The offers and what they compete by; made with `createMarketHolder`. */
  market: MarketHolder;
  budgets: BudgetLedger;
  contacts: ContactLedger;
  past: PastDecisions;
  /** What this process has answered of standing decisions. */
  standing: StandingAnswers;
  recommender: Recommender;
  itemsText: ItemsText;
  /** Pages of recommendations that are ready, beside the records. */
  prepared: PreparedStore;
  /** Those that this process has shown. */
  shown: ShownPages;
  scenarios: Scenarios;
  policy: DecisionPolicy;
  /** Of the policy. */
  experiments: Experiments;
  insights: Insights;
  scores: Pick<ScoreReader, 'page'>;
  jobs: JobQueue;
  batches: BatchQueue;
  deadLetters: DeadLetters;
  erasures: Pick<ErasureFiles, 'request' | 'status'>;
  tombstones: Pick<Tombstones, 'erasedAt' | 'placeOf' | 'knewEvents' | 'bury'>;
  held: HeldData;
  metrics: ServeMetrics;
  /** What `/metrics` answers. */
  metricsSource: MetricsSource;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
};
