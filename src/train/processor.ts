/**
 * What the worker's child process runs (BullMQ's sandbox): one job at a time, in a process of its own, so that the
 * worker's event loop stays free to renew the job's lock however long the arithmetic takes.
 */
import { type SandboxedJob, UnrecoverableError } from 'bullmq';
import '../domain/fault-sentences.ts';
import { JobName, JobPayload, type JobResult } from '../domain/job.ts';
import { openLake } from '../history/lake.ts';
import { readConfig } from '../infra/config.ts';
import { createJobQueue } from '../infra/job-queue.ts';
import { createKeys, type Keys } from '../infra/keys.ts';
import { createLogger } from '../infra/logger.ts';
import { connectRedis } from '../infra/redis.ts';
import { HANDLERS } from './jobs/handlers.ts';
import { openKernels } from './open-kernels.ts';
import { createReporter } from './reporter.ts';
import { endWithTheWorker } from './sandbox.ts';

const config = readConfig(process.env);
const log = createLogger(config.logLevel, 'job');

endWithTheWorker();

async function processJob(job: SandboxedJob): Promise<JobResult> {
  const name = JobName.safeParse(job.name);
  if (!name.success) throw new UnrecoverableError(`there is no job "${job.name}"`);
  const payload = JobPayload.safeParse(job.data);
  if (!payload.success) {
    const faults = payload.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'payload'}: ${message}`,
    );
    throw new UnrecoverableError(`the payload of ${name.data} is not valid: ${faults.join('; ')}`);
  }
  if (config.redisUrl === undefined) throw new UnrecoverableError('the worker must pass REDIS_URL on');
  const redis = connectRedis(config.redisUrl, 'job', { kind: 'patient' }, log);
  const keys = createKeys(config.keyPrefix);
  const lake = await openLake(config.dataDir);
  // Of the job's own: shared memory never shrinks, and goes with them.
  const kernels = await openKernels(config.kernelThreads);
  try {
    return await HANDLERS[name.data](payload.data, {
      config,
      lake,
      kernels,
      keys,
      redis,
      log,
      now: Date.now,
      random: Math.random,
      askFor: (followed) => askFor(followed, config.queueRedisUrl ?? config.redisUrl, keys),
      report: createReporter(
        (progress) => job.updateProgress(progress),
        () => performance.now(),
      ),
    });
  } finally {
    await kernels.close();
    lake.close();
    redis.disconnect();
  }
}

async function askFor(job: JobName, queueUrl: string | undefined, keys: Keys): Promise<void> {
  if (queueUrl === undefined) return;
  const queue = createJobQueue(queueUrl, keys, log);
  try {
    await queue.enqueue(job, {});
  } finally {
    await queue.close();
  }
}

// biome-ignore lint/style/noDefaultExport: BullMQ's sandbox calls the default export
export default processJob;
