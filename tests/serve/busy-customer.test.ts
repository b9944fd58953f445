/** A customer of whom many callers tell at once: what she withdraws counts with the next answer all the same. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { markerTtlMs } from '../../src/features/event-markers.ts';
import { cuttableRedis } from '../support/cuttable-redis.ts';
import { eventually } from '../support/eventually.ts';
import { testOneServer } from '../support/redis.ts';
import { startTestService, type TestService } from '../support/service.ts';

const { url: redisUrl, prefix, redis, keys } = testOneServer();
let services: TestService[];
beforeAll(async () => {
  services = [await startTestService({ redisUrl, prefix }), await startTestService({ redisUrl, prefix })];
  await services[0]?.call('PUT', '/offers/early', {
    name: 'Early',
    benefit: { kind: 'earlyAccess', costMinor: 0 },
    channels: ['email', 'web'],
    retention: true,
    priorityLever: 100,
  });
});
afterAll(async () => {
  for (const service of services) await service.close();
});

test('no offer is made after consent was withdrawn, or a complaint told of, while 32 callers post views', async () => {
  const [one, two] = services as [TestService, TestService];
  const decide = async (customerId: string, channel: string, dryRun: boolean) =>
    (await two.call('POST', '/offers/decide', { customerId, channel, dryRun })).body.placements[0].offers
      .length as number;
  for (let round = 0; round < 12; round++) {
    const customerId = `busy-${round}`;
    const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 5000 }];
    await one.call('POST', '/events', { type: 'purchase', customerId, lines });
    expect((await one.call('PUT', `/customers/${customerId}`, { consent: { email: true } })).status).toBe(
      200,
    );
    await eventually(async () => expect(await decide(customerId, 'email', true)).toBe(1));
    let isOver = false;
    let deferred = 0;
    const callers = Array.from({ length: 32 }, async (_, n) => {
      while (!isOver) {
        const view = { type: 'view', customerId, lines: [{ itemId: 'tea-1' }] };
        const { status, body } = await (n % 2 === 0 ? one : two).call('POST', '/events', view);
        expect(status).toBe(202);
        deferred += body.deferred;
      }
    });
    const withdrawn = await one.call('PUT', `/customers/${customerId}`, { consent: { email: false } });
    expect(withdrawn.status).toBe(200);
    expect(withdrawn.body.attributes.consent.email).toBe(false);
    expect(await decide(customerId, 'email', false)).toBe(0);
    const complaint = { type: 'contact', customerId, complaint: 'opened' };
    expect((await one.call('POST', '/events', complaint)).status).toBe(202);
    expect(await decide(customerId, 'web', false)).toBe(0);
    isOver = true;
    await Promise.all(callers);
    expect(deferred).toBe(0);
  }
});

test('attributes that are in the history and not in force yet are 503, and 200 once they are sent again', async () => {
  const way = await cuttableRedis(redisUrl);
  onTestFinished(way.close);
  const service = await startTestService({
    redisUrl: way.url,
    prefix,
    env: { REDIS_TIMEOUT_MS: '500' },
  });
  onTestFinished(service.close);
  const before = await redis.xlen(keys.eventStream);
  // Of all that is sent, what sets a marker and the record with it names how long markers live.
  const held = way.hold(String(markerTtlMs));
  const put = service.call('PUT', '/customers/late', { consent: { email: false } });
  await held;
  const { status, headers, body } = await put;
  expect([status, body.code]).toEqual([503, 'STORE_UNAVAILABLE']);
  expect(body.detail).toContain('not in force yet');
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await redis.xlen(keys.eventStream)).toBe(before + 1);
  await way.cut();
  await way.mend();
  await eventually(async () =>
    expect(
      (await service.call('PUT', '/customers/late', { consent: { email: false } })).body.attributes,
    ).toMatchObject({ consent: { email: false } }),
  );
});
