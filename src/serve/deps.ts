/** What handlers may reach, each typed by need: a test writes the ones that it uses. */

import type { DecidingDeps } from '../decide/deps.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import type { BatchQueue } from '../infra/batch-queue.ts';
import type { Config } from '../infra/config.ts';
import type { ErasureFiles } from '../infra/erasure-files.ts';
import type { JobQueue } from '../infra/job-queue.ts';
import type { Logger } from '../infra/logger.ts';
import type { MetricsSource } from '../infra/process-metrics.ts';
import type { Tombstones } from '../infra/tombstones.ts';
import type { DeadLetters } from '../infra/webhook-queue.ts';
import type { Experiments } from '../offers/experiments.ts';
import type { HeldData } from './customers/held-data.ts';
import type { ScoreReader } from './customers/score-reader.ts';
import type { PastDecisions } from './decide/past-decisions.ts';
import type { StandingAnswers } from './decide/standing-answers.ts';
import type { EvictionWatch } from './eviction-watch.ts';
import type { Insights } from './insights.ts';
import type { ServeMetrics } from './metrics.ts';
import type { PagesByModel } from './recommend/open-pages.ts';
import type { ItemsText } from './recommend/page-text.ts';
import type { Scenarios } from './recommend/scenarios.ts';
import type { StoreHealth } from './store-health.ts';

/** Fail-fast, the Redis of deciding: a command is answered, or rejected within `config.redisTimeoutMs`. */
export type Deps = DecidingDeps & {
  config: Pick<
    Config,
    'currency' | 'dataDir' | 'modelsDir' | 'redisTimeoutMs' | 'streamMaxLength' | 'production'
  >;
  store: Pick<StoreHealth, 'reachable'>;
  eviction: Pick<EvictionWatch, 'evicts'>;
  past: PastDecisions;
  /** What this process has answered of standing decisions. */
  standing: StandingAnswers;
  pages: PagesByModel;
  itemsText: ItemsText;
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
};
