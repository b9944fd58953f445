/** What the worker's child process runs for a batch (BullMQ's sandbox): one campaign at a time. */
import { availableParallelism } from 'node:os';
import { type SandboxedJob, UnrecoverableError } from 'bullmq';
import { BatchPayload } from '../../domain/batch.ts';
import '../../domain/fault-sentences.ts';
import { openLake } from '../../history/lake.ts';
import { sweepBatches } from '../../infra/batch-files.ts';
import { readConfig } from '../../infra/config.ts';
import { createKeys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import { createReporter } from '../reporter.ts';
import { endWithTheWorker } from '../sandbox.ts';
import { runBatch } from './run-batch.ts';

/** Beyond, Redis is what there is to wait for. */
const threadsMax = 4;

const config = readConfig(process.env);
const log = createLogger(config.logLevel, 'batch');
endWithTheWorker();

async function processBatch(job: SandboxedJob) {
  const payload = BatchPayload.safeParse(job.data);
  if (!payload.success) throw new UnrecoverableError('a batch is named by its batchId alone');
  const { redisUrl } = config;
  if (redisUrl === undefined) throw new UnrecoverableError('the worker must pass REDIS_URL on');
  const redis = connectRedis(redisUrl, 'batch', { kind: 'patient' }, log);
  const lake = await openLake(config.dataDir);
  try {
    await sweepBatches(config.dataDir, Date.now());
    return await runBatch(payload.data.batchId, {
      config,
      redisUrl,
      lake,
      redis,
      keys: createKeys(config.keyPrefix),
      log,
      now: Date.now,
      threads: config.kernelThreads ?? Math.min(threadsMax, availableParallelism()),
      report: createReporter(
        (progress) => job.updateProgress(progress),
        () => performance.now(),
      ),
    });
  } finally {
    lake.close();
    redis.disconnect();
  }
}

// biome-ignore lint/style/noDefaultExport: BullMQ's sandbox calls the default export
export default processBatch;
