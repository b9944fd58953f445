/**
 * What handlers may reach, opened for as long as the service runs: first what lives elsewhere, for which the start waits a moment;
 * then what answers from it.
 */
import { createContactLedger } from '../decide/ledger/contact-ledger.ts';
import { createBudgetLedger } from '../decide/ledger/offer-budget.ts';
import { createMarketHolder } from '../decide/market.ts';
import type { CurrentPolicy } from '../decide/policy.ts';
import { loadTrialModels, withTrialModels } from '../decide/trial-models.ts';
import { createRecordStore } from '../features/record-store.ts';
import { FEATURE_SCHEMA } from '../features/registry.ts';
import { createBatchQueue } from '../infra/batch-queue.ts';
import { createCatalogue } from '../infra/catalogue.ts';
import { createCatalogueStore } from '../infra/catalogue-store.ts';
import type { Config } from '../infra/config.ts';
import { openErasureFiles } from '../infra/erasure-files.ts';
import { createJobQueue } from '../infra/job-queue.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import { keepPolicy } from '../infra/policy-files.ts';
import type { MetricsSource } from '../infra/process-metrics.ts';
import { connectRedis, refuseEvictingServer, untilReady } from '../infra/redis.ts';
import type { Closer } from '../infra/shutdown.ts';
import { createTombstones } from '../infra/tombstones.ts';
import { askDeadLetters } from '../infra/webhook-queue.ts';
import { compileExperiments } from '../offers/experiments.ts';
import { createHeldData } from './customers/held-data.ts';
import { createScoreReader } from './customers/score-reader.ts';
import { createPastDecisions } from './decide/past-decisions.ts';
import { createStandingAnswers } from './decide/standing-answers.ts';
import type { Deps } from './deps.ts';
import { watchEviction } from './eviction-watch.ts';
import { createInsights } from './insights.ts';
import { measureRedis } from './measure-redis.ts';
import type { ServeMetrics } from './metrics.ts';
import { createModelHolder } from './model-holder.ts';
import { createPolicyBeat, type PolicyBeat } from './policy-beat.ts';
import { openPagesByModel } from './recommend/open-pages.ts';
import { createItemsText } from './recommend/page-text.ts';
import type { Scenarios } from './recommend/scenarios.ts';
import { servableCollaborative } from './servable-collaborative.ts';
import { watchStore } from './store-health.ts';
import { warnOfUnmatched } from './warn-of-unmatched.ts';

export type DepsOptions = {
  config: Config;
  /** Where Redis is; it need not be there yet. */
  redisPlace: { url: string; queueUrl: string };
  keys: Keys;
  scenarios: Scenarios;
  decisionPolicy: CurrentPolicy;
  /** How often a new model is looked for; by default as `createModelHolder` does. */
  modelPollMs: number | undefined;
  metrics: ServeMetrics;
  /** What `/metrics` answers. */
  metricsSource: MetricsSource;
  log: Logger;
  now: () => number;
  random: () => number;
  /** Told at once of whatever has been opened: what was opened last is to be closed first. */
  onOpened: (close: Closer) => void;
};

/** The first requests should find the store and the catalogue; where they are away, the service starts without. */
const startPatienceMs = 2000;
/** Beyond, what is left to explore with is lost. */
const endExploringMs = 1000;

/** Throws UsageError where Redis evicts keys, or the policy's experiments name models that cannot be had. */
export async function openDeps(options: DepsOptions): Promise<{ deps: Deps; policyBeat: PolicyBeat }> {
  const { config, redisPlace, keys, scenarios, decisionPolicy, metrics, log, now, random, onOpened } =
    options;
  const { policy } = decisionPolicy;

  const { redis, store } = connectStore(options);
  const catalogue = connectCatalogue(options);
  const models = holdModels(options);
  const queues = connectQueues(options);
  await Promise.all([
    models.start(),
    untilReady(redis, startPatienceMs).then(
      () => refuseEvictingServer(redis, 'records'),
      () =>
        log.warn(
          { event: 'start.without-redis' },
          'starting without Redis: answers are degraded until it is back',
        ),
    ),
    within(
      startPatienceMs,
      catalogue.start().then(() => warnOfUnmatched(scenarios, catalogue, log)),
    ),
  ]);

  const eviction = watchEviction(redis, log);
  onOpened(eviction.stop);
  await keepPolicy(config.dataDir, decisionPolicy, now());
  const records = createRecordStore(redis, keys, {
    bringBack: true,
    onUnreadable: (reason) => {
      metrics.unreadableRecords.inc();
      log.warn({ event: 'record.unreadable', reason }, 'a record could not be read and counts as absent');
    },
  });
  const { collaborative, ...trials } = await loadTrialModels(
    config.modelsDir,
    policy,
    config.decisionPolicyFile,
    now(),
    (loaded) => servableCollaborative(loaded, log),
  );
  const pages = await openPagesByModel(models, collaborative, { redis, keys, records, catalogue, onOpened });

  const erasures = await openErasureFiles(config.dataDir);
  const lakeReaders = openLakeReaders(options);
  const contacts = createContactLedger(redis, keys);
  const market = createMarketHolder({
    redis,
    keys,
    catalogue,
    models,
    policy: decisionPolicy,
    currency: config.currency,
    onReservation: (outcome) => metrics.reservations.inc({ outcome }),
    onExplored: (costMinor) => metrics.explorationCost.inc(costMinor),
    now,
  });
  onOpened(() => within(endExploringMs, market.endExploring()));
  const policyBeat = createPolicyBeat(decisionPolicy.version, { redis, keys, log, now });
  await within(startPatienceMs, policyBeat.beat());
  onOpened(policyBeat.start());
  const { dataDir } = config;
  const held = createHeldData({
    dataDir,
    redis,
    queueUrl: redisPlace.queueUrl,
    keys,
    records,
    contacts,
    log,
  });
  onOpened(held.close);

  const deps: Deps = {
    config,
    keys,
    redis,
    store,
    eviction,
    records,
    catalogue,
    catalogueStore: createCatalogueStore(redis, keys, config),
    models: withTrialModels(models, trials),
    market,
    budgets: createBudgetLedger(redis, keys),
    contacts,
    ...lakeReaders,
    standing: createStandingAnswers(catalogue, now),
    pages,
    itemsText: createItemsText(catalogue),
    scenarios,
    policy,
    experiments: compileExperiments(policy),
    ...queues,
    erasures,
    tombstones: createTombstones(redis, keys, erasures),
    held,
    metrics,
    metricsSource: options.metricsSource,
    log,
    now,
    random,
  };
  return { deps, policyBeat };
}

/** The Redis of records, and whether it can be reached. */
function connectStore({ config, redisPlace, metrics, log, onOpened }: DepsOptions) {
  const redis = connectRedis(
    redisPlace.url,
    'serve',
    { kind: 'failFast', timeoutMs: config.redisTimeoutMs },
    log,
  );
  onOpened(() => redis.disconnect());
  measureRedis(redis, metrics.redisDuration);
  const store = watchStore(redis);
  onOpened(store.stop);
  return { redis, store };
}

/** On connections of its own, which outlast an absence of Redis. */
function connectCatalogue({ redisPlace, keys, log, onOpened }: DepsOptions) {
  const patient = (name: string) => connectRedis(redisPlace.url, name, { kind: 'patient' }, log);
  const catalogue = createCatalogue({
    reader: patient('serve-catalogue'),
    blocking: patient('serve-changes'),
    keys,
    log,
  });
  onOpened(catalogue.stop);
  return catalogue;
}

function holdModels({ config, modelPollMs, metrics, log, onOpened }: DepsOptions) {
  const models = createModelHolder({
    modelsDir: config.modelsDir,
    featureSchema: FEATURE_SCHEMA,
    metrics,
    log,
    ...(modelPollMs !== undefined && { pollIntervalMs: modelPollMs }),
  });
  onOpened(models.stop);
  return models;
}

function connectQueues({ config, redisPlace: { queueUrl }, keys, log, onOpened }: DepsOptions) {
  const jobs = createJobQueue(queueUrl, keys, log);
  onOpened(jobs.close);
  const batches = createBatchQueue(queueUrl, keys, config.dataDir, log);
  onOpened(batches.close);
  const deadLetters = askDeadLetters(queueUrl, keys, log);
  onOpened(deadLetters.close);
  return { jobs, batches, deadLetters };
}

/** What is answered from files of the data folder, in milliseconds to seconds: how many wait for it is counted. */
function openLakeReaders({ config: { dataDir }, decisionPolicy, metrics, now, onOpened }: DepsOptions) {
  const scores = createScoreReader(dataDir, metrics.requestsAtLake);
  onOpened(scores.close);
  const insights = createInsights(dataDir, decisionPolicy.policy, now, metrics.insightsDuration);
  onOpened(insights.close);
  const past = createPastDecisions(dataDir, now, metrics.requestsAtLake);
  onOpened(past.close);
  return { scores, insights, past };
}

/** Waits for it, but not longer; it goes on by itself. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}
