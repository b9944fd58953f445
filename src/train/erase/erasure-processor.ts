/** What the worker's child process runs for erasures (BullMQ's sandbox): all that are due. */
import '../../domain/fault-sentences.ts';
import { readConfig } from '../../infra/config.ts';
import { createLogger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import { endWithTheWorker } from '../sandbox.ts';
import { openErasing } from './open-erasing.ts';
import { runErasures } from './run-erasures.ts';

const config = readConfig(process.env);
const log = createLogger(config.logLevel, 'erasure');
endWithTheWorker();

async function processErasures() {
  if (config.redisUrl === undefined) throw new Error('the worker must pass REDIS_URL on');
  const redis = connectRedis(config.redisUrl, 'erasure', { kind: 'patient' }, log);
  const queueUrl = config.queueRedisUrl ?? config.redisUrl;
  const queueRedis = connectRedis(queueUrl, 'erasure-queues', { kind: 'patient' }, log);
  try {
    const { deps, close } = await openErasing({ config, redis, queueRedis, log });
    try {
      return { completed: await runErasures(deps) };
    } finally {
      await close();
    }
  } finally {
    redis.disconnect();
    queueRedis.disconnect();
  }
}

// biome-ignore lint/style/noDefaultExport: BullMQ's sandbox calls the default export
export default processErasures;
