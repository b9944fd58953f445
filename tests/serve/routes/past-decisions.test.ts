import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { drainAll } from '../../../src/history/drain.ts';
import { openLake } from '../../../src/history/lake.ts';
import { forgetDecision } from '../../../src/infra/decision-places.ts';
import { createPastDecisions } from '../../../src/serve/decide/past-decisions.ts';
import { eventually } from '../../support/eventually.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
});
afterAll(() => service.close());

/** As the worker does. */
async function drain(): Promise<void> {
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
}

async function forget(decisionId: string): Promise<void> {
  expect(await forgetDecision(decisionId, { redis, keys })).toBeGreaterThan(0);
}

test('a decision is explained in full as long as the lake is there, and its outcomes are still taken', async () => {
  const eligibility = { feature: 'purchaseCount', gte: 1, reasonCode: 'buyers' };
  const offer = {
    offerId: 'ten',
    name: 'Ten off',
    benefit: { kind: 'percentOff', percent: 10 },
    channels: ['web'],
    eligibility,
  };
  const [saved] = (await service.call('POST', '/offers', [offer])).body.saved;
  await service.call('POST', '/events', {
    type: 'purchase',
    customerId: 'anna',
    lines: [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 5000 }],
  });
  const ask = { customerId: 'anna', channel: 'web', context: { basketMinor: 4000 } };
  const decided = await eventually(async () => {
    const { body } = await service.call('POST', '/offers/decide', ask);
    expect(body.placements[0].offers).toHaveLength(1);
    return body;
  });
  // Answered with `explain` only.
  expect(decided.inputs).toBeUndefined();
  const path = `/decisions/${decided.decisionId}`;
  await service.call('POST', `${path}/outcomes`, { offerId: 'ten', outcome: 'viewed' });
  // The offer changes; the decision is explained with what it was.
  await service.call('POST', '/offers', [{ ...offer, name: 'Twenty off' }]);

  const recent = await service.call('GET', path);
  expect(recent.status).toBe(200);
  expect(recent.body).toMatchObject({
    ...decided,
    inputs: {
      features: { purchaseCount: 1, averageOrderValueMinor: 5000, openComplaints: 0 },
      tier: 'none',
      consent: {},
      basketMinor: 4000,
    },
    outcomes: [{ offerId: 'ten', outcome: 'viewed' }],
    offers: [{ ...saved, offer: { ...offer, eligibility } }],
    policy: { policy: { contact: { minGapHours: 12 }, exploration: { method: 'none' } } },
  });
  expect(recent.body.placements[0].offers[0].terms.orderMinor).toBe(4000);

  await drain();
  await forget(decided.decisionId);
  const old = await service.call('GET', path);
  expect(old.body).toEqual(recent.body);
  const late = await service.call('POST', `${path}/outcomes`, { offerId: 'ten', outcome: 'clicked' });
  expect(late.status).toBe(202);
  const after = (await service.call('GET', path)).body.outcomes;
  expect(after.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['viewed', 'clicked']);
  // And when the lake has that one too.
  await drain();
  await forget(decided.decisionId);
  await eventually(async () => expect((await service.call('GET', path)).body.outcomes).toEqual(after));
});

test('every reason by which the customer was protected can be checked in what was known of her', async () => {
  const percentOff = (offerId: string, percent: number) => ({
    offerId,
    name: offerId,
    benefit: { kind: 'percentOff', percent },
    channels: ['email'],
    caps: [{ of: 'made', times: 1, days: 30 }],
  });
  await service.call('POST', '/offers', [percentOff('three', 3), percentOff('four', 4)]);
  const customerId = 'berta';
  await service.call('PUT', `/customers/${customerId}`, {
    consent: { email: true },
    timeZone: 'Asia/Tokyo',
    segment: 'north',
  });
  const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 9000 }];
  await service.call('POST', '/events', { type: 'purchase', customerId, lines });
  const ask = (campaign: string) =>
    service.call('POST', '/offers/decide', { customerId, channel: 'email', campaign });
  const explained = async (decisionId: string) =>
    (await service.call('GET', `/decisions/${decisionId}`)).body;
  const first = await eventually(async () => {
    const { body } = await service.call('POST', '/offers/decide', {
      customerId,
      channel: 'email',
      dryRun: true,
    });
    expect(body.excluded.map(({ offerId }: { offerId: string }) => offerId)).toContain('four');
    return (await ask('spring')).body;
  });
  expect(first.placements[0].offers[0].offerId).toBe('three');
  const why = await explained(first.decisionId);
  // Passed over: what it would have been worth, and why.
  const four = why.excluded.find(({ offerId }: { offerId: string }) => offerId === 'four');
  expect(four.expectedValue).toBeLessThan(first.placements[0].offers[0].expectedValue);
  expect(four.terms).toMatchObject({ source: 'prior', orderMinor: 9000 });
  expect(why.inputs).toMatchObject({
    segment: 'north',
    features: { totalSpendMinor: 9000, ratingCount: 0, recentContacts: 0 },
    contacts: { timeZone: 'Asia/Tokyo', lastContactAt: null, limit: null, lowRatedAt: null, answers: [] },
  });
  expect(why.inputs.churnRisk).toBeGreaterThan(0);

  const second = (await ask('summer')).body;
  expect(second.excluded).toContainEqual(
    expect.objectContaining({ offerId: 'four', reasonCode: 'minimum-gap' }),
  );
  expect((await explained(second.decisionId)).inputs.contacts).toMatchObject({
    lastContactAt: first.decidedAt,
    limit: 'minimum-gap',
    caps: [{ channels: ['email'], times: 3, days: 7, counted: 1 }],
    offers: [{ offerId: 'three', made: 1, lastAt: first.decidedAt, open: true }],
  });

  await service.call('POST', '/events', { type: 'rating', customerId, rating: 1 });
  const third = (await ask('autumn')).body;
  expect(third.excluded).toContainEqual(
    expect.objectContaining({ offerId: 'four', reasonCode: 'low-rating' }),
  );
  const { contacts } = (await explained(third.decisionId)).inputs;
  expect(Date.parse(contacts.lowRatedAt)).toBeGreaterThan(Date.parse(first.decidedAt));
});

test('an offer may ask what the models make of a customer, and says so where none can tell', async () => {
  const forScore = (offerId: string, eligibility: object) => ({
    offerId,
    name: offerId,
    benefit: { kind: 'freeDelivery', costMinor: 10 },
    channels: ['app'],
    eligibility,
  });
  const faulty = await service.call('POST', '/offers', [
    forScore('no', { score: 'churnRisk', in: ['high'] }),
  ]);
  expect(faulty.status).toBe(400);
  expect(faulty.body.faults.map(({ path }: { path: string }) => path)).toContain('body[0].eligibility.in');
  await service.call('POST', '/offers', [
    forScore('at-risk', { score: 'churnRisk', gt: 0 }),
    forScore('not-at-risk', { not: { score: 'churnRisk', gt: 0 } }),
    // No value model is served here.
    forScore('for-champions', { score: 'rfmSegment', in: ['champion'], reasonCode: 'champions-only' }),
  ]);
  const reasonsFor = async (who: object) => {
    const { body } = await service.call('POST', '/offers/decide', { ...who, channel: 'app' });
    const made = body.placements[0].offers.map(({ offerId }: { offerId: string }) => [offerId, 'made']);
    const excluded = body.excluded.map(({ offerId, reasonCode }: Record<string, string>) => [
      offerId,
      reasonCode,
    ]);
    return Object.fromEntries([...made, ...excluded]);
  };
  await eventually(async () =>
    expect(await reasonsFor({ customerId: 'anna' })).toMatchObject({
      'at-risk': 'made',
      'not-at-risk': 'score:churnRisk',
      'for-champions': 'unknown:rfmSegment',
    }),
  );
  expect(await reasonsFor({ sessionId: 'guest' })).toMatchObject({
    'at-risk': 'unknown:churnRisk',
    'not-at-risk': 'unknown:churnRisk',
  });
});

test('what stands is explained, where that is asked, with what the log has of it', async () => {
  const path = '/customers/anna/offers?channel=web&explain=true';
  const { body } = await service.call('GET', path);
  expect(body.inputs.features.purchaseCount).toBe(1);
  const again = await service.call('GET', path);
  expect(again.body).toEqual(body);
  const logged = (await service.call('GET', `/decisions/${body.decisionId}`)).body;
  expect(logged).toMatchObject({ inputs: body.inputs, excluded: body.excluded });
  const plain = await service.call('GET', '/customers/anna/offers?channel=web');
  expect(plain.body).toMatchObject({ decisionId: body.decisionId });
  expect(plain.body.inputs).toBeUndefined();
});

test('an id that nobody gave out, or that tells no time, is of no decision', async () => {
  for (const decisionId of [newDecisionId(Date.now()), 'order-1', '0190163d-8694-4b71-9b71-2c4f8a3d1e55'])
    expect((await service.call('GET', `/decisions/${decisionId}`)).status).toBe(404);
});

test('who waits for the lake counts among those at the lake, and no more than so many wait for one answer', async () => {
  const atLake = { value: 0 };
  const past = createPastDecisions(service.dataDir, () => Date.now(), atLake);
  onTestFinished(past.close);
  const decisionId = newDecisionId(Date.now());
  const asked = Promise.allSettled(Array.from({ length: 258 }, () => past.find(decisionId)));
  const many = past.findMany([decisionId]);
  expect(atLake.value).toBe(259);
  const refused = (await asked).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(7);
  for (const { reason } of refused as PromiseRejectedResult[])
    expect(reason).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  expect((await many).size).toBe(0);
  expect(atLake.value).toBe(0);
});
