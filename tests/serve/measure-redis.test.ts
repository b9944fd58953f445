import { Registry } from 'prom-client';
import { afterAll, expect, test } from 'vitest';
import { connectRedis, untilReady } from '../../src/infra/redis.ts';
import { createHistogram } from '../../src/infra/resolved-metrics.ts';
import { measureRedis } from '../../src/serve/measure-redis.ts';
import { eventually } from '../support/eventually.ts';
import { silentLog, testRedis } from '../support/redis.ts';
import { startTestService } from '../support/service.ts';

const { url, prefix } = testRedis();
const redis = connectRedis(url, 'tests-measured', { kind: 'failFast', timeoutMs: 5000 }, silentLog);
afterAll(() => redis.disconnect());

test('commands are counted by name, whichever way they are sent; one that is not of ours has no label of its own', async () => {
  const registry = new Registry();
  const duration = createHistogram(registry, {
    labelNames: ['command', 'outcome'] as const,
    name: 'duration_seconds',
    help: 'for the test',
    buckets: [1],
  });
  await untilReady(redis, 200_000);
  measureRedis(redis, duration);
  await Promise.all([redis.get(`${prefix}:a`), redis.getBuffer(`${prefix}:b`)]);
  await redis.callBuffer('EVALSHA', '0'.repeat(40), 0).catch(() => {});
  await redis.echo('of no concern');
  const counted = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('duration_seconds_count') && !line.endsWith(' 0'));
  expect(counted.sort()).toEqual([
    'duration_seconds_count{command="evalsha",outcome="error"} 1',
    'duration_seconds_count{command="get",outcome="ok"} 2',
    'duration_seconds_count{command="other",outcome="ok"} 1',
  ]);
});

test('whatever the service sends has a name among the labels', async () => {
  const service = await startTestService({ redisUrl: url, prefix });
  try {
    const offer = {
      name: 'Ten off',
      benefit: { kind: 'percentOff', percent: 5 },
      channels: ['web', 'email'],
    };
    const calls = [
      [
        'POST',
        '/events',
        { type: 'purchase', customerId: 'a', lines: [{ itemId: 'tea-0', unitPriceMinor: 9000 }] },
      ],
      ['POST', '/events', { type: 'view', sessionId: 's', lines: [{ itemId: 'tea-0' }] }],
      ['PUT', '/customers/a', { loyaltyTier: 'gold' }],
      ['GET', '/customers/a/profile'],
      ['GET', '/recommendations?customerId=a&sessionId=s'],
      ['PUT', '/items/tea-0', { name: 'Tea no. 0', category: 'tea' }],
      ['GET', '/items/tea-0'],
      ['PUT', '/offers/ten', offer],
      ['GET', '/offers'],
      ['GET', '/offers/ten'],
      ['GET', '/customers/a/offers'],
      ['GET', '/readyz'],
    ] as const;
    for (const [method, path, body] of calls)
      expect((await service.call(method, path, body)).status, `${method} ${path}`).toBeLessThan(300);
    const decisionId = await eventually(async () => {
      const { body } = await service.call('POST', '/offers/decide', { customerId: 'a', channel: 'web' });
      expect(JSON.stringify(body.placements)).toContain('"ten"');
      return body.decisionId;
    });
    expect((await service.call('GET', `/decisions/${decisionId}`)).status).toBe(200);
    const outcome = { offerId: 'ten', outcome: 'redeemed' };
    expect((await service.call('POST', `/decisions/${decisionId}/outcomes`, outcome)).status).toBe(202);
    expect((await service.call('DELETE', '/offers/ten')).status).toBe(204);
    const { text } = await service.call('GET', '/metrics');
    const named = new Set([...text.matchAll(/command="(\w+)"/g)].map((match) => match[1]));
    expect([...named]).toEqual(expect.arrayContaining(['get', 'mget', 'evalsha', 'xadd', 'hget', 'connect']));
    expect(named).not.toContain('other');
  } finally {
    await service.close();
  }
});
