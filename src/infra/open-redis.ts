/** The Redis of a process: the one that the environment names, else a private one. */
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { openPrivateRedis } from './private-redis/open.ts';

export type RedisPlace = {
  url: string;
  queueUrl: string;
  /** false: Redis forgets everything when it stops (Valkey in WebAssembly). */
  durable: boolean;
  /** Call after every client of this process is closed. */
  release: () => Promise<void>;
};

export async function openRedis(config: Config, log: Logger): Promise<RedisPlace> {
  if (config.redisUrl !== undefined) {
    const queueUrl = config.queueRedisUrl ?? config.redisUrl;
    return { url: config.redisUrl, queueUrl, durable: true, release: async () => {} };
  }
  const own = await openPrivateRedis({
    dataDir: config.dataDir,
    searchPath: config.searchPath,
    wasmAllowed: !config.production,
  });
  if (own.durable) log.info({ event: 'redis.private', kind: own.kind }, `using a private ${own.kind}`);
  else {
    log.warn(
      { event: 'redis.private', kind: own.kind },
      'using Valkey in WebAssembly, which keeps nothing on disk: records are rebuilt from the lake at each start. ' +
        'For anything but a trial, install redis-server or set REDIS_URL',
    );
  }
  return {
    url: own.url,
    queueUrl: config.queueRedisUrl ?? own.url,
    durable: own.durable,
    release: own.release,
  };
}
