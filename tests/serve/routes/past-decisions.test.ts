import { afterAll, beforeAll, expect, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { drainAll } from '../../../src/history/drain.ts';
import { openLake } from '../../../src/history/lake.ts';
import { deleteEach, testRedis } from '../../support/redis.ts';
import { eventually, startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
});
afterAll(() => service.close());

/** As the worker does. */
async function drain(): Promise<void> {
  const lake = await openLake(service.dataDir, { threads: 1, memoryMb: 256 });
  await drainAll({ redis, keys, lake, recordStore: createRecordStore(redis, keys), now: () => Date.now() });
  lake.close();
}

async function forget(decisionId: string): Promise<void> {
  await deleteEach(redis, [keys.decision(decisionId), keys.decisionOutcomes(decisionId)]);
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

test('an id that nobody gave out, or that tells no time, is of no decision', async () => {
  for (const decisionId of [newDecisionId(Date.now()), 'order-1', '0190163d-8694-4b71-9b71-2c4f8a3d1e55'])
    expect((await service.call('GET', `/decisions/${decisionId}`)).status).toBe(404);
});
