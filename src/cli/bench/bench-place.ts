/** Where a measurement keeps its shop, and a Redis of its own that is gone with it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../infra/config.ts';
import { createLogger, type Logger } from '../../infra/logger.ts';
import { openRedis } from '../../infra/open-redis.ts';
import { connectRedis, type Redis } from '../../infra/redis.ts';
import { whenBrokenOff } from './broken-off.ts';
import { keyPrefix } from './prepared-shop.ts';

export type BenchPlace = {
  /** Folder of the shop, as of `openBenchFolder`. */
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

export type BenchFolder = { path: string; close: () => Promise<void> };

/** The folder that was named, which stays, or one that goes when it is closed. */
export async function openBenchFolder(folder: string | undefined): Promise<BenchFolder> {
  if (folder !== undefined) {
    await mkdir(folder, { recursive: true });
    return { path: folder, close: async () => {} };
  }
  const path = await mkdtemp(join(tmpdir(), 'nextbest-bench-'));
  // Processes that were killed may still be seen to write in it.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 10 });
  const forget = whenBrokenOff(remove);
  return {
    path,
    close: async () => {
      forget();
      await remove();
    },
  };
}

export async function openBenchPlace(folder: string | undefined): Promise<BenchPlace> {
  const { path: root, close: closeFolder } = await openBenchFolder(folder);
  const folders = { DATA_DIR: join(root, 'data'), MODELS_DIR: join(root, 'models'), KEY_PREFIX: keyPrefix };
  await mkdir(folders.DATA_DIR, { recursive: true });
  const log = createLogger('warn', 'bench');
  const { path: redisDir, close: closeRedisFolder } = await openBenchFolder(undefined);
  const place = await openRedis(readConfig({ ...folders, DATA_DIR: redisDir, PATH: process.env.PATH }), log);
  const redis = connectRedis(place.url, 'bench', { kind: 'patient' }, log);
  const end = async () => {
    redis.disconnect();
    await place.release();
  };
  const forget = whenBrokenOff(end);
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
      forget();
      await end();
      await closeRedisFolder();
      await closeFolder();
    },
  };
}
