/** A profile with every model there, and the list for a CRM beside it: one answer, in the same words. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { customerValueFromFiles } from '../../../src/algorithms/customer-value/customer-value-files.ts';
import type { CustomerId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { openLake } from '../../../src/history/lake.ts';
import { writeSnapshot } from '../../../src/history/score-snapshots.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { newModelVersion } from '../../../src/infra/model-store.ts';
import { connectRedis } from '../../../src/infra/redis.ts';
import { createBatchScorer } from '../../../src/train/scores/score-customers.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { publishShopValueModel, shopChurnModel, shopValueFiles } from '../../support/shop-models.ts';

const { url, prefix } = testRedis();
const redis = connectRedis(url, 'tests-profile', { kind: 'failFast', timeoutMs: 5000 }, silentLog);
let dataDir: string;
let service: TestService;

const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString();
const orders: Readonly<Record<string, readonly number[]>> = {
  // Comes every ten days, last ten days ago.
  regular: [50, 40, 30, 20, 10],
  // Came every ten days, and not for a hundred.
  overdue: [150, 140, 130, 120, 110],
  once: [5],
};

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-profile-'));
  service = await startTestService({ redisUrl: url, prefix, env: { DATA_DIR: dataDir } });
  await publishShopValueModel(service.modelsDir);
  await eventually(async () =>
    expect((await service.call('GET', '/readyz')).body.models).toMatchObject({
      'customer-value': expect.any(String),
    }),
  );
  for (const [customerId, days] of Object.entries(orders)) {
    await service.call('PUT', `/customers/${customerId}`, {
      loyaltyTier: 'gold',
      consent: { email: true, phone: false },
    });
    const purchases = days.map((ago, n) => ({
      type: 'purchase',
      customerId,
      orderId: `${n}`,
      occurredAt: daysAgo(ago),
      lines: [{ itemId: 'coffee-0', unitPriceMinor: 1000 }],
    }));
    await service.call('POST', '/events', purchases);
  }
});
afterAll(async () => {
  redis.disconnect();
  await service.close();
  await rm(dataDir, { recursive: true, force: true });
});

const profileOf = async (customerId: string) =>
  (await service.call('GET', `/customers/${customerId}/profile`)).body;

test('risk, value, next purchase, segment, tier and band, satisfaction, loyalty and consent are in one answer', async () => {
  await service.call('POST', '/events', [
    { type: 'rating', customerId: 'overdue', rating: 2 },
    { type: 'nps', customerId: 'overdue', score: 3 },
    { type: 'loyaltyPoints', customerId: 'overdue', change: 'earned', points: 40 },
    { type: 'contact', customerId: 'overdue', complaint: 'opened' },
  ]);
  const profile = await profileOf('overdue');
  expect(profile).toMatchObject({
    attributes: { loyaltyTier: 'gold', consent: { email: true, phone: false } },
    features: { lastRating: 2, lastNps: 3, pointsBalance: 40, openComplaints: 1 },
    // Of the invented model: 0.4 (2 ln(1 + 11 gaps) − ln(1 + 5 orders)), between the limits .6 and .9.
    churn: { risk: expect.closeTo(1 / (1 + (6 / 144) ** 0.4), 3), horizonDays: 60 },
    riskBand: 'high',
    value: { horizonDays: 365 },
  });
  const { earliestAt, expectedAt, latestAt } = profile.nextPurchase;
  expect([earliestAt, expectedAt, latestAt]).toEqual([earliestAt, expectedAt, latestAt].toSorted());
  expect(Date.parse(earliestAt)).toBeGreaterThan(Date.now() - dayMs);
  const { riskBand, valueTier, value } = await profileOf('regular');
  // 0.4 (2 ln 2 − ln 6): .46.
  expect(riskBand).toBe('medium');
  expect(valueTier).not.toBe('low');
  expect(value.lowMinor).toBeLessThan(value.valueMinor);
  expect(value.valueMinor).toBeLessThan(value.highMinor);
});

test('the list for a CRM tells the same of each, where nothing has happened since', async () => {
  const models = { churn: shopChurnModel(), value: customerValueFromFiles(...shopValueFiles()) };
  const records = createRecordStore(redis, createKeys(prefix));
  const score = createBatchScorer({ records, models, now: Date.now() });
  const lake = await openLake(dataDir, { threads: 1, memoryMb: 256 });
  const about = {
    id: newModelVersion(Date.now(), () => 0.5),
    scoredAt: new Date().toISOString(),
    models: { churn: 'v1', customerValue: 'v1' },
  };
  await writeSnapshot(lake.connection, dataDir, about, async ({ add }) => {
    await add(await score(Object.keys(orders) as CustomerId[]));
  });
  lake.close();
  const lines = (await (await fetch(`${service.url}/customers`)).text()).trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  expect(rows.map(({ customerId }) => customerId).sort()).toEqual(Object.keys(orders).sort());
  for (const row of rows) {
    const profile = await profileOf(row.customerId);
    expect(row.risk).toBeCloseTo(profile.churn.risk, 3);
    expect(row.valueMinor).toBe(profile.value.valueMinor);
    for (const name of ['riskBand', 'valueTier', 'rfmSegment'] as const)
      expect(row[name]).toBe(profile[name]);
  }
});
