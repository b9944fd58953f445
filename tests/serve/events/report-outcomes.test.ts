import { afterAll, beforeAll, expect, test } from 'vitest';
import { fiveOff, offerFiveOff } from '../../support/five-off.ts';
import { timesRedeemed } from '../../support/offer-counts.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let service: TestService;
const { offerId } = fiveOff;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  await offerFiveOff(service);
});
afterAll(() => service.close());

async function decided(subject: { customerId: string } | { sessionId: string }): Promise<string> {
  const lines = [{ itemId: 'tea-1', quantity: 2, unitPriceMinor: 5000 }];
  await service.call('POST', '/events', { type: 'purchase', ...subject, lines });
  const { body } = await service.call('POST', '/offers/decide', { ...subject, channel: 'web' });
  expect(body.placements[0].offers).toHaveLength(1);
  return body.decisionId;
}
const tell = async (events: object[]) => {
  const { status, body } = await service.call(
    'POST',
    '/events',
    events.map((event) => ({ type: 'offerOutcome', offerId, ...event })),
  );
  expect(status).toBe(202);
  return body;
};
const budget = async () => (await service.call('GET', `/offers/${offerId}/budget`)).body;
const outcomesOf = async (decisionId: string) =>
  (await service.call('GET', `/decisions/${decisionId}`)).body.outcomes;

test('outcomes among other events are settled: a redemption is paid for, a dismissal gives back; and each counts once by either way', async () => {
  const [buyer, weary] = [await decided({ customerId: 'buyer' }), await decided({ customerId: 'weary' })];
  const before = await budget();
  const redeemedBefore = (await timesRedeemed(redis, keys))[offerId] ?? 0;
  const events = [
    { customerId: 'buyer', decisionId: buyer, outcome: 'clicked' },
    { customerId: 'buyer', decisionId: buyer, outcome: 'redeemed', valueMinor: 9000, costMinor: 320 },
    { customerId: 'weary', decisionId: weary, outcome: 'dismissed' },
  ];
  for (const status of ['accepted', 'duplicate']) {
    const { results } = await tell(events);
    for (const result of results) expect(result).toMatchObject({ status, outcome: 'counted' });
  }
  const report = { offerId, outcome: 'redeemed' };
  const { body } = await service.call('POST', `/decisions/${buyer}/outcomes`, report);
  expect(body).toMatchObject({ duplicate: true, attributed: true });

  const after = await budget();
  expect(after.reserved.count).toBe(before.reserved.count - 2);
  expect(after.confirmed.amountMinor).toBe(before.confirmed.amountMinor + 320);
  expect((await timesRedeemed(redis, keys))[offerId]).toBe(redeemedBefore + 1);
  // Both are told within a millisecond, it may be: then their ids set their order.
  const told: { outcome: string }[] = await outcomesOf(buyer);
  expect(told.sort((a, b) => a.outcome.localeCompare(b.outcome))).toMatchObject([
    { outcome: 'clicked' },
    { outcome: 'redeemed', valueMinor: 9000, costMinor: 320 },
  ]);
  const { features } = (await service.call('GET', '/customers/buyer/profile')).body;
  expect(features.offersRedeemed).toBe(1);
});

test("what a guest was offered counts for the customer who has logged in since; nobody else's outcome settles it", async () => {
  const decisionId = await decided({ sessionId: 'visit' });
  await service.call('PUT', '/customers/member/merge/visit');
  const before = await budget();
  const ofOther = await tell([
    { customerId: 'somebody-else', decisionId, outcome: 'redeemed' },
    { customerId: 'member', decisionId, outcome: 'redeemed', offerId: 'another' },
    { customerId: 'member', decisionId: 'of-another-engine', outcome: 'viewed' },
  ]);
  for (const result of ofOther.results)
    expect(result).toMatchObject({ status: 'accepted', outcome: 'unknown' });
  expect(await budget()).toEqual(before);

  const { results } = await tell([{ customerId: 'member', decisionId, outcome: 'redeemed' }]);
  expect(results[0]).toMatchObject({ status: 'accepted', outcome: 'counted' });
  expect((await budget()).confirmed.count).toBe(before.confirmed.count + 1);
});

test('an outcome that is rejected settles nothing, and events of other kinds do not speak of outcomes', async () => {
  const decisionId = await decided({ customerId: 'foreign' });
  const before = await budget();
  const { results } = await tell([
    { customerId: 'foreign', decisionId, outcome: 'redeemed', currency: 'USD' },
    { type: 'visit', customerId: 'foreign', offerId: undefined },
  ]);
  expect(results).toMatchObject([{ status: 'rejected' }, { status: 'accepted' }]);
  for (const result of results) expect(result.outcome).toBeUndefined();
  expect(await budget()).toEqual(before);
});

test("an outcome under another event's id is told so and settles nothing, the other in the same request or before", async () => {
  const decisionId = await decided({ customerId: 'numbered' });
  const before = await budget();
  const one = { customerId: 'numbered', eventId: 'order-78' };
  const redeemed = { ...one, decisionId, outcome: 'redeemed' };
  const bought = { type: 'purchase', lines: [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 5000 }] };
  const { results } = await tell([{ ...one, ...bought, offerId: undefined }, redeemed]);
  expect(results).toMatchObject([{ status: 'accepted' }, { status: 'duplicate', outcome: 'conflict' }]);
  expect((await tell([redeemed])).results).toMatchObject([{ status: 'duplicate', outcome: 'conflict' }]);
  expect(await budget()).toEqual(before);
  expect(await outcomesOf(decisionId)).toEqual([]);

  const own = { ...redeemed, eventId: 'redeemed-78' };
  for (const status of ['accepted', 'duplicate'])
    expect((await tell([own])).results).toMatchObject([{ status, outcome: 'counted' }]);
  expect((await budget()).confirmed.count).toBe(before.confirmed.count + 1);
});
