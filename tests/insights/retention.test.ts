import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLake } from '../../src/history/lake.ts';
import { DIMENSIONS } from '../../src/insights/dimensions.ts';
import { type Retention, readRetention } from '../../src/insights/retention.ts';
import { testLake } from '../support/lake.ts';
import { writeSmallShop } from './small-shop.ts';

/** Of no account where there is a purchase. */
const today = Date.UTC(2026, 4, 20, 12);
const march = { from: '2026-03-01', to: '2026-03-31' };

async function retentionOf(question: Parameters<typeof readRetention>[1]): Promise<Retention> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-insights-'));
  const lake = await openLake(folder, { threads: 1, memoryMb: 256 });
  try {
    await writeSmallShop(lake);
    return await readRetention(lake, question, today);
  } finally {
    lake.close();
    await rm(folder, { recursive: true });
  }
}

const of = (retention: Retention, by: string) =>
  Object.fromEntries(retention.groups.filter((group) => group.by === by).map((group) => [group.key, group]));
const customersOf = (retention: Retention, by: string) =>
  Object.fromEntries(Object.entries(of(retention, by)).map(([key, { customers }]) => [key, customers]));

describe('a month of the small shop', () => {
  let retention: Retention;
  beforeAll(async () => {
    retention = await retentionOf({ ...march, by: DIMENSIONS });
  });

  test('the period, and as many days before', () => {
    expect(retention.period).toEqual({ ...march, days: 31 });
    expect(retention.previousPeriod).toEqual({ from: '2026-01-29', to: '2026-02-28' });
  });

  test('anna, bert, cleo, dora and emil are customers; anna, cleo and dora bought, net of what came back', () => {
    expect(retention.total.customers).toBe(5);
    expect(retention.total.buyers).toBe(3);
    expect(retention.total.revenueMinor).toBe(2000 + 3000 + (1000 - 400) + (700 + 300));
  });

  test('only anna bought on two days: dora’s two orders are of one', () => {
    const { customers, value, low, high } = retention.total.repeatPurchaseRate;
    expect([customers, value]).toEqual([3, 1 / 3]);
    // Wilson for 1 of 3: (1/3 + z²/6 ± z √((2/9)/3 + z²/36)) / (1 + z²/3), z² = 3.8415.
    expect(low).toBeCloseTo(0.0615, 4);
    expect(high).toBeCloseTo(0.7923, 4);
  });

  test('of the three who bought in the previous period bert did not come back; emil had gone before', () => {
    expect(retention.total.churnRate).toMatchObject({ customers: 3, value: 1 / 3 });
    expect(retention.total.retentionRate).toMatchObject({ customers: 3, value: 2 / 3 });
  });

  test('a buyer bought on (2 + 1 + 1) / 3 days', () => {
    const { value, low, high } = retention.total.purchaseFrequency;
    expect(value).toBeCloseTo(4 / 3, 12);
    // Sample variance ((2/3)² + 2 (1/3)²) / 2 = 1/3, so ± 1.96 √(1/3 / 3).
    expect(high).toBeCloseTo(4 / 3 + 1.959964 / 3, 5);
    expect(low).toBeCloseTo(4 / 3 - 1.959964 / 3, 5);
  });

  test('lifetime value: what each customer brought in all', () => {
    const { customers, value } = retention.total.lifetimeValueMinor;
    expect([customers, value]).toEqual([5, (6000 + 500 + 4600 + 1000 + 900) / 5]);
    expect(retention.total.revenuePerBuyerMinor.value).toBe(6600 / 3);
  });

  test('satisfaction of the period: cleo rated 3 and dora 4; anna is a promoter, dora a detractor', () => {
    expect(retention.total.csat).toMatchObject({ customers: 2, value: 1 / 2 });
    expect(retention.total.meanRating).toMatchObject({ customers: 2, value: 3.5 });
    expect(retention.total.nps).toMatchObject({ customers: 2, value: 0 });
  });

  test('churn by the last rating before: anna’s 5 stayed, bert’s 2 left', () => {
    const groups = of(retention, 'satisfaction');
    expect(groups.high?.churnRate).toMatchObject({ customers: 1, value: 0 });
    expect(groups.low?.churnRate).toMatchObject({ customers: 1, value: 1 });
    expect(customersOf(retention, 'satisfaction')).toEqual({ high: 1, low: 1, unanswered: 3 });
  });

  test('opposites are compared where both have customers who can be lost: bert’s low rating left, anna’s high one did not', () => {
    const told = retention.comparisons.map(({ by, churnRateDifference }) => [by, churnRateDifference.value]);
    // Members: anna stayed; others: of bert and cleo one left. Complained: bert; not: anna and cleo, who stayed. Nobody
    // answered NPS, took part or was only written to before March.
    expect(told).toEqual([
      ['loyalty', 0 - 1 / 2],
      ['satisfaction', 1 - 0],
      ['complaints', 1 - 0],
    ]);
    expect(retention.comparisons[0]?.churnRateDifference.customers).toBe(1 + 2);
  });

  test('members are who had a tier or points when March began, or on the day of the first purchase', () => {
    const { member, other } = of(retention, 'loyalty');
    // cleo's first points came in March: she counts as she stood before.
    expect([member?.customers, other?.customers]).toEqual([2, 3]);
    expect(member?.churnRate).toMatchObject({ customers: 1, value: 0 });
    expect(other?.churnRate).toMatchObject({ customers: 2, value: 1 / 2 });
  });

  test('by tier, channel, segment, complaints, messages and cohort', () => {
    expect(customersOf(retention, 'tier')).toEqual({ gold: 1, silver: 1, none: 3 });
    // dora's first order was on the web.
    expect(customersOf(retention, 'channel')).toEqual({ web: 3, store: 1, app: 1 });
    expect(customersOf(retention, 'segment')).toEqual({ north: 1, south: 1, none: 3 });
    expect(customersOf(retention, 'complaints')).toEqual({ complained: 1, none: 4 });
    expect(customersOf(retention, 'marketing')).toEqual({ clicked: 1, none: 4 });
    expect(customersOf(retention, 'community')).toEqual({ none: 5 });
    expect(Object.keys(of(retention, 'cohort'))).toEqual(['2025-12', '2026-02', '2026-03']);
    expect(of(retention, 'channel').app?.revenueMinor).toBe(1000 - 400);
  });

  test('RFM as it stood when the period began; who came later is new', () => {
    // Recency emil < anna < bert < cleo: percent ranks 0, 1/3, 2/3, 1 are fifths 1, 2, 4, 5. All bought once: frequency 1.
    expect(customersOf(retention, 'rfm')).toEqual({
      lost: 1,
      hibernating: 1,
      promising: 1,
      new: 1,
      newInPeriod: 1,
    });
    expect(of(retention, 'rfm').new?.lifetimeValueMinor.value).toBe(4600);
  });

  test('every group adds up to the whole, whatever customers are told apart by', () => {
    for (const by of DIMENSIONS) {
      const groups = retention.groups.filter((group) => group.by === by);
      const sum = (what: 'customers' | 'buyers' | 'revenueMinor') =>
        groups.reduce((total, group) => total + group[what], 0);
      expect([by, sum('customers'), sum('buyers'), sum('revenueMinor')]).toEqual([by, 5, 3, 6600]);
    }
  });
});

test('cohorts: of three who began in February two came back in March; April is empty and not over', async () => {
  const { cohorts } = await retentionOf({ from: '2026-02-01', to: '2026-04-15', by: [] });
  const told = cohorts.map(({ cohort, customers, months }) => [
    cohort,
    customers,
    months.map((one) => [one.month, one.complete, one.retained.value, one.revenueMinor]),
  ]);
  expect(told).toEqual([
    [
      '2026-02',
      3,
      [
        [0, true, 1, 5500],
        [1, true, 2 / 3, 5000 + 600],
        [2, false, 0, 0],
      ],
    ],
    [
      '2026-03',
      1,
      [
        [0, true, 1, 1000],
        [1, false, 0, 0],
      ],
    ],
    ['2026-04', 1, [[0, false, 1, 5000]]],
  ]);
  // A mean over bert too, who bought nothing in March.
  expect(cohorts[0]?.months[1]?.revenuePerCustomerMinor).toMatchObject({ customers: 3, value: 5600 / 3 });
});

test('without days the period is the 90 days until the last purchase', async () => {
  const { period } = await retentionOf({ by: [] });
  expect(period).toEqual({ from: '2026-01-02', to: '2026-04-01', days: 90 });
});

test('who has left is known after the horizon of the shop, here a fifth of its history', async () => {
  // From 24 December until the last event before the end, in either case, 81 or 82 days: a fifth is 16.
  const enough = await retentionOf({ from: '2026-03-01', to: '2026-03-16', by: ['satisfaction'] });
  expect(enough.total.churnRate).toMatchObject({ customers: 2, value: 1 / 2 });
  expect(enough.comparisons).toEqual([]);
  expect(enough.warnings).toEqual([]);
  const short = await retentionOf({ from: '2026-03-01', to: '2026-03-15', by: ['channel'] });
  const unknown = (customers: number) => ({ customers, value: null, low: null, high: null });
  expect(short.total.churnRate).toEqual(unknown(2));
  expect(of(short, 'channel').app?.churnRate).toEqual(unknown(1));
  // Who bought is known.
  expect(short.total.retentionRate).toMatchObject({ customers: 2, value: 1 / 2 });
  expect(short.warnings).toEqual([
    'churnRate is not known: a customer of this shop counts as lost after 16 days without a purchase, and these are 15. Ask for a longer period.',
  ]);
});

test('an empty lake has no customers, and no figures but that', async () => {
  const { period, total, groups, cohorts } = await readRetention(await testLake(), { by: DIMENSIONS }, today);
  expect(period.to).toBe('2026-05-20');
  expect([total.customers, total.revenueMinor]).toEqual([0, 0]);
  expect(total.churnRate).toEqual({ customers: 0, value: null, low: null, high: null });
  expect([groups, cohorts]).toEqual([[], []]);
});
