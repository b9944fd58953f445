/**
 * The answering side of the job queue: a BullMQ worker whose jobs run in a child process, one at a time.
 *
 * A killed worker's job is taken up again by another within `lockDurationMs` + `stalledIntervalMs`. A worker that ends in
 * order gives its job back at once.
 */
import { pathToFileURL } from 'node:url';
import { type ChildPool, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { JobPayload, JobResult } from '../domain/job.ts';
import { builtEntry } from '../infra/built-entry.ts';
import { queueName } from '../infra/job-queue.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import { isRedisTrouble, type Redis } from '../infra/redis.ts';
import type { WorkerMetrics } from './metrics.ts';

const lockDurationMs = 15_000;
const stalledIntervalMs = 5_000;
/** Times that a job may lose its worker before it counts as what kills them. */
const maxStalledCount = 5;
const stderr = 2;

export type JobWorkerDeps = {
  /** Patient: BullMQ makes its blocking client after its likeness. */
  redis: Redis;
  keys: Keys;
  /** Environment of the child process. */
  env: Readonly<Record<string, string | undefined>>;
  metrics: WorkerMetrics;
  log: Logger;
  /** The queue that it works on, and the built file that its child process runs; the trainings' by default. */
  queue?: string;
  entry?: string;
  /** Told what a job that is done has answered. */
  onResult?: (result: unknown) => void;
  /** Of that process: flags of Node.js. */
  nodeOptions?: readonly string[];
};

export type JobWorker = {
  isRunning: () => boolean;
  /** Gives running jobs back to the queue and ends. */
  close: () => Promise<void>;
};

export async function startJobWorker({
  redis,
  keys,
  env,
  metrics,
  log,
  queue = queueName,
  entry = './processor.js',
  nodeOptions = [],
  onResult,
}: JobWorkerDeps): Promise<JobWorker> {
  const processor = pathToFileURL(builtEntry(entry, import.meta.url));
  const worker = new Worker<JobPayload, JobResult>(queue, processor, {
    connection: redis,
    prefix: keys.queuePrefix,
    concurrency: 1,
    lockDuration: lockDurationMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount,
    useWorkerThreads: false,
    workerForkOptions: {
      env: { ...env },
      execArgv: ['--no-warnings', ...nodeOptions],
      // What a library prints is not to mix with the results on our stdout.
      stdio: ['ignore', stderr, stderr, 'ipc'],
    },
  });
  const endSandboxes = followSandboxes(worker);
  const running = new Map<string, Job<JobPayload, JobResult>>();
  let closing = false;

  worker.on('error', (err) => {
    // The client logs that Redis is away, and what fails while ending has been given back.
    if (closing || isRedisTrouble(err)) return;
    log.warn({ event: 'worker.error', err }, 'the job worker met an error and goes on');
  });
  worker.on('active', (job) => {
    running.set(String(job.id), job);
    log.info(
      { event: 'job.started', job: job.name, jobId: job.id, attempt: job.attemptsStarted },
      'job started',
    );
  });
  worker.on('completed', (job, result) => {
    running.delete(String(job.id));
    onResult?.(result);
    metrics.jobDuration.observe({ job: job.name, outcome: 'completed' }, secondsOf(job));
    log.info(
      {
        event: 'job.completed',
        job: job.name,
        jobId: job.id,
        version: result.version,
        published: result.published,
      },
      'job completed',
    );
  });
  worker.on('failed', (job, err) => {
    if (job === undefined) return;
    running.delete(String(job.id));
    const retried = job.finishedOn === undefined;
    metrics.jobDuration.observe({ job: job.name, outcome: retried ? 'retried' : 'failed' }, secondsOf(job));
    // The stack is the sandbox's own; for what will never work the message says all.
    const details = err.name === UnrecoverableError.name ? { reason: err.message } : { err };
    log.error({ event: 'job.failed', job: job.name, jobId: job.id, retried, ...details }, 'job failed');
  });
  worker.on('stalled', (jobId) => {
    metrics.jobsStalled.inc();
    log.warn(
      { event: 'job.stalled', jobId },
      'a worker went away in the middle of this job; it is taken up again',
    );
  });
  await worker.waitUntilReady();

  return {
    isRunning: () => worker.isRunning(),
    close: async () => {
      closing = true;
      await worker.pause(true);
      for (const job of running.values()) {
        // Fails where the job has ended in this moment, or Redis is away: then its lock runs out.
        await job.moveToWait(job.token).catch(() => {});
      }
      await worker.close(true);
      await endSandboxes();
    },
  };
}

/**
 * BullMQ 6.7.0 ends the children that it knows when it closes, and knows a child once it has started: one that is being started then runs
 * on, and with it, as it waits for it, this process. What is returned is to be called after the closing.
 */
function followSandboxes(worker: object): () => Promise<void> {
  const { childPool } = worker as { childPool: ChildPool };
  const retain = childPool.retain.bind(childPool);
  const starting = new Set<Promise<unknown>>();
  childPool.retain = (file) => {
    const start = retain(file);
    starting.add(start);
    const isOver = () => void starting.delete(start);
    start.then(isOver, isOver);
    return start;
  };
  return async () => {
    await Promise.allSettled(starting);
    await childPool.clean();
  };
}

function secondsOf(job: Job): number {
  return Math.max(0, (job.finishedOn ?? Date.now()) - (job.processedOn ?? Date.now())) / 1000;
}
