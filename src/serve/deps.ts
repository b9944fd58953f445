/** What handlers may reach, each typed by need: a test writes the ones that it uses. */

import type { Registry } from 'prom-client';
import type { ChurnModel } from '../algorithms/churn-model.ts';
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import type { CustomerValueModel } from '../algorithms/customer-value/customer-value-model.ts';
import type { Item } from '../domain/item.ts';
import type { ModelManifest } from '../domain/manifest.ts';
import type { Offer } from '../domain/offer.ts';
import type { RecordStore } from '../features/record-store.ts';
import type { CatalogueStore } from '../infra/catalogue-store.ts';
import type { Config } from '../infra/config.ts';
import type { JobQueue } from '../infra/job-queue.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import type { Redis } from '../infra/redis.ts';
import type { DeadLetters } from '../infra/webhook-queue.ts';
import type { ScoreReader } from './customers/score-reader.ts';
import type { MarketHolder } from './decide/market.ts';
import type { Insights } from './insights.ts';
import type { ServeMetrics } from './metrics.ts';
import type { Recommender } from './recommend/recommender.ts';
import type { Scenarios } from './recommend/scenarios.ts';
import type { StoreHealth } from './store-health.ts';

export type Served<M> = { version: string; manifest: ModelManifest; model: M };

/** The models in memory. Read a field once per request: it is replaced by one assignment when a new one is published. */
export type Models = {
  readonly collaborative: Served<CollaborativeModel> | undefined;
  readonly churn: Served<ChurnModel> | undefined;
  readonly customerValue: Served<CustomerValueModel> | undefined;
};

/** This process's copy of the catalogue and the offers. */
export type Catalogue = {
  /** false: it could not be read from Redis since this process started. */
  readonly loaded: boolean;
  /** By item id. */
  readonly items: ReadonlyMap<string, Item>;
  /** By offer id. */
  readonly offers: ReadonlyMap<string, Offer>;
  /** Rises with every change. */
  readonly revision: number;
};

export type Deps = {
  config: Pick<Config, 'currency' | 'modelsDir' | 'redisTimeoutMs' | 'streamMaxLength' | 'production'>;
  keys: Keys;
  /** Fail-fast: a command is answered, or rejected within `config.redisTimeoutMs`. */
  redis: Redis;
  store: Pick<StoreHealth, 'reachable'>;
  records: RecordStore;
  catalogue: Catalogue;
  catalogueStore: CatalogueStore;
  models: Models;
  /** The offers and what they compete by; made with `createMarketHolder`. */
  market: MarketHolder;
  recommender: Recommender;
  scenarios: Scenarios;
  insights: Insights;
  scores: Pick<ScoreReader, 'page'>;
  jobs: JobQueue;
  deadLetters: DeadLetters;
  metrics: ServeMetrics;
  registry: Registry;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
};
