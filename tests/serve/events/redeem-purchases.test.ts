import { afterAll, beforeAll, expect, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import { keepOutlines, type LoggedDecision, readOutline } from '../../../src/decide/decision-log.ts';
import { EventInput } from '../../../src/domain/event.ts';
import type { EventId } from '../../../src/domain/ids.ts';
import { dayMs, hourMs } from '../../../src/domain/time.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { drainAll } from '../../../src/history/drain.ts';
import { openLake } from '../../../src/history/lake.ts';
import { forgetDecision } from '../../../src/infra/decision-places.ts';
import type { PastDecisions } from '../../../src/serve/decide/past-decisions.ts';
import { offerOf } from '../../../src/serve/decide/report-outcome.ts';
import type { Deps } from '../../../src/serve/deps.ts';
import { redeemPurchases } from '../../../src/serve/events/redeem-purchases.ts';
import { findOutcomes } from '../../../src/serve/events/report-outcomes.ts';
import { eventually } from '../../support/eventually.ts';
import { fiveOff, offerFiveOff } from '../../support/five-off.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { timesRedeemed } from '../../support/offer-counts.ts';
import { noon } from '../../support/offers.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  await offerFiveOff(service);
});
afterAll(() => service.close());

const line = { itemId: 'tea-1', quantity: 2, unitPriceMinor: 5000 };
async function decided(customerId: string): Promise<string> {
  await service.call('POST', '/events', { type: 'purchase', customerId, lines: [line] });
  const { body } = await service.call('POST', '/offers/decide', { customerId, channel: 'web' });
  expect(body.placements[0].offers).toHaveLength(1);
  return body.decisionId;
}
const buy = async (customerId: string, redeemed: object[], more: object = {}) =>
  (
    await service.call('POST', '/events', {
      type: 'purchase',
      customerId,
      channel: 'store',
      lines: [line],
      redeemed,
      ...more,
    })
  ).body;
const outcomesOf = async (decisionId: string) =>
  (await service.call('GET', `/decisions/${decisionId}`)).body.outcomes;
const budget = async () => (await service.call('GET', '/offers/five-off/budget')).body;

test('a till that knows the offer alone redeems the last that the customer was given; repeats change nothing', async () => {
  const decisionId = await decided('till');
  const before = await budget();
  const redeemedBefore = (await timesRedeemed(redis, keys))['five-off'] ?? 0;
  const order = { eventId: 'order-1', orderId: '1' };
  for (let n = 0; n < 3; n++) {
    const { results } = await buy('till', [{ offerId: 'five-off' }], order);
    expect(results[0]).toEqual({
      eventId: 'order-1',
      status: n === 0 ? 'accepted' : 'duplicate',
      redemptions: [{ offerId: 'five-off', decisionId, status: 'redeemed' }],
    });
  }
  expect(await outcomesOf(decisionId)).toMatchObject([{ outcome: 'redeemed', valueMinor: 10_000 }]);
  // Told of by the other way too, it is still one.
  const report = { offerId: 'five-off', outcome: 'redeemed' };
  const { body } = await service.call('POST', `/decisions/${decisionId}/outcomes`, report);
  expect(body.duplicate).toBe(true);
  expect((await timesRedeemed(redis, keys))['five-off']).toBe(redeemedBefore + 1);
  const after = await budget();
  expect(after.confirmed.amountMinor).toBe(before.confirmed.amountMinor + 500);
  expect(after.reserved.count).toBe(before.reserved.count - 1);
  expect(after.remains.amountMinor).toBe(before.remains.amountMinor);
  const { features } = (await service.call('GET', '/customers/till/profile')).body;
  expect(features).toMatchObject({ offersRedeemed: 1, purchaseCount: 2 });
});

test('who knows the decision, and what it has cost, says so', async () => {
  const decisionId = await decided('exact');
  const before = await budget();
  const { results } = await buy('exact', [{ offerId: 'five-off', decisionId, costMinor: 320 }]);
  expect(results[0].redemptions).toEqual([{ offerId: 'five-off', decisionId, status: 'redeemed' }]);
  expect((await budget()).confirmed.amountMinor).toBe(before.confirmed.amountMinor + 320);
  expect(await outcomesOf(decisionId)).toMatchObject([{ valueMinor: 10_000, costMinor: 320 }]);
});

test('what a guest was offered is redeemed by the customer who has logged in since, the decision named or not; by nobody else', async () => {
  const redeemedAfter = async (visit: string, customerId: string, named: boolean) => {
    await service.call('POST', '/events', { type: 'purchase', sessionId: visit, lines: [line] });
    const { body } = await service.call('POST', '/offers/decide', { sessionId: visit, channel: 'web' });
    expect(body.placements[0].offers).toHaveLength(1);
    const { decisionId } = body;
    expect((await service.call('PUT', `/customers/${customerId}/merge/${visit}`)).status).toBe(200);
    const redeemed = [{ offerId: 'five-off', ...(named && { decisionId }) }];
    const ofOther = await buy('somebody-else', redeemed);
    expect(ofOther.results[0].redemptions[0].status).toBe('unknown');
    const { results } = await buy(customerId, redeemed);
    expect(results[0].redemptions).toEqual([{ offerId: 'five-off', decisionId, status: 'redeemed' }]);
  };
  await redeemedAfter('visit-named', 'member-1', true);
  await redeemedAfter('visit-unnamed', 'member-2', false);
});

test.each([true, false])(
  'after the log-in a decision for the session is the customer’s, and redeemed by the session alone, named: %s',
  async (named) => {
    const [visit, customerId] = [`visit-after-${named}`, `member-after-${named}`];
    await service.call('POST', '/events', { type: 'purchase', sessionId: visit, lines: [line] });
    expect((await service.call('PUT', `/customers/${customerId}/merge/${visit}`)).status).toBe(200);
    const { body } = await service.call('POST', '/offers/decide', { sessionId: visit, channel: 'web' });
    const { decisionId } = body;
    expect(body).toMatchObject({ customerId, placements: [{ offers: [{ offerId: 'five-off' }] }] });
    const redeemed = [{ offerId: 'five-off', ...(named && { decisionId }) }];
    const purchase = { type: 'purchase', sessionId: visit, lines: [line], redeemed };
    const told = await service.call('POST', '/events', purchase);
    expect(told.body.results[0].redemptions).toEqual([
      { offerId: 'five-off', decisionId, status: 'redeemed' },
    ]);
  },
);

test('of a fallback there is nothing to redeem, whichever way it is told of, and nothing is counted', async () => {
  const banner = { name: 'News', benefit: { kind: 'content' }, channels: ['app'], fallback: true };
  await service.call('PUT', '/offers/banner', banner);
  const decisionId = await eventually(async () => {
    const { body } = await service.call('POST', '/offers/decide', { customerId: 'reader', channel: 'app' });
    expect(body.placements[0]).toMatchObject({ fallback: true, offers: [{ offerId: 'banner' }] });
    return body.decisionId as string;
  });
  const { accepted, results } = await buy('reader', [
    { offerId: 'banner' },
    { offerId: 'banner', decisionId },
  ]);
  expect(accepted).toBe(1);
  expect(results[0].redemptions).toEqual([
    { offerId: 'banner', status: 'fallback' },
    { offerId: 'banner', decisionId, status: 'fallback' },
  ]);
  // Somebody else's decision is unknown, as of any offer.
  const ofOther = await buy('stranger', [{ offerId: 'banner', decisionId }]);
  expect(ofOther.results[0].redemptions[0].status).toBe('unknown');
  const report = { offerId: 'banner', outcome: 'redeemed' };
  const refused = await service.call('POST', `/decisions/${decisionId}/outcomes`, report);
  expect(refused.status).toBe(409);
  expect(refused.body.detail).toContain('stood in as the fallback');
  const told = await service.call('POST', '/events', {
    type: 'offerOutcome',
    customerId: 'reader',
    decisionId,
    ...report,
  });
  expect(told.body.results[0]).toMatchObject({ status: 'accepted', outcome: 'fallback' });
  expect((await timesRedeemed(redis, keys)).banner).toBeUndefined();
  expect(await outcomesOf(decisionId)).toEqual([]);
  const clicked = await service.call('POST', `/decisions/${decisionId}/outcomes`, {
    ...report,
    outcome: 'clicked',
  });
  expect(clicked.status).toBe(202);
  expect(await outcomesOf(decisionId)).toMatchObject([{ outcome: 'clicked' }]);
});

test('an offer that this customer was never given is no reason to refuse the purchase', async () => {
  const decisionId = await decided('giver');
  const { accepted, results } = await buy('taker', [
    { offerId: 'five-off' },
    { offerId: 'five-off', decisionId },
    { offerId: 'no-such-offer', decisionId },
  ]);
  expect(accepted).toBe(1);
  expect(results[0].redemptions.map(({ status }: { status: string }) => status)).toEqual([
    'unknown',
    'unknown',
    'unknown',
  ]);
  expect(await outcomesOf(decisionId)).toEqual([]);
});

test('a redemption counts once for caps, told under two ids, by two ways, or of two decisions that showed the offer', async () => {
  const customerId = 'told-twice';
  const first = await decided(customerId);
  const second = await decided(customerId);
  const tell = (decisionId: string, eventId: string) => {
    const report = { offerId: 'five-off', outcome: 'redeemed', eventId };
    return service.call('POST', `/decisions/${decisionId}/outcomes`, report);
  };
  expect((await tell(first, 'till-1')).status).toBe(202);
  expect((await tell(second, 'till-2')).status).toBe(202);
  await buy(customerId, [{ offerId: 'five-off', decisionId: first }]);
  const told: { outcome: string }[] = (await service.call('GET', `/customers/${customerId}/data`)).body.record
    .offerAnswers;
  expect(told).toMatchObject([{ outcome: 'redeemed', givenBy: first }]);
  // Capped at two redemptions: it may be had once more, and then no more.
  const third = await decided(customerId);
  expect((await tell(third, 'till-3')).status).toBe(202);
  const { body } = await service.call('POST', '/offers/decide', { customerId, channel: 'web' });
  expect(body.excluded).toMatchObject([{ offerId: 'five-off', reasonCode: 'offer-cap' }]);
});

test('an offer that one purchase has redeemed is told so of another, whose cost is counted apart, once', async () => {
  const decisionId = await decided('twice');
  const before = await budget();
  const order = (orderId: string) => buy('twice', [{ offerId: 'five-off', decisionId }], { orderId });
  const statusOf = ({ results }: Awaited<ReturnType<typeof buy>>) => results[0].redemptions[0].status;
  expect(statusOf(await order('o-1'))).toBe('redeemed');
  for (const orderId of ['o-2', 'o-2']) expect(statusOf(await order(orderId))).toBe('repeated');
  // The first order, told again, is the one that has it.
  expect(statusOf(await order('o-1'))).toBe('redeemed');
  const after = await budget();
  expect(after.confirmed.amountMinor).toBe(before.confirmed.amountMinor + 500);
  expect(after.unbudgeted).toEqual({
    amountMinor: before.unbudgeted.amountMinor + 500,
    count: before.unbudgeted.count + 1,
  });
  expect(await outcomesOf(decisionId)).toHaveLength(1);
});

test('a redemption that is told of when nobody knows any more whether it was counted is refused by every way, and counts nowhere', async () => {
  const past = Date.now() - 90 * dayMs;
  const decisionId = newDecisionId(past);
  const recent = await readOutline(await decided('belated'), { redis, keys });
  const kept = (redeemableUntil: number) =>
    keepOutlines(
      [
        {
          decision: {
            ...(recent as LoggedDecision),
            decisionId,
            decidedAt: new Date(past).toISOString(),
            placements: [
              {
                offers: [
                  {
                    ...offerOf(recent!, 'five-off')!,
                    redeemableUntil: new Date(redeemableUntil).toISOString(),
                  },
                ],
              },
            ],
          } as unknown as LoggedDecision,
        },
      ],
      { redis, keys },
    );
  const before = await budget();
  await kept(Date.now() - 60 * dayMs);
  const { results } = await buy('belated', [{ offerId: 'five-off', decisionId }]);
  expect(results[0].redemptions).toEqual([{ offerId: 'five-off', decisionId, status: 'tooLate' }]);
  const outcome = { offerId: 'five-off', outcome: 'redeemed' };
  const reported = await service.call('POST', `/decisions/${decisionId}/outcomes`, outcome);
  expect(reported.status).toBe(409);
  expect(reported.body.detail).toContain('nothing was counted');
  const event = { ...outcome, type: 'offerOutcome', customerId: 'belated', decisionId };
  expect((await service.call('POST', '/events', event)).body.results[0].outcome).toBe('tooLate');
  expect(await budget()).toEqual(before);
  // An hour earlier it is taken, and known to be a repeat until then.
  await kept(Date.now() - 60 * dayMs + hourMs);
  const again = await buy('belated', [{ offerId: 'five-off', decisionId }]);
  expect(again.results[0].redemptions).toMatchObject([{ status: 'late' }]);
  expect((await budget()).confirmed.count).toBe(before.confirmed.count + 1);
});

test('a purchase of days before the decision that it names is not put down to the offer', async () => {
  const decisionId = await decided('hindsight');
  const { results } = await buy('hindsight', [{ offerId: 'five-off', decisionId }], {
    occurredAt: Date.now() - 3 * dayMs,
  });
  expect(results[0].redemptions).toEqual([{ offerId: 'five-off', decisionId, status: 'early' }]);
});

test('a purchase that is rejected redeems nothing; one without redemptions does not speak of them', async () => {
  const decisionId = await decided('rejected');
  const answer = await service.call('POST', '/events', [
    {
      type: 'purchase',
      customerId: 'rejected',
      lines: [line],
      currency: 'USD',
      redeemed: [{ offerId: 'five-off' }],
    },
    { type: 'purchase', customerId: 'rejected', lines: [line] },
  ]);
  expect(answer.body).toMatchObject({ accepted: 1, rejected: 1 });
  for (const result of answer.body.results) expect(result.redemptions).toBeUndefined();
  expect(await outcomesOf(decisionId)).toEqual([]);
});

test('an offer without a budget says so; what a budget has left is told in money and number', async () => {
  await service.call('POST', '/offers', [{ ...fiveOff, offerId: 'free', budget: undefined }]);
  expect((await service.call('GET', '/offers/free/budget')).status).toBe(404);
  expect((await service.call('GET', '/offers/never/budget')).status).toBe(404);
  const { budget: terms, period, remains, availableNow, unbudgeted } = await budget();
  expect(terms).toEqual({ amountMinor: 100_000, period: 'total', pacing: 'none' });
  expect(period).toBe('total');
  expect(remains).toEqual({ amountMinor: expect.any(Number), count: null });
  expect(availableNow).toEqual(remains);
  // By the offer that was redeemed twice, above.
  expect(unbudgeted).toEqual({ amountMinor: 500, count: 1 });
});

test('what many purchases, or many outcomes, name and Redis no longer has is one question to the lake', async () => {
  const questions: (readonly string[])[] = [];
  const past: PastDecisions = {
    find: () => Promise.reject(new Error('asked one by one')),
    findMany: async (decisionIds) => {
      questions.push(decisionIds);
      return new Map();
    },
  };
  const known = await decided('of-redis');
  const ids = Array.from({ length: 200 }, () => newDecisionId(noon));
  const purchases = [...ids, known].map((decisionId) => ({
    type: 'purchase' as const,
    eventId: `order-of-${decisionId}`,
    customerId: 'somebody-else',
    lines: [line],
    redeemed: [{ offerId: 'five-off', decisionId }],
  }));
  const redemptions = await redeemPurchases(
    purchases.map((purchase) => EventInput.parse(purchase)),
    purchases.map(({ eventId }) => ({ eventId: eventId as EventId, status: 'accepted' })),
    { redis, keys, past } as unknown as Deps,
  );
  expect(questions).toEqual([ids]);
  const outcomes = ids.map((decisionId) =>
    EventInput.parse({
      type: 'offerOutcome',
      customerId: 'somebody-else',
      decisionId,
      offerId: 'five-off',
      outcome: 'viewed',
    }),
  );
  const found = await findOutcomes(outcomes, { redis, keys, past } as unknown as Deps);
  expect(questions).toEqual([ids, ids]);
  expect([...found.byIndex.values()]).toEqual(ids.map(() => undefined));
  expect([...redemptions.values()].flat().map(({ status }) => status)).toEqual(
    purchases.map(() => 'unknown'),
  );
});

test('decisions that only the lake has are redeemed as any other, whatever else is named beside them', async () => {
  const old = [await decided('lake-1'), await decided('lake-2')];
  const lake = await openLake(service.dataDir, { threads: 1, memoryMb: 256 });
  await drainAll({
    redis,
    keys,
    lake,
    recordStore: createRecordStore(redis, keys),
    now: () => Date.now(),
    tombstones: nobodyErased(keys),
    onEvents: undefined,
  });
  lake.close();
  for (const decisionId of old) expect(await forgetDecision(decisionId, { redis, keys })).toBeGreaterThan(0);
  const redeeming = (customerId: string, ...redeemed: object[]) => ({
    type: 'purchase',
    customerId,
    channel: 'store',
    lines: [line],
    redeemed,
  });
  const { body } = await service.call('POST', '/events', [
    redeeming('lake-1', { offerId: 'five-off', decisionId: old[0] }),
    redeeming('lake-2', { offerId: 'five-off' }, { offerId: 'five-off', decisionId: newDecisionId(noon) }),
    redeeming('lake-1', { offerId: 'five-off', decisionId: old[1] }),
  ]);
  expect(body.results.map(({ redemptions }: { redemptions: unknown }) => redemptions)).toEqual([
    [{ offerId: 'five-off', decisionId: old[0], status: 'redeemed' }],
    [
      { offerId: 'five-off', decisionId: old[1], status: 'redeemed' },
      { offerId: 'five-off', status: 'unknown' },
    ],
    [{ offerId: 'five-off', status: 'unknown' }],
  ]);
});
