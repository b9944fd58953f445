/** Where a measurement keeps its shop, and a Redis of its own that is gone with it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../infra/config.ts';
import { createLogger, type Logger } from '../../infra/logger.ts';
import { openRedis } from '../../infra/open-redis.ts';
import { connectRedis, type Redis } from '../../infra/redis.ts';
import { keyPrefix } from './prepared-shop.ts';

export type BenchPlace = {
  /** Folder of the shop: the one that was named, which stays, or one that goes when the place is closed. */
  root: string;
  folders: { DATA_DIR: string; MODELS_DIR: string; KEY_PREFIX: string };
  /** Of processes that work there. */
  env: Record<string, string>;
  /** Of the Redis's own files, and whatever else is to go at the end. */
  redisDir: string;
  url: string;
  queueUrl: string;
  redis: Redis;
  log: Logger;
  /** Call after every process and client of the measurement has ended. */
  close: () => Promise<void>;
};

export async function openBenchPlace(folder: string | undefined): Promise<BenchPlace> {
  const root = folder ?? (await mkdtemp(join(tmpdir(), 'nextbest-bench-')));
  const folders = { DATA_DIR: join(root, 'data'), MODELS_DIR: join(root, 'models'), KEY_PREFIX: keyPrefix };
  await mkdir(folders.DATA_DIR, { recursive: true });
  const log = createLogger('warn', 'bench');
  const redisDir = await mkdtemp(join(tmpdir(), 'nextbest-bench-redis-'));
  const place = await openRedis(readConfig({ ...folders, DATA_DIR: redisDir, PATH: process.env.PATH }), log);
  const redis = connectRedis(place.url, 'bench', { kind: 'patient' }, log);
  return {
    root,
    folders,
    env: { ...folders, REDIS_URL: place.url },
    redisDir,
    url: place.url,
    queueUrl: place.queueUrl,
    redis,
    log,
    close: async () => {
      redis.disconnect();
      await place.release();
      await rm(redisDir, { recursive: true, force: true });
      if (folder === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}
