/**
 * The worker: jobs in a child process; in this one the drain (stream → lake), the rebuild of records that came out of
 * order, the schedule, and the metrics.
 */
import { Queue } from 'bullmq';
import type { Registry } from 'prom-client';
import { RECORD_SCHEMA } from '../features/registry.ts';
import { cutOffParts } from '../history/damaged-parts.ts';
import { streamLag } from '../history/event-stream.ts';
import { openLake } from '../history/lake.ts';
import { readSnapshot } from '../history/score-snapshots.ts';
import { batchQueueName } from '../infra/batch-queue.ts';
import type { Config } from '../infra/config.ts';
import { openErasureFiles } from '../infra/erasure-files.ts';
import { askForErasure, erasureQueueName } from '../infra/erasure-queue.ts';
import { countJobs, createJobQueue, queueName } from '../infra/job-queue.ts';
import { createKeys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import { createMetrics } from '../infra/metrics.ts';
import { serveMetrics } from '../infra/metrics-server.ts';
import { listModels } from '../infra/model-store.ts';
import { connectRedis, keepsAppendOnlyFile, refuseEvictingServer, untilReady } from '../infra/redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { createTombstones } from '../infra/tombstones.ts';
import { createAfterLoss } from './after-loss.ts';
import type { BatchResult } from './batch/run-batch.ts';
import { readDriftReport } from './drift/drift-report.ts';
import { type JobWorker, type JobWorkerDeps, startJobWorker } from './job-worker.ts';
import { startMaintenance } from './maintenance.ts';
import {
  createWorkerMetrics,
  observeDamage,
  observeDrift,
  observeErasures,
  observeOverNothing,
  observeQueueAndStream,
  observeScores,
  observeWebhooks,
} from './metrics.ts';
import { overNothing } from './offers/over-nothing.ts';
import { scheduleJobs } from './schedule.ts';
import { outboxLength } from './webhooks/outbox.ts';
import { startWebhooks } from './webhooks/start-webhooks.ts';

export type WorkerDeps = {
  config: Config;
  /** Environment of this process, for the child; the addresses of Redis are added to it. */
  env: Readonly<Record<string, string | undefined>>;
  redis: { url: string; queueUrl: string };
  log: Logger;
  /** Absent: no metrics are served. */
  metricsPort?: number;
};

export type RunningWorker = {
  metricsUrl: string | undefined;
  /** Ends in order: the round of the drain is finished, running jobs go back into the queue. */
  close: () => Promise<void>;
};

const connectTimeoutMs = 10_000;

/** Throws UsageError where Redis cannot be reached, evicts keys, or a schedule is not one. */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { config, redis: place, log } = deps;
  const opened = new Shutdown(log);
  try {
    const keys = createKeys(config.keyPrefix);
    const { redis, queueRedis } = await connect(deps, opened);
    const openQueue = (name: string, what: string) => {
      const queue = new Queue(name, { connection: queueRedis, prefix: keys.queuePrefix });
      // The client logs that Redis is away; without a listener an error would end the process.
      queue.on('error', () => {});
      opened.add(what, () => queue.close());
      return queue;
    };

    const queue = openQueue(queueName, 'queue');
    const batchQueue = openQueue(batchQueueName, 'batch queue');
    await scheduleJobs(queue, config);

    const { registry } = createMetrics();
    const metrics = createWorkerMetrics(registry);
    observeQueueAndStream(registry, {
      counts: () => countJobs(queue),
      batchCounts: () => countJobs(batchQueue),
      streamLag: () => streamLag(redis, keys, Date.now()),
    });
    observeScores(registry, () => readSnapshot(config.dataDir), Date.now);
    observeDrift(registry, () => readDriftReport(redis, keys));
    observeOverNothing(registry, async () => overNothing(await listModels(config.modelsDir)));

    const lake = await openLake(config.dataDir);
    opened.add('lake', () => lake.close());
    observeDamage(registry, () => cutOffParts(lake));
    const erasures = await openErasureFiles(config.dataDir);
    observeErasures(registry, () => erasures.pending(), Date.now);
    const tombstones = createTombstones(redis, keys, erasures);
    const asking = createJobQueue(place.queueUrl, keys, log);
    opened.add('asking', asking.close);
    const afterLoss = createAfterLoss({ redis, keys, tombstones, queue, jobs: asking, config, log });
    await afterLoss.restoreErased();
    const erasureQueue = openQueue(erasureQueueName, 'erasure queue');
    const askForErasures = async () => {
      const due = (await erasures.pending()).some(({ lookAt }) => lookAt <= Date.now());
      if (due) await askForErasure(erasureQueue);
    };
    const maintenance = startMaintenance({
      redis,
      queueRedis,
      keys,
      lake,
      config,
      metrics,
      log,
      tombstones,
      afterLoss,
      askForErasures,
    });
    opened.add('maintenance', maintenance.stop);

    const webhooks =
      config.webhooks &&
      (await startWebhooks({ redis, queueRedis, keys, config, webhooks: config.webhooks, metrics, log }));
    if (webhooks !== undefined) opened.add('webhooks', webhooks.close);
    observeWebhooks(
      registry,
      webhooks && { counts: webhooks.queue.counts, outboxLength: () => outboxLength({ redis, keys }) },
    );

    const env = { ...deps.env, REDIS_URL: place.url, QUEUE_REDIS_URL: place.queueUrl };
    const jobs = await startJobWorkers({ redis: queueRedis, keys, env, metrics, log }, opened);
    const metricsUrl = await openMetricsPort(registry, jobs, deps, opened);

    // After an upgrade, or over a Redis that forgot everything, nobody has a record of this layout.
    if ((await redis.get(keys.recordsBuilt)) !== RECORD_SCHEMA) await asking.enqueue('refresh-features', {});
    log.info({ event: 'worker.ready', metricsUrl }, 'the worker is ready');
    return { metricsUrl, close: () => opened.close() };
  } catch (err) {
    await opened.close();
    throw err;
  }
}

/** To the Redis of records and that of jobs, which is to have all that a worker relies on. */
async function connect({ redis: place, log }: WorkerDeps, opened: Shutdown) {
  const redis = connectRedis(place.url, 'worker', { kind: 'patient' }, log);
  opened.add('redis', () => redis.disconnect());
  const queueRedis = connectRedis(place.queueUrl, 'worker-jobs', { kind: 'patient' }, log);
  opened.add('queue redis', () => queueRedis.disconnect());
  await Promise.all([untilReady(redis, connectTimeoutMs), untilReady(queueRedis, connectTimeoutMs)]);
  await Promise.all([refuseEvictingServer(redis, 'records'), refuseEvictingServer(queueRedis, 'jobs')]);
  if (!(await keepsAppendOnlyFile(redis)))
    log.warn(
      { event: 'redis.no-file' },
      'this Redis keeps no append-only file: should it fall, accepted events that are not in the lake yet are lost (docs/operations.md)',
    );
  return { redis, queueRedis };
}

/** One for each queue, so that neither a campaign nor an erasure waits for a training. Answers that of the trainings. */
async function startJobWorkers(deps: JobWorkerDeps, opened: Shutdown): Promise<JobWorker> {
  const jobs = await startJobWorker(deps);
  opened.add('jobs', jobs.close);
  const batches = await startJobWorker({
    ...deps,
    queue: batchQueueName,
    entry: './batch/batch-processor.js',
    onResult: (result) => deps.metrics.explorationCost.inc((result as BatchResult).exploredMinor),
    // Its threads have every core at work: collectors beside them only wait for each other, which took an eighth of the time.
    nodeOptions: ['--single-threaded-gc'],
  });
  opened.add('batches', batches.close);
  const erasing = await startJobWorker({
    ...deps,
    queue: erasureQueueName,
    entry: './erase/erasure-processor.js',
  });
  opened.add('erasures', erasing.close);
  return jobs;
}

/** undefined: no metrics are served. */
async function openMetricsPort(
  registry: Registry,
  jobs: JobWorker,
  { config, metricsPort, log }: WorkerDeps,
  opened: Shutdown,
): Promise<string | undefined> {
  if (metricsPort === undefined) return undefined;
  const address = { host: config.host, port: metricsPort, setting: 'WORKER_METRICS_PORT' };
  const server = await serveMetrics(registry, jobs.isRunning, address, log);
  opened.add('metrics', server.close);
  return server.url;
}
