/** A service that starts before its Redis asks it as soon as it is there. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { watchEviction } from '../../src/serve/eviction-watch.ts';
import { eventually } from '../support/eventually.ts';
import { ownRedis } from '../support/own-redis.ts';
import { silentLog, testNative } from '../support/redis.ts';
import { startTestService } from '../support/service.ts';

describe('a Redis that was away at the start', () => {
  // It evicts from its first answer on, which Valkey in WebAssembly takes no setting for.
  testNative('and evicts keys makes the service unready', async () => {
    const own = await ownRedis();
    onTestFinished(own.remove);
    await own.start();
    const client = connectRedis(own.url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => client.disconnect());
    const keys = createKeys('evicting');
    const service = await startTestService({ redisUrl: own.url, prefix: 'evicting' });
    onTestFinished(service.close);
    const ready = async () => {
      const { status, body } = await service.call('GET', '/readyz');
      return { status, recordsBuilt: body.recordsBuilt, faults: JSON.stringify(body.faults ?? []) };
    };
    await eventually(async () => expect(await ready()).toMatchObject({ status: 200, recordsBuilt: false }));
    await client.set(keys.recordsBuilt, 'any');
    expect((await ready()).recordsBuilt).toBe(true);

    await own.kill();
    await eventually(async () => expect((await ready()).faults).toContain('cannot be reached'));
    await own.start({ 'maxmemory-policy': 'allkeys-lru' });
    await eventually(async () => {
      const { status, faults } = await ready();
      expect(status).toBe(503);
      expect(faults).toContain('noeviction');
      expect(faults).not.toContain('cannot be reached');
    });
  });

  test('is asked again until it evicts no more, and told of once', async () => {
    const own = await ownRedis();
    onTestFinished(own.remove);
    const client = connectRedis(own.url, 'tests', { kind: 'failFast', timeoutMs: 2000 }, silentLog);
    onTestFinished(() => client.disconnect());
    const told: unknown[] = [];
    const log = { error: (about: unknown) => told.push(about) } as never;
    const watch = watchEviction(client, log, 10);
    onTestFinished(watch.stop);
    expect(watch.evicts).toBe(false);
    await own.start({ 'maxmemory-policy': 'allkeys-lru' });
    await eventually(() => expect(watch.evicts).toBe(true));
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await eventually(() => expect(watch.evicts).toBe(false));
    expect(told).toEqual([{ event: 'redis.evicts' }]);
  });
});
