/** What the worker's child process runs for erasures (BullMQ's sandbox): all that are due. */
import { Queue } from 'bullmq';
import { createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { openLake } from '../../history/lake.ts';
import { batchQueueName } from '../../infra/batch-queue.ts';
import { readConfig } from '../../infra/config.ts';
import { openErasureFiles } from '../../infra/erasure-files.ts';
import { createKeys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import { createTombstones } from '../../infra/tombstones.ts';
import { webhookQueueName } from '../../infra/webhook-queue.ts';
import { endWithTheWorker } from '../sandbox.ts';
import { runErasures } from './run-erasures.ts';

const config = readConfig(process.env);
const log = createLogger(config.logLevel, 'erasure');
endWithTheWorker();

async function processErasures() {
  if (config.redisUrl === undefined) throw new Error('the worker must pass REDIS_URL on');
  const keys = createKeys(config.keyPrefix);
  const redis = connectRedis(config.redisUrl, 'erasure', { kind: 'patient' }, log);
  const queueUrl = config.queueRedisUrl ?? config.redisUrl;
  const queueRedis = connectRedis(queueUrl, 'erasure-queues', { kind: 'patient' }, log);
  const queues = [webhookQueueName, batchQueueName].map(
    (name) => new Queue(name, { connection: queueRedis, prefix: keys.queuePrefix }),
  );
  // The client logs that Redis is away; without a listener an error would end the process.
  for (const queue of queues) queue.on('error', () => {});
  const [notices, batches] = queues as [Queue, Queue];
  const lake = await openLake(config.dataDir);
  try {
    const files = await openErasureFiles(config.dataDir);
    const completed = await runErasures({
      config,
      redis,
      queueRedis,
      keys,
      lake,
      files,
      tombstones: createTombstones(redis, keys, files),
      budgets: createBudgetLedger(redis, keys),
      records: createRecordStore(redis, keys),
      notices,
      batches,
      log,
      now: Date.now,
    });
    return { completed };
  } finally {
    for (const queue of queues) await queue.close();
    lake.close();
    redis.disconnect();
    queueRedis.disconnect();
  }
}

// biome-ignore lint/style/noDefaultExport: BullMQ's sandbox calls the default export
export default processErasures;
