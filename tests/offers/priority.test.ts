import { describe, expect, test } from 'vitest';
import { offerSubject } from '../../src/offers/offer-subject.ts';
import { offerPriority } from '../../src/offers/priority.ts';
import { shopStatistics } from '../../src/offers/shop-statistics.ts';
import { itemsById, makeFacts, makeItem, makeOffer } from '../support/offers.ts';

// The margin is 40 % of the price everywhere; the median price is 2000.
const items = itemsById(
  makeItem({ itemId: 'tea', category: 'tea', priceMinor: 2000, marginMinor: 800 }),
  makeItem({ itemId: 'piano', category: 'music', priceMinor: 50_000, marginMinor: 20_000 }),
  makeItem({ itemId: 'mug', category: 'mugs', priceMinor: 1000, marginMinor: 400 }),
);
const shop = shopStatistics(items.values());
const never = { made: 0, redeemed: 0 };

function priorityOf(input: object, facts: object = {}, counts = never, basketMinor?: number) {
  const offer = makeOffer(input);
  return offerPriority(offer, offerSubject(offer, items, shop), makeFacts(facts), shop, counts, basketMinor);
}

test('a percentage: propensity × (margin of the average order − the discount on it)', () => {
  const { priority, terms } = priorityOf({ benefit: { kind: 'percentOff', percent: 10 } });
  expect(priority).toBeCloseTo(0.05 * (0.4 * 10_000 - 0.1 * 10_000));
  expect(terms).toMatchObject({ orderMinor: 10_000, churnRisk: null, affinityLift: 1 });
});

test('a discount on items is taken from their price, not from the order', () => {
  const { priority } = priorityOf({ benefit: { kind: 'percentOff', percent: 50 }, itemIds: ['tea'] });
  expect(priority).toBeCloseTo(0.05 * (0.4 * 10_000 - 0.5 * 2000));
});

test('an item dearer than the average order makes the order', () => {
  const { terms } = priorityOf({ itemIds: ['piano'] });
  expect(terms.orderMinor).toBe(50_000);
  expect(terms.costWhenAcceptedMinor).toBeCloseTo(0.1 * 50_000);
});

test('an amount off costs no more than what it is taken from', () => {
  const cost = (input: object) => priorityOf(input).terms.costWhenAcceptedMinor;
  expect(cost({ benefit: { kind: 'amountOff', amountMinor: 3000 } })).toBe(3000);
  expect(cost({ benefit: { kind: 'amountOff', amountMinor: 3000 }, itemIds: ['tea'] })).toBe(2000);
});

test('delivery and points cost what the offer says, when accepted', () => {
  const delivery = priorityOf({ benefit: { kind: 'freeDelivery', costMinor: 490 } });
  expect(delivery.priority).toBeCloseTo(0.06 * (4000 - 490));
  const points = priorityOf({ benefit: { kind: 'loyaltyPoints', points: 500, costMinor: 250 } });
  expect(points.priority).toBeCloseTo(0.04 * (4000 - 250));
});

test('a call is paid for whether or not it helps, and brings only the orders of a customer who is kept', () => {
  const call = { benefit: { kind: 'serviceContact', costMinor: 300 } };
  expect(priorityOf(call, { churnRisk: 0 }).priority).toBeCloseTo(-300);
  expect(priorityOf(call, { churnRisk: 0.5 }).priority).toBeCloseTo(0.15 * 4000 * (3 * 0.5) - 300);
});

test('churn risk raises the value of offers that are to keep the customer, and of no others', () => {
  const risky = { churnRisk: 0.8 };
  expect(priorityOf({ retention: true }, risky).priority).toBeCloseTo(0.05 * (4000 * (1 + 3 * 0.8) - 1000));
  expect(priorityOf({ retention: true }, risky).reasons).toContain('may-leave');
  expect(priorityOf({}, risky).priority).toBeCloseTo(0.05 * (4000 - 1000));
  expect(priorityOf({}, risky).reasons).toEqual(['worth-more-than-nothing']);
});

test('counted redemptions and taste raise the propensity, and are given as reasons', () => {
  const { terms, reasons } = priorityOf(
    { itemIds: ['tea'], priorityLever: 2 },
    { tasteRank: () => 1 },
    { made: 150, redeemed: 47 },
  );
  // (47 + 0.05 × 50) / 200, its odds doubled by an item that ranks first.
  const base = 49.5 / 200;
  const odds = (base / (1 - base)) * 2;
  expect(terms.baseAcceptPropensity).toBeCloseTo(base);
  expect(terms.acceptPropensity).toBeCloseTo(odds / (1 + odds));
  expect(reasons).toEqual(['often-redeemed', 'fits-taste', 'lever']);
});

test('the basket of now stands for the average order; without either, the median price does', () => {
  expect(priorityOf({}, {}, never, 30_000).terms.orderMinor).toBe(30_000);
  expect(priorityOf({}, { averageOrderMinor: undefined }).terms.orderMinor).toBe(2000);
});

describe('the lever', () => {
  test('multiplies the priority', () => {
    expect(priorityOf({ priorityLever: 3 }).priority).toBeCloseTo(3 * priorityOf({}).priority);
  });

  test('never turns a loss into a gain', () => {
    const loss = { benefit: { kind: 'percentOff', percent: 60 } };
    expect(priorityOf(loss).priority).toBeCloseTo(0.05 * (4000 - 6000));
    expect(priorityOf({ ...loss, priorityLever: 100 }).priority).toBeCloseTo(100 * 0.05 * (4000 - 6000));
  });
});
