/** The service as a whole: opens what it needs, serves, closes. Redis may be away at the start and at any time after it. */
import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { loadDecisionPolicy } from '../decide/policy.ts';
import type { Config } from '../infra/config.ts';
import { createKeys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import { createMetrics } from '../infra/metrics.ts';
import { serveMetrics } from '../infra/metrics-server.ts';
import type { MetricsSource } from '../infra/process-metrics.ts';
import type { Closer } from '../infra/shutdown.ts';
import type { Admit } from './admission/admit.ts';
import { createLoadGate } from './admission/load-gate.ts';
import { openAdmission } from './admission/open-admission.ts';
import type { Deps } from './deps.ts';
import { refuseUnknownScenarios } from './experiments.ts';
import { createApp } from './http/app.ts';
import { createCors } from './http/cors.ts';
import { createBusyLane, createHotLane } from './http/hot-lane.ts';
import { listen, patience } from './http/listen.ts';
import { shedLoad } from './http/shed-load.ts';
import { createServeMetrics } from './metrics.ts';
import { observeBudgets, observeCatalogue, observeModels, observePolicy } from './observed-metrics.ts';
import { openDeps } from './open-deps.ts';
import { loadScenarios } from './recommend/scenarios.ts';
import { ROUTES } from './routes.ts';

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

/**
 * Throws UsageError where the address cannot be had, Redis evicts keys, there is no API key, or SCENARIOS_FILE or
 * DECISION_POLICY_FILE is wrong.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, redisPlace, log, now = Date.now, random = Math.random } = options;
  const scenarios = loadScenarios(config.scenariosFile);
  const decisionPolicy = loadDecisionPolicy(config.decisionPolicyFile);
  refuseUnknownScenarios(decisionPolicy.policy, scenarios, config.decisionPolicyFile);
  const { registry } = createMetrics();
  const metrics = createServeMetrics(registry);
  const keys = createKeys(config.keyPrefix);
  const closers: Closer[] = [];
  const onOpened = (close: Closer) => void closers.push(close);
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const admission = await openAdmission({ config, redisUrl: redisPlace.url, keys, metrics, now, log });
    onOpened(admission.close);
    const { deps, policyBeat } = await openDeps({
      config,
      redisPlace,
      keys,
      scenarios,
      decisionPolicy,
      modelPollMs: options.modelPollMs,
      metrics,
      metricsSource: options.metricsSource?.(registry) ?? registry,
      log,
      now,
      random,
      onOpened,
    });
    observeBudgets(registry, deps.market);
    observeModels(registry, deps.models, now);
    observeCatalogue(registry, deps.catalogue);
    observePolicy(registry, decisionPolicy.version, policyBeat);
    const metricsUrl = await openMetricsPort(registry, options, onOpened);
    const url = await openDoor(admission.admit, deps, options, onOpened);
    return { url, metricsUrl, close: closeAll };
  } catch (err) {
    await closeAll();
    throw err;
  }
}

type OnOpened = (close: Closer) => void;

/** Where metrics are asked for beside the service; undefined: nowhere. */
async function openMetricsPort(
  registry: Registry,
  { config, log }: ServiceOptions,
  onOpened: OnOpened,
): Promise<string | undefined> {
  if (config.metricsPort === undefined) return undefined;
  const address = { host: config.host, port: config.metricsPort, setting: 'METRICS_PORT' };
  const server = await serveMetrics(registry, () => true, address, log);
  onOpened(server.close);
  return server.url;
}

/** Listens to the callers who are admitted, as many at once as can be answered in time. Answers the address. */
async function openDoor(
  admit: Admit,
  deps: Deps,
  { config, hotLane, drainGraceMs }: ServiceOptions,
  onOpened: OnOpened,
): Promise<string> {
  const { metrics, log, now } = deps;
  const door = { admit, setCors: createCors(config.corsOrigins) };
  const app = createApp(ROUTES, door, deps);
  const listener = hotLane === false ? app : createHotLane(ROUTES, door, deps, app);
  const gate = createLoadGate(config, {
    inFlight: metrics.requestsInFlight,
    reading: metrics.requestsReading,
    atLake: metrics.requestsAtLake,
  });
  onOpened(gate.stop);
  const answerBusy = (refuse: RequestListener) => createBusyLane(ROUTES, door, deps, refuse);
  const shedding = shedLoad({ gate, setCors: door.setCors, metrics, log, now, answerBusy }, listener);
  const listening = await listen(shedding, config, {
    onDropped: () => metrics.droppedConnections.inc(),
    ...(drainGraceMs !== undefined && { times: { ...patience, graceMs: drainGraceMs } }),
  });
  onOpened(listening.close);
  return listening.url;
}
