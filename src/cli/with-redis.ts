/** For commands that read or change something in Redis and end: a client, and its end however the command ends. */
import { type Config, readConfig } from '../infra/config.ts';
import { createKeys, type Keys } from '../infra/keys.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { connectRedis, type Redis, untilReady } from '../infra/redis.ts';
import { Shutdown } from '../infra/shutdown.ts';

const patienceMs = 10_000;

/** `of`: the Redis of the records, or that of the queues. Throws STORE_UNAVAILABLE where it is not to be reached. */
export async function withRedis(
  name: string,
  use: (opened: { redis: Redis; keys: Keys; config: Config }) => Promise<void>,
  of: 'records' | 'queues' = 'records',
): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel, name);
  const shutdown = new Shutdown(log);
  try {
    const place = await openRedis(config, log);
    shutdown.add('redis', place.release);
    const url = of === 'records' ? place.url : place.queueUrl;
    const redis = connectRedis(url, name, { kind: 'patient' }, log);
    shutdown.add('redis client', () => redis.disconnect());
    await untilReady(redis, patienceMs);
    await use({ redis, keys: createKeys(config.keyPrefix), config });
  } finally {
    await shutdown.close();
  }
}
