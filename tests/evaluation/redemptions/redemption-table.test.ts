import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { evaluateRedemptions } from '../../../src/evaluation/redemptions/evaluate-redemptions.ts';
import {
  REDEMPTION_FEATURES,
  readRedemptions,
} from '../../../src/evaluation/redemptions/redemption-table.ts';
import { type CampaignFiles, couponCampaigns, writeCampaigns } from '../../support/coupon-campaigns.ts';

const folder = await mkdtemp(join(tmpdir(), 'nextbest-redemptions-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const small: CampaignFiles = {
  campaign_descriptions: [
    'campaign_id,campaign_type,start_date,end_date',
    '1,Type A,2017-02-01,2017-03-01',
    '2,Type B,2017-04-01,2017-05-01',
  ],
  campaigns: ['campaign_id,household_id', '1,7', '2,7', '2,8'],
  coupons: ['coupon_upc,product_id,campaign_id', '100,50,2', '101,50,2', '102,51,2', '100,52,1'],
  coupon_redemptions: [
    'household_id,coupon_upc,campaign_id,redemption_date',
    '7,100,1,2017-02-10',
    '7,100,1,2017-02-12',
    '7,100,2,2017-04-02',
  ],
  transactions_sample: [
    'household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp',
    '7,1,b1,50,1,3,1,0,0,1,2017-01-05T10:00:00Z',
    '7,1,b2,99,1,4,0,0.5,0,1,2017-03-30T10:00:00Z',
    // On the campaign's first day: of the future.
    '7,1,b3,51,1,9,0,0,0,1,2017-04-01T00:00:00Z',
  ],
};

async function write(files: CampaignFiles, name: string): Promise<string> {
  const at = await mkdtemp(join(folder, name));
  await writeCampaigns(files, at);
  return at;
}

test('a row for each household that was sent a campaign; only what came before its first day is known', async () => {
  const table = await readRedemptions(await write(small, 'small'));
  expect(table.rows).toBe(3);
  expect([...table.redeemed]).toEqual([1, 1, 0]);
  const of = (row: number) =>
    Object.fromEntries(
      REDEMPTION_FEATURES.map((name, f) => [name, table.features[row * REDEMPTION_FEATURES.length + f]]),
    );
  expect(of(0)).toMatchObject({
    pastRedemptions: 0,
    campaignsSent: 0,
    isTypeA: 1,
    isTypeB: 0,
    durationDays: 28,
  });
  const second = of(1);
  expect(second).toMatchObject({
    pastRedemptions: 2,
    campaignsRedeemed: 1,
    campaignsSent: 1,
    sameTypeRedeemed: 0,
  });
  // From 12 February to 1 April; from 30 March.
  expect(second).toMatchObject({ daysSinceRedemption: 48, daysSincePurchase: 2 });
  expect(second.lines).toBeCloseTo(Math.log(3), 6);
  expect(second.spend).toBeCloseTo(Math.log(8), 6);
  expect(second.basketsLast56Days).toBeCloseTo(Math.log(2), 6);
  // Product 50, though two coupons are for it; 51 was bought too late.
  expect(second.overlapLines).toBeCloseTo(Math.log(2), 6);
  expect(second.overlapShare).toBeCloseTo(0.5, 6);
  // Discounts of 1 on a shelf price of 3 + 4 + 1.
  expect(second.discountShare).toBeCloseTo(1 / 8, 6);
  expect(of(2)).toMatchObject({ pastRedemptions: 0, lines: 0, daysSincePurchase: 365 });
});

test('folders without the files, and files without the columns, say so', async () => {
  await expect(readRedemptions('/nowhere')).rejects.toThrow('cannot be read as a folder');
  const { coupons: _, ...lacking } = small;
  await expect(readRedemptions(await write(lacking, 'lacking'))).rejects.toThrow('has no coupons.csv');
  const odd = { ...small, campaigns: ['campaign,home', '1,7'] };
  await expect(readRedemptions(await write(odd, 'odd'))).rejects.toThrow('not those of The Complete Journey');
});

test('learns from ended campaigns that who bought the products redeems, which the past count does not know', async () => {
  const households = 150;
  const files = couponCampaigns(households);
  const found = await evaluateRedemptions(await readRedemptions(await write(files, 'many')), 1);
  // Campaigns begin on days 30, 60 …; 40 % of eight were sent before the fifth: the test has four.
  expect(found.testRows).toBe(4 * households);
  expect(found.learnRows).toBe(4 * households);
  expect(found.learned).toBeGreaterThan(0.7);
  expect(found.difference.lower).toBeGreaterThan(0);
  expect(found.difference.mean).toBeCloseTo(found.learned - found.pastRedemptions, 12);
});

test('too few redemptions are refused, with the numbers', async () => {
  const table = await readRedemptions(await write(small, 'few'));
  await expect(evaluateRedemptions(table, 1)).rejects.toThrow('at least 20 with and without');
});
