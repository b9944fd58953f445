// Redis is killed, frozen and brought back.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ItemId } from '../../src/domain/ids.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { drainAll } from '../../src/history/drain.ts';
import { appendEntries } from '../../src/infra/event-log.ts';
import { freePort } from '../../src/infra/free-port.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { eventually } from '../support/eventually.ts';
import { testLake } from '../support/lake.ts';
import { nobodyErased } from '../support/nobody-erased.ts';
import { type OwnRedis, ownRedis } from '../support/own-redis.ts';
import { silentLog, testNative } from '../support/redis.ts';
import { startTestService, type TestService } from '../support/service.ts';

const prefix = 'away';
const keys = createKeys(prefix);
const order = { type: 'purchase', customerId: 'known', lines: [{ itemId: 'tea-1' }] };

/** Each with the status that it has while Redis is there. */
const writes = [
  ['POST', '/events', order, 202],
  ['PUT', '/items/tea-0', { name: 'Renamed', category: 'tea' }, 200],
  ['POST', '/items', [{ itemId: 'tea-0' }], 200],
  ['PUT', '/customers/known', { loyaltyTier: 'gold' }, 200],
  ['POST', '/jobs', { job: 'train-churn' }, 202],
  ['PUT', '/offers/o', { name: 'o', benefit: { kind: 'content' }, channels: ['web'] }, 200],
  ['DELETE', '/offers/o', undefined, 204],
] as const;

async function streamLength(url: string): Promise<number> {
  const redis = connectRedis(url, 'tests-look', { kind: 'patient' }, silentLog);
  const length = await redis.xlen(keys.eventStream);
  redis.disconnect();
  return length;
}

describe('while Redis is away', () => {
  let redis: OwnRedis;
  let service: TestService;

  beforeAll(async () => {
    redis = await ownRedis();
    await redis.start();
    service = await startTestService({ redisUrl: redis.url, prefix, env: { REDIS_TIMEOUT_MS: '300' } });
    expect((await service.call('POST', '/events', order)).status).toBe(202);
  });
  afterAll(async () => {
    await service?.close();
    await redis.remove();
  });

  const isReady = () =>
    eventually(async () => expect((await service.call('GET', '/readyz')).status).toBe(200));

  const isUndegradedForGuests = () =>
    eventually(async () =>
      expect((await service.call('GET', '/recommendations')).body).toMatchObject({
        degraded: false,
        degradedBy: [],
      }),
    );

  async function expectDegradedService(): Promise<void> {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service.call('GET', '/recommendations?customerId=known&n=5')),
    );
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ degraded: true, degradedBy: ['records-unavailable'] });
      expect(body.items.map(({ source }: { source: string }) => source)).toEqual(Array(5).fill('popularity'));
    }
    // Nobody's record is asked for, and still the answer says what it would do without.
    const anonymous = await service.call('GET', '/recommendations?n=5');
    expect(anonymous.body).toMatchObject({ degraded: true, degradedBy: ['records-unavailable'] });
    expect(anonymous.body.items).toHaveLength(5);
    const ready = await service.call('GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(ready.body.faults).toEqual([
      { path: 'redis', message: expect.stringContaining('cannot be reached') },
    ]);
    expect((await service.call('GET', '/livez')).status).toBe(200);
    for (const [method, path, body] of writes) {
      const answer = await service.call(method, path, body);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    for (const path of ['/customers/known/profile', '/items/tea-0', '/jobs'])
      expect([path, (await service.call('GET', path)).status]).toEqual([path, 503]);
    // What does not need Redis is as it always was.
    expect((await service.call('GET', '/items/tea-0/similar')).body.degraded).toBe(false);
    expect((await service.call('GET', '/metrics')).text).toMatch(/degraded="true"\} \d+/);
  }

  testNative(
    'answers come from popularity, writes are refused and not half done; when it is back, so is the service',
    async () => {
      const before = await streamLength(redis.url);
      await redis.kill();
      await expectDegradedService();
      await redis.start();
      await isReady();
      expect(await streamLength(redis.url)).toBe(before);
      expect((await service.call('GET', '/items/tea-0')).body.name).toBe('Tea no. 0');
      await isUndegradedForGuests();
      const answer = await service.call('GET', '/recommendations?customerId=known&n=5');
      expect(answer.body).toMatchObject({ degraded: false });
      expect(answer.body.items[0].itemId).toMatch(/^tea-/);
    },
  );

  test('a Redis that hangs is waited for no longer than the bound, by any request', async () => {
    redis.freeze();
    const slowest = await eventually(async () => {
      const startedAt = performance.now();
      const { body } = await service.call('GET', '/recommendations?customerId=known');
      expect(body.degraded).toBe(true);
      return performance.now() - startedAt;
    });
    // The bound is 300 ms; what is beyond it is the machine's. Without a bound it would be for ever.
    expect(slowest).toBeLessThan(10_000);
    for (const path of ['/readyz', '/customers/known/profile', '/items/tea-0'])
      expect((await service.call('GET', path)).status).toBe(503);
    for (const [method, path, body] of writes.filter(([, path]) => path !== '/jobs')) {
      expect((await service.call(method, path, body)).status).toBe(503);
    }
    await eventually(async () =>
      expect((await service.call('GET', '/recommendations')).body).toMatchObject({
        degraded: true,
        degradedBy: ['records-unavailable'],
      }),
    );
    redis.thaw();
    await isUndegradedForGuests();
    await isReady();
    expect((await service.call('GET', '/recommendations?customerId=known')).body.degraded).toBe(false);
  });

  testNative('changes of the catalogue are followed again afterwards, and writes work', async () => {
    await redis.kill();
    await redis.start();
    await isReady();
    await service.call('PUT', '/items/coffee-0', {
      name: 'Coffee no. 0',
      category: 'coffee',
      inStock: false,
    });
    await eventually(async () =>
      expect(JSON.stringify((await service.call('GET', '/recommendations?n=20')).body)).not.toContain(
        '"coffee-0"',
      ),
    );
    for (const [method, path, body, status] of writes)
      expect([path, (await service.call(method, path, body)).status]).toEqual([path, status]);
  });

  testNative('a service that is started without Redis answers, and is whole once Redis comes', async () => {
    await redis.kill();
    const early = await startTestService({ redisUrl: redis.url, prefix, bare: true, redisAway: true });
    try {
      const answer = await early.call('GET', '/recommendations?customerId=known');
      expect(answer).toMatchObject({ status: 200, body: { items: [], modelVersion: null, degraded: true } });
      expect(answer.body.degradedBy).toEqual(['records-unavailable', 'no-model', 'no-catalogue']);
      expect(
        (await early.call('GET', '/readyz')).body.faults.map(({ path }: { path: string }) => path),
      ).toEqual(['redis', 'catalogue']);
      await redis.start();
      await eventually(async () => expect((await early.call('GET', '/readyz')).status).toBe(200));
      const whole = await early.call('GET', '/recommendations?customerId=known&n=3');
      // No model yet: the catalogue answers.
      expect(whole.body).toMatchObject({ degradedBy: ['no-model'] });
      expect(whole.body.items).toHaveLength(3);
    } finally {
      await early.close();
    }
  });
});

test('a cluster that is not there when the service starts is as away as a server: answers without it, and nothing taken', async () => {
  const nobody = `redis-cluster://127.0.0.1:${await freePort()}`;
  const service = await startTestService({ redisUrl: nobody, prefix, bare: true, redisAway: true });
  try {
    const decided = await service.call('GET', '/customers/known/offers');
    expect(decided).toMatchObject({ status: 200, body: { decisionId: null, degraded: true } });
    expect((await service.call('GET', '/recommendations?customerId=known')).body.degraded).toBe(true);
    for (const [method, path, body] of writes)
      expect([path, (await service.call(method, path, body)).status]).toEqual([path, 503]);
  } finally {
    await service.close();
  }
});

describe('a Redis that has no room', () => {
  testNative(
    'refuses what is to be kept, while it answers what is asked; nothing is acknowledged and lost, and it heals',
    async () => {
      const own = await ownRedis();
      await own.start();
      const client = connectRedis(own.url, 'tests-fill', { kind: 'patient' }, silentLog);
      const service = await startTestService({ redisUrl: own.url, prefix, env: {} });
      try {
        // A job that is asked for already is the same job, and nothing is written.
        for (const [method, path, body, status] of writes.filter(([, path]) => path !== '/jobs'))
          expect([path, (await service.call(method, path, body)).status]).toEqual([path, status]);
        const offer = { name: 'o', benefit: { kind: 'content' }, channels: ['web'] };
        expect((await service.call('PUT', '/offers/o', offer)).status).toBe(200);
        const ask = { customerId: 'known', channel: 'web', placements: ['home'] };
        const decided = await service.call('POST', '/offers/decide', ask);
        expect(decided.body).toMatchObject({ degraded: false, decisionId: expect.any(String) });
        const snapshot = join(own.folder, 'dump.rdb');
        const saved = async (status: string) => {
          await client.bgsave('SCHEDULE');
          await eventually(async () =>
            expect(await client.info('persistence')).toContain(`rdb_last_bgsave_status:${status}`),
          );
        };
        const faults = [
          {
            says: 'OOM',
            cure: 'raise maxmemory',
            begin: () => client.config('SET', 'maxmemory', '1'),
            end: () => client.config('SET', 'maxmemory', '0'),
          },
          {
            says: 'MISCONF',
            cure: 'disk',
            // A folder stands where the snapshot should: Redis cannot write it, and takes nothing more (MISCONF).
            begin: async () => {
              await client.config('SET', 'save', '3600 1');
              await mkdir(join(snapshot, 'full'), { recursive: true });
              await saved('err');
            },
            end: async () => {
              await rm(snapshot, { recursive: true });
              await saved('ok');
            },
          },
          {
            says: 'NOREPLICAS',
            cure: 'min-replicas-to-write',
            // As operations.md advises for a primary with replicas: none follows.
            begin: () => client.config('SET', 'min-replicas-to-write', '1'),
            end: () => client.config('SET', 'min-replicas-to-write', '0'),
          },
          {
            says: 'READONLY',
            cure: 'name the primary',
            begin: () => client.replicaof('127.0.0.1', 9),
            end: () => client.replicaof('NO', 'ONE'),
          },
        ];
        for (const { says, cure, begin, end } of faults) {
          const length = await client.xlen(keys.eventStream);
          await begin();
          for (const [method, path, body] of writes) {
            const refused = await service.call(method, path, body);
            expect([path, refused.status, refused.body?.code]).toEqual([path, 503, 'STORE_REFUSES_WRITES']);
            expect(refused.body.title).toBe('Redis takes no writes');
            expect(refused.body.detail).toContain(says);
            expect(refused.body.detail).toContain(cure);
            expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
          }
          const undecided = await service.call('POST', '/offers/decide', ask);
          expect(undecided).toMatchObject({ status: 200, body: { degraded: true, decisionId: null } });
          // On the disk, and so on its way, whatever Redis says: "nothing was changed" would not be true.
          const erased = await service.call('DELETE', '/customers/leaving');
          expect([erased.status, erased.body.state]).toEqual([202, 'waiting']);
          expect((await service.call('GET', `/erasures/${erased.body.receiptId}`)).body).toEqual(erased.body);
          expect((await service.call('GET', '/customers/known/profile')).status).toBe(200);
          expect((await service.call('GET', '/recommendations?customerId=known')).status).toBe(200);
          expect(await client.xlen(keys.eventStream)).toBe(length);
          await end();
          const accepted = await service.call('POST', '/events', { ...order, eventId: `after-${length}` });
          expect(accepted.body).toMatchObject({ accepted: 1, deferred: 0 });
          expect(await client.xlen(keys.eventStream)).toBe(length + 1);
        }
      } finally {
        await service.close();
        client.disconnect();
        await own.remove();
      }
    },
  );

  test('is given room by the drain, and takes events again', async () => {
    const own = await ownRedis();
    await own.start();
    const client = connectRedis(own.url, 'tests-fill', { kind: 'patient' }, silentLog);
    const service = await startTestService({ redisUrl: own.url, prefix, env: {} });
    try {
      const long = {
        itemId: 'long' as ItemId,
        name: 'x'.repeat(2000),
        category: 'c',
        inStock: true,
        discontinued: false,
      };
      await appendEntries(
        client,
        keys,
        Array.from({ length: 4000 }, (_, at) => ({ kind: 'item', item: long, at })),
      );
      const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
      await client.config('SET', 'maxmemory', String(used - 3_000_000));
      expect((await service.call('POST', '/events', order)).status).toBe(503);
      const recordStore = createRecordStore(client, keys);
      await drainAll({
        redis: client,
        keys,
        lake: await testLake(),
        recordStore,
        now: Date.now,
        tombstones: nobodyErased(keys),
        onEvents: undefined,
      });
      expect((await service.call('POST', '/events', order)).body).toMatchObject({ accepted: 1, deferred: 0 });
    } finally {
      await service.close();
      client.disconnect();
      await own.remove();
    }
  });
});
