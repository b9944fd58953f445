import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtEntry } from '../../src/infra/built-entry.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { describeNative } from '../support/redis.ts';

const built = (path: string) => JSON.stringify(pathToFileURL(builtEntry(path, import.meta.url)).href);

describeNative('a client of a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster.stop());

  test('that is closed while it asks who has which slots lets its process end', async () => {
    // It asks now and then: there the process closes it, before the answer. Once closed it asks no more.
    const script = `
      const { connectRedis, untilReady } = await import(${built('../../src/infra/redis.js')});
      const { createLogger } = await import(${built('../../src/infra/logger.js')});
      const redis = connectRedis(${JSON.stringify(cluster.url)}, 'tests', { kind: 'patient' }, createLogger('silent', 'tests'));
      await untilReady(redis, 200_000);
      const ask = redis.refreshSlotsCache.bind(redis);
      let closed = false;
      redis.refreshSlotsCache = (answered) => {
        if (closed) process.exit(1);
        closed = true;
        ask(answered);
        redis.disconnect();
      };`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
    try {
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
