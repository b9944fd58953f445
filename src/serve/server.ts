/** The service as a whole: opens what it needs, serves, closes. Redis may be away at the start and at any time after it. */
import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { createContactLedger } from '../decide/ledger/contact-ledger.ts';
import { createBudgetLedger } from '../decide/ledger/offer-budget.ts';
import { createMarketHolder } from '../decide/market.ts';
import { loadDecisionPolicy } from '../decide/policy.ts';
import { createPolicyWatch, policyBeatMs } from '../decide/policy-watch.ts';
import { loadTrialModels, withTrialModels } from '../decide/trial-models.ts';
import { createRecordStore } from '../features/record-store.ts';
import { FEATURE_SCHEMA } from '../features/registry.ts';
import { createBatchQueue } from '../infra/batch-queue.ts';
import type { Catalogue } from '../infra/catalogue.ts';
import { createCatalogue } from '../infra/catalogue.ts';
import { createCatalogueStore } from '../infra/catalogue-store.ts';
import type { Config } from '../infra/config.ts';
import { openErasureFiles } from '../infra/erasure-files.ts';
import { createJobQueue } from '../infra/job-queue.ts';
import { createKeys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import { createMetrics } from '../infra/metrics.ts';
import { serveMetrics } from '../infra/metrics-server.ts';
import { keepPolicy } from '../infra/policy-files.ts';
import type { MetricsSource } from '../infra/process-metrics.ts';
import { connectRedis, refuseEvictingServer, untilReady } from '../infra/redis.ts';
import { createTombstones } from '../infra/tombstones.ts';
import { askDeadLetters } from '../infra/webhook-queue.ts';
import { compileExperiments } from '../offers/experiments.ts';
import { createLoadGate } from './admission/load-gate.ts';
import { openAdmission } from './admission/open-admission.ts';
import { createHeldData } from './customers/held-data.ts';
import { createScoreReader } from './customers/score-reader.ts';
import { createPastDecisions } from './decide/past-decisions.ts';
import { createStandingAnswers } from './decide/standing-answers.ts';
import type { Deps } from './deps.ts';
import { watchEviction } from './eviction-watch.ts';
import { refuseUnknownScenarios } from './experiments.ts';
import { createApp } from './http/app.ts';
import { createCors } from './http/cors.ts';
import { createBusyLane, createHotLane } from './http/hot-lane.ts';
import { listen, patience } from './http/listen.ts';
import { shedLoad } from './http/shed-load.ts';
import { createInsights } from './insights.ts';
import { measureRedis } from './measure-redis.ts';
import {
  createServeMetrics,
  observeBudgets,
  observeCatalogue,
  observeModels,
  observePolicy,
} from './metrics.ts';
import { createModelHolder } from './model-holder.ts';
import { createNewItems } from './recommend/new-items.ts';
import { createItemsText } from './recommend/page-text.ts';
import { createPreparedStore } from './recommend/prepared-store.ts';
import { createRecommender } from './recommend/recommender.ts';
import { loadScenarios, type Scenarios } from './recommend/scenarios.ts';
import { createShownPages } from './recommend/shown-pages.ts';
import { unmatchedRules } from './recommend/unmatched-rules.ts';
import { ROUTES } from './routes.ts';
import { watchStore } from './store-health.ts';

export type Service = { url: string; metricsUrl: string | undefined; close: () => Promise<void> };

export type ServiceOptions = {
  config: Config;
  /** Where Redis is; it need not be there yet. */
  redisPlace: { url: string; queueUrl: string };
  log: Logger;
  now?: () => number;
  random?: () => number;
  /** How long idle connections are kept at the end; by default a second. */
  drainGraceMs?: number;
  /** How often a new model is looked for. */
  modelPollMs?: number;
  /** What `/metrics` answers where it is not this process alone. */
  metricsSource?: (registry: Registry) => MetricsSource;
  /** false: Express answers everything. */
  hotLane?: boolean;
};

/** The first requests should find the store and the catalogue; where they are away, the service starts without. */
const startPatienceMs = 2000;

/** Throws UsageError where the address cannot be had, Redis evicts keys, there is no API key, or SCENARIOS_FILE or DECISION_POLICY_FILE is wrong. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, redisPlace, log, now = Date.now, random = Math.random } = options;
  const scenarios = loadScenarios(config.scenariosFile);
  const decisionPolicy = loadDecisionPolicy(config.decisionPolicyFile);
  refuseUnknownScenarios(decisionPolicy.policy, scenarios, config.decisionPolicyFile);
  const { registry } = createMetrics();
  const metrics = createServeMetrics(registry);
  const keys = createKeys(config.keyPrefix);
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const admission = await openAdmission({ config, redisUrl: redisPlace.url, keys, metrics, now, log });
    closers.push(admission.close);
    const redis = connectRedis(
      redisPlace.url,
      'serve',
      { kind: 'failFast', timeoutMs: config.redisTimeoutMs },
      log,
    );
    closers.push(() => redis.disconnect());
    measureRedis(redis, metrics.redisDuration);
    const store = watchStore(redis);
    closers.push(store.stop);
    const patient = (name: string) => connectRedis(redisPlace.url, name, { kind: 'patient' }, log);
    const catalogue = createCatalogue({
      reader: patient('serve-catalogue'),
      blocking: patient('serve-changes'),
      keys,
      log,
    });
    closers.push(catalogue.stop);
    const models = createModelHolder({
      modelsDir: config.modelsDir,
      featureSchema: FEATURE_SCHEMA,
      metrics,
      log,
      ...(options.modelPollMs !== undefined && { pollIntervalMs: options.modelPollMs }),
    });
    closers.push(models.stop);
    const jobs = createJobQueue(redisPlace.queueUrl, keys, log);
    closers.push(jobs.close);
    const batches = createBatchQueue(redisPlace.queueUrl, keys, config.dataDir, log);
    closers.push(batches.close);
    const deadLetters = askDeadLetters(redisPlace.queueUrl, keys, log);
    closers.push(deadLetters.close);

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
    closers.push(eviction.stop);
    await keepPolicy(config.dataDir, decisionPolicy, now());
    const trials = await loadTrialModels(
      config.modelsDir,
      decisionPolicy.policy,
      config.decisionPolicyFile,
      now(),
    );
    const newItems = createNewItems(models, catalogue);
    closers.push(newItems.stop);
    await newItems.start();

    const erasures = await openErasureFiles(config.dataDir);
    const scores = createScoreReader(config.dataDir, metrics.requestsAtLake);
    closers.push(scores.close);
    const insights = createInsights(config.dataDir, decisionPolicy.policy, now, metrics.insightsDuration);
    closers.push(insights.close);
    const past = createPastDecisions(config.dataDir, now, metrics.requestsAtLake);
    closers.push(past.close);
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
    const policyWatch = createPolicyWatch(decisionPolicy.version, {
      redis,
      keys,
      now,
      onOther: (other) =>
        log.warn(
          { event: 'policy.differs', own: decisionPolicy.version, other },
          'another process decides by another decision policy: restart those that read the file before it was changed',
        ),
    });
    const beat = () =>
      policyWatch
        .beat()
        .catch((err: unknown) => log.warn({ event: 'policy.unsaid', err }, 'no word of policies'));
    await within(startPatienceMs, beat());
    const beating = setInterval(() => void beat(), policyBeatMs).unref();
    closers.push(() => clearInterval(beating));
    const records = createRecordStore(redis, keys, {
      bringBack: true,
      onUnreadable: (reason) => {
        metrics.unreadableRecords.inc();
        log.warn({ event: 'record.unreadable', reason }, 'a record could not be read and counts as absent');
      },
    });
    const held = createHeldData({
      dataDir: config.dataDir,
      redis,
      queueUrl: redisPlace.queueUrl,
      keys,
      records,
      contacts,
      log,
    });
    closers.push(held.close);
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
      past,
      standing: createStandingAnswers(catalogue, now),
      recommender: createRecommender(models, catalogue, newItems),
      itemsText: createItemsText(catalogue),
      prepared: createPreparedStore(redis, keys, records, models),
      shown: createShownPages(models, newItems, catalogue),
      scenarios,
      policy: decisionPolicy.policy,
      experiments: compileExperiments(decisionPolicy.policy),
      insights,
      scores,
      jobs,
      batches,
      deadLetters,
      erasures,
      tombstones: createTombstones(redis, keys, erasures),
      held,
      metrics,
      metricsSource: options.metricsSource?.(registry) ?? registry,
      log,
      now,
      random,
    };
    observe(registry, deps);
    observePolicy(registry, decisionPolicy.version, policyWatch);
    let metricsUrl: string | undefined;
    if (config.metricsPort !== undefined) {
      const address = { host: config.host, port: config.metricsPort, setting: 'METRICS_PORT' };
      const server = await serveMetrics(registry, () => true, address, log);
      closers.push(server.close);
      metricsUrl = server.url;
    }
    const door = { admit: admission.admit, setCors: createCors(config.corsOrigins) };
    const app = createApp(ROUTES, door, deps);
    const listener = options.hotLane === false ? app : createHotLane(ROUTES, door, deps, app);
    const gate = createLoadGate(config, {
      inFlight: metrics.requestsInFlight,
      reading: metrics.requestsReading,
      atLake: metrics.requestsAtLake,
    });
    closers.push(gate.stop);
    const answerBusy = (refuse: RequestListener) => createBusyLane(ROUTES, door, deps, refuse);
    const shedding = shedLoad({ gate, setCors: door.setCors, metrics, log, now, answerBusy }, listener);
    const listening = await listen(shedding, config, {
      onDropped: () => metrics.droppedConnections.inc(),
      ...(options.drainGraceMs !== undefined && { times: { ...patience, graceMs: options.drainGraceMs } }),
    });
    closers.push(listening.close);
    return { url: listening.url, metricsUrl, close: closeAll };
  } catch (err) {
    await closeAll();
    throw err;
  }
}

function observe(registry: Registry, { models, catalogue, market, now }: Deps): void {
  observeBudgets(registry, market);
  observeModels(registry, models, now);
  observeCatalogue(registry, catalogue);
}

const namesTold = 20;

function warnOfUnmatched(scenarios: Scenarios, catalogue: Catalogue, log: Logger): void {
  for (const { scenario, rule, names } of unmatchedRules(scenarios, catalogue.items))
    log.warn(
      {
        event: 'scenario.unmatched',
        scenario,
        rule,
        names: names.slice(0, namesTold),
        unmatched: names.length,
      },
      `${rule} of the scenario "${scenario}" name what no item of the catalogue has; as long as that is so, they do nothing`,
    );
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
