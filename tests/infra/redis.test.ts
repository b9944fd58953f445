import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../src/domain/errors.ts';
import { openPrivateRedis } from '../../src/infra/private-redis/open.ts';
import { connectRedis, refuseEvictingServer, untilReady } from '../../src/infra/redis.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, url } = testRedis();
/** Nothing listens on the discard port of a test machine. */
const nowhere = 'redis://127.0.0.1:9';

test('a server that would evict jobs or events is refused, with the cure', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-evicting-'));
  const server = await openPrivateRedis({ dataDir, searchPath: process.env.PATH ?? '', wasmAllowed: true });
  const client = connectRedis(server.url, 'tests', { kind: 'patient' }, silentLog);
  await expect(refuseEvictingServer(client, 'jobs')).resolves.toBeUndefined();
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await expect(refuseEvictingServer(client, 'jobs')).rejects.toThrow(UsageError);
  await expect(refuseEvictingServer(client, 'jobs')).rejects.toThrow(/noeviction.*QUEUE_REDIS_URL/);
  await expect(refuseEvictingServer(client, 'records')).rejects.toThrow(
    /events.*noeviction.*, or point REDIS_URL/,
  );
  client.disconnect();
  await server.release();
  await rm(dataDir, { recursive: true, force: true });
});

test('a fail-fast client does not wait for a server that is away', async () => {
  const client = connectRedis(nowhere, 'tests', { kind: 'failFast', timeoutMs: 200 }, silentLog);
  await expect(client.get('anything')).rejects.toThrow();
  client.disconnect();
});

test('a server that does not answer by the deadline is named with the cure', async () => {
  const client = connectRedis(nowhere, 'tests', { kind: 'patient' }, silentLog);
  await expect(untilReady(client, 200)).rejects.toThrow(/REDIS_URL/);
  client.disconnect();
});

test('a client that is ready stays ready', async () => {
  await untilReady(redis, 5000);
  const client = connectRedis(url, 'tests', { kind: 'failFast', timeoutMs: 5000 }, silentLog);
  await untilReady(client, 5000);
  expect(await client.ping()).toBe('PONG');
  client.disconnect();
});
