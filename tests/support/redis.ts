/** What a test needs of the run's Redis: a client, keys of its own, and the word for tests that need a native server. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, inject, test } from 'vitest';
import { createKeys, type Keys } from '../../src/infra/keys.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { connectRedis, type Redis, serversOf } from '../../src/infra/redis.ts';

export const silentLog = createLogger('silent', 'tests');

type TestRedis = { redis: Redis; keys: Keys; prefix: string; url: string };

/** Opens a client for this test file; closes it, and deletes the keys of its prefix, after the file's last test. */
export function testRedis(): TestRedis {
  return open(inject('redisUrl'));
}

/**
 * The same for tests that stand between a client and its one server, or count what goes to it: on a run that is on a
 * cluster they have a server beside it. What a cluster does then: tests/serve/cluster-failover.test.ts.
 */
export function testOneServer(): TestRedis {
  return open(inject('oneServerUrl'));
}

function open(url: string): TestRedis {
  const prefix = `test-${randomUUID()}`;
  const redis = connectRedis(url, 'tests', { kind: 'patient' }, silentLog);
  afterAll(async () => {
    // One by one: on a cluster they are not of one slot.
    for (const server of serversOf(redis))
      for await (const keys of server.scanStream({ match: `*${prefix}*`, count: 1000 }))
        await Promise.all((keys as string[]).map((key) => redis.del(key)));
    redis.disconnect();
  });
  return { redis, keys: createKeys(prefix), prefix, url };
}

/** One by one: on a cluster they need not be of one slot. */
export async function deleteEach(redis: Redis, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => redis.del(key)));
}

/** Keys that match, of every server of a cluster. */
export async function keysMatching(redis: Redis, pattern: string): Promise<string[]> {
  return (await Promise.all(serversOf(redis).map((server) => server.keys(pattern)))).flat();
}

const isNative = inject('nativeRedis');

/**
 * `describe` for tests of what a native redis-server alone does: keep on disk what it has answered, be one of several. Where
 * there is none they are skipped, and their name says why; the global set-up says so loudly, and fails in CI.
 */
export function describeNative(name: string, tests: () => void): void {
  if (isNative) describe(name, tests);
  else describe.skip(`${name} (skipped: needs a redis-server on the PATH)`, tests);
}

/** The same of one test. */
export function testNative(name: string, body: () => Promise<void>): void {
  if (isNative) test(name, body);
  else test.skip(`${name} (skipped: needs a redis-server on the PATH)`, body);
}
