/** Past the bound of the event stream nothing more is taken, by whichever way it comes, and nothing of it is half done. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
const streamMaxLength = 1000;
let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    redisUrl,
    prefix,
    bare: true,
    env: { STREAM_MAX_LENGTH: String(streamMaxLength) },
  });
});
afterAll(() => service.close());

const tea = { itemId: 'tea', name: 'Tea', category: 'drinks', priceMinor: 500 };
const offer = { name: 'Five', benefit: { kind: 'percentOff', percent: 5 }, channels: ['web'] };

/** One entry for each that waits, until the bound; nobody drains them. */
async function fill(): Promise<void> {
  const filling = redis.pipeline();
  for (let length = await redis.xlen(keys.eventStream); length < streamMaxLength; length++)
    filling.xadd(keys.eventStream, '*', 'e', '{}');
  await filling.exec();
}

test('a full event stream refuses events, catalogue changes, log-ins and outcomes with 429, and takes them once there is room', async () => {
  expect((await service.call('PUT', '/items/tea', tea)).status).toBe(200);
  expect((await service.call('PUT', '/offers/five', offer)).status).toBe(200);
  const seen = { type: 'view', sessionId: 'guest-1', lines: [{ itemId: 'tea' }] };
  expect((await service.call('POST', '/events', seen)).status).toBe(202);
  // The service may not have heard of the offer yet, and now and then it tries what comes of nothing.
  const decided = await eventually(async () => {
    const made = await service.call('POST', '/offers/decide', { customerId: 'anna', channel: 'web' });
    expect(made.body.placements[0].offers).toHaveLength(1);
    return made;
  });
  const outcome = { offerId: 'five', outcome: 'viewed' };

  await fill();
  const calls: [method: string, path: string, body?: unknown][] = [
    ['POST', '/events', { type: 'view', customerId: 'anna', lines: [{ itemId: 'tea' }] }],
    ['POST', '/items', [{ ...tea, itemId: 'coffee' }]],
    ['PUT', '/items/tea', { ...tea, priceMinor: 900 }],
    ['DELETE', '/items/tea'],
    ['POST', '/offers', [{ ...offer, offerId: 'six' }]],
    ['PUT', '/offers/five', { ...offer, name: 'Fifty' }],
    ['DELETE', '/offers/five'],
    ['PUT', '/customers/anna/merge/guest-1'],
    ['POST', `/decisions/${decided.body.decisionId}/outcomes`, outcome],
  ];
  for (const [method, path, body] of calls) {
    const { status, headers, body: problem } = await service.call(method, path, body);
    expect({ path, status, code: problem.code }).toEqual({ path, status: 429, code: 'TOO_MANY_REQUESTS' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(await redis.xlen(keys.eventStream)).toBe(streamMaxLength);
  expect((await service.call('GET', '/items/tea')).body).toMatchObject(tea);
  expect((await service.call('GET', '/offers/five')).body.name).toBe('Five');

  await redis.xtrim(keys.eventStream, 'MAXLEN', 0);
  const merged = await service.call('PUT', '/customers/anna/merge/guest-1');
  expect(merged.body).toMatchObject({ events: 1 });
  expect((await service.call('PUT', '/items/tea', { ...tea, priceMinor: 900 })).status).toBe(200);
});
