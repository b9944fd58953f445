/** Every metric that the service and the worker export, as their processes register them, without anything to measure. */
import type { Registry } from 'prom-client';
import { createMetrics } from '../../src/infra/metrics.ts';
import { createServeMetrics } from '../../src/serve/metrics.ts';
import {
  observeBudgets,
  observeCatalogue,
  observeModels,
  observePolicy,
} from '../../src/serve/observed-metrics.ts';
import {
  createWorkerMetrics,
  observeDamage,
  observeDrift,
  observeErasures,
  observeOverNothing,
  observeQueueAndStream,
  observeScores,
  observeWebhooks,
} from '../../src/train/metrics.ts';

export function serveRegistry(): Registry {
  const { registry } = createMetrics();
  createServeMetrics(registry);
  const models = { collaborative: undefined, churn: undefined, customerValue: undefined, offers: undefined };
  observeModels(registry, models, () => 0);
  observeBudgets(registry, {
    budgetCounts: () => ({ open: 0, paced: 0, exhausted: 0 }),
    greatestBurnRate: () => undefined,
  });
  observePolicy(registry, '0', { inForce: () => ['0'] });
  observeCatalogue(registry, { loaded: true, items: new Map() });
  return registry;
}

export function workerRegistry(): Registry {
  const { registry } = createMetrics();
  createWorkerMetrics(registry);
  const never = () => Promise.reject(new Error('not asked'));
  observeQueueAndStream(registry, { counts: never, batchCounts: never, streamLag: never });
  observeScores(registry, never, () => 0);
  observeWebhooks(registry, undefined);
  observeDrift(registry, never);
  observeOverNothing(registry, never);
  observeDamage(registry, never);
  observeErasures(registry, never, () => 0);
  return registry;
}

export type ExportedMetric = { name: string; type: string; labelNames: string[] };

export function exportedMetrics(registry: Registry): ExportedMetric[] {
  return registry.getMetricsAsArray() as unknown as ExportedMetric[];
}
