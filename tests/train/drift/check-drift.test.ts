/** A churn model trained on a simulated shop, checked as it was, and after the shop has changed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobName } from '../../../src/domain/job.ts';
import { FEATURE_NAMES } from '../../../src/features/registry.ts';
import { type Lake, openLake, writePart } from '../../../src/history/lake.ts';
import { readConfig } from '../../../src/infra/config.ts';
import { createMetrics } from '../../../src/infra/metrics.ts';
import { trainChurn } from '../../../src/train/churn/train-churn.ts';
import { checkDriftJob } from '../../../src/train/drift/check-drift.ts';
import { readDriftReport } from '../../../src/train/drift/drift-report.ts';
import { observeDrift } from '../../../src/train/metrics.ts';
import { testKernels } from '../../support/kernels.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const { redis, keys } = testRedis();
const kernels = await testKernels();
const now = Date.UTC(2026, 5, 1);
let folder: string;
let lake: Lake;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-drift-'));
  lake = await openLake(folder);
  await writeSimulatedEvents(lake, { customers: 1200, items: 100, days: 400, seed: 4, end: '2026-05-31' });
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

/** As the worker runs the job; answers which jobs it asked for as well. */
async function check() {
  const askedFor: JobName[] = [];
  const config = readConfig({ DATA_DIR: folder, MODELS_DIR: join(folder, 'models') });
  const result = await checkDriftJob(
    { seed: 1 },
    {
      config,
      lake,
      kernels,
      keys,
      redis,
      log: silentLog,
      now: () => now,
      random: () => 0.5,
      askFor: async (job) => void askedFor.push(job),
      report: async () => {},
    },
  );
  return { result, askedFor };
}

async function metricsText(): Promise<string> {
  const { registry } = createMetrics();
  observeDrift(registry, () => readDriftReport(redis, keys));
  return registry.metrics();
}

test('without a model nothing has drifted, and nothing is told', async () => {
  const { result, askedFor } = await check();
  expect(result).toMatchObject({ job: 'check-drift', reason: expect.stringContaining('no churn model') });
  expect(askedFor).toEqual([]);
  expect(await metricsText()).not.toMatch(/^nextbest_worker_churn_/m);
});

test('right after a training nothing has drifted; when the shop changes, a new training is asked for', async () => {
  const trained = await trainChurn({
    lake,
    modelsDir: join(folder, 'models'),
    seed: 1,
    now,
    random: () => 0.5,
    log: silentLog,
    report: () => {},
  });
  expect(trained.published).toBe(true);

  const still = await check();
  expect(still.result).toMatchObject({ version: trained.version, metrics: { pastBounds: 0 } });
  expect(still.askedFor).toEqual([]);
  // Judged at the instant of the training's test, on the same customers.
  expect(still.result.metrics.calibrationError).toBeCloseTo(trained.metrics.ece!, 6);
  expect(still.result.metrics.observedLost).toBeCloseTo(trained.metrics.churnShare!, 6);
  const text = await metricsText();
  for (const feature of FEATURE_NAMES)
    expect(text).toMatch(new RegExp(`^nextbest_worker_churn_feature_drift{feature="${feature}"} \\d`, 'm'));
  expect(text).toMatch(/^nextbest_worker_churn_drift_past_bounds 0$/m);
  expect(text).toMatch(/^nextbest_worker_churn_lost_share\{kind="expected"\} 0\.\d/m);

  // A bad batch: everybody who ordered is displeased.
  await writePart(
    lake,
    'events',
    'displeased',
    `SELECT "customerId" || '-displeased' AS "eventId", 0::INTEGER AS line, 'rating' AS type, "customerId",
       NULL::VARCHAR AS "sessionId", TIMESTAMP '2026-05-31 12:00:00' AS "occurredAt", 'web' AS channel,
       NULL::VARCHAR AS "orderId", NULL::VARCHAR AS "itemId", NULL::VARCHAR AS category, NULL::INTEGER AS quantity,
       NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor", '{"rating":1}' AS detail
     FROM ${lake.from('events')} WHERE type = 'purchase' GROUP BY "customerId"`,
  );
  const moved = await check();
  expect(moved.askedFor).toEqual(['train-churn', 'train-customer-value']);
  expect(moved.result.reason).toMatch(/lastRating has moved by .*a new training is asked for/);
  const report = await readDriftReport(redis, keys);
  expect(report?.features[0]).toMatchObject({ feature: expect.stringMatching(/Rating/) });
  expect(await metricsText()).toMatch(/^nextbest_worker_churn_drift_past_bounds [1-9]/m);
});
