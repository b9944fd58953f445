import { describe, expect, test } from 'vitest';
import { KEEPING_ASSUMED } from '../../src/algorithms/offer-model/assumed-effects.ts';
import type { OfferEffect } from '../../src/algorithms/offer-model/offer-model.ts';
import type { Channel } from '../../src/domain/channel.ts';
import type { Economics } from '../../src/offers/cost.ts';

import { offerSubject } from '../../src/offers/offer-subject.ts';
import { shopStatistics } from '../../src/offers/shop-statistics.ts';
import { offerValue } from '../../src/offers/value.ts';
import { economics, itemsById, makeFacts, makeItem, makeOffer } from '../support/offers.ts';

// The margin is 40 % of the price everywhere; the median price is 2000.
const items = itemsById(
  makeItem({ itemId: 'tea', category: 'tea', priceMinor: 2000, marginMinor: 800 }),
  makeItem({ itemId: 'piano', category: 'music', priceMinor: 50_000, marginMinor: 20_000 }),
  makeItem({ itemId: 'mug', category: 'mugs', priceMinor: 1000, marginMinor: 400 }),
);
const shop = shopStatistics(items.values());
const never = { made: 0, redeemed: 0 };
type More = {
  counts?: typeof never;
  basketMinor?: number;
  contactCostMinor?: number;
  economics?: Economics;
  channel?: Channel;
};

function worthOf(input: object, facts: object = {}, more: More = {}) {
  const offer = makeOffer(input);
  return offerValue(offer, offerSubject(offer, items, shop), makeFacts(facts), more.counts ?? never, {
    channel: more.channel ?? 'web',
    shop,
    economics: more.economics ?? economics,
    contactCostMinor: more.contactCostMinor ?? 0,
    basketMinor: more.basketMinor,
  });
}

const learned: OfferEffect = {
  acceptPropensity: 0.2,
  uplift: 0.06,
  churnReduction: 0.03,
  upliftDeviation: 0.01,
  churnReductionDeviation: 0.02,
};

test('what is learned: uplift × margin + churn reduction × remaining value − costs, times the lever', () => {
  const { expectedValue, terms, reasons } = worthOf(
    { benefit: { kind: 'percentOff', percent: 10 }, priorityLever: 2 },
    { effectOf: () => learned, remainingLifetimeValueMinor: 20_000 },
    { contactCostMinor: 5 },
  );
  // Orders of 10 000 at 40 % margin; a tenth of 10 000 off for the fifth who accept.
  expect(expectedValue).toBeCloseTo(2 * (0.06 * 4000 + 0.03 * 20_000 - 0.2 * 1000 - 5));
  expect(terms.standardDeviationMinor).toBeCloseTo(2 * Math.hypot(0.01 * 4000, 0.02 * 20_000));
  expect(terms).toMatchObject({ source: 'model', orderMinor: 10_000, churnRisk: null });
  expect(reasons).toEqual(['persuades', 'lever']);
  const known = { effectOf: () => learned, remainingLifetimeValueMinor: 20_000, churnRisk: 0.3 };
  expect(worthOf({ priorityLever: 2 }, known).reasons).toEqual(['may-leave', 'persuades', 'lever']);
});

test('what logged decisions speak against is worth a deviation less than nothing at most, and says so', () => {
  const against = (effect: OfferEffect) =>
    worthOf({}, { effectOf: () => ({ ...effect, withheld: true }), remainingLifetimeValueMinor: 20_000 });
  const { expectedValue, terms } = against(learned);
  expect(expectedValue).toBeCloseTo(-Math.hypot(0.01 * 4000, 0.02 * 20_000));
  expect(terms.withheld).toBe(true);
  const bad = { ...learned, uplift: -0.5 };
  expect(against(bad).expectedValue).toBe(
    worthOf({}, { effectOf: () => bad, remainingLifetimeValueMinor: 20_000 }).expectedValue,
  );
  expect(worthOf({}, { effectOf: () => learned }).terms).not.toHaveProperty('withheld');
});

test('who would buy anyway and redeems costs money: the value is negative however likely the acceptance', () => {
  const sure = { ...learned, acceptPropensity: 0.9, uplift: 0, churnReduction: 0 };
  expect(worthOf({}, { effectOf: () => sure }).expectedValue).toBeCloseTo(-0.9 * 1000);
});

test('until it is learned: half of the acceptances of a discount are taken for orders that would not have come', () => {
  const { expectedValue, terms } = worthOf({ benefit: { kind: 'percentOff', percent: 10 } });
  expect(terms).toMatchObject({ source: 'prior', churnReduction: 0 });
  expect(terms.acceptPropensity).toBeCloseTo(0.05);
  expect(terms.uplift).toBeCloseTo(0.025);
  expect(expectedValue).toBeCloseTo(0.025 * 4000 - 0.05 * 1000);
});

test('an offer that is to keep a customer is assumed to keep a few in a hundred of those who are leaving', () => {
  const { terms } = worthOf({ retention: true }, { churnRisk: 0.8 });
  expect(terms.churnReduction).toBeCloseTo(KEEPING_ASSUMED.retention.size * 0.8);
  expect(worthOf({}, { churnRisk: 0.8 }).terms.churnReduction).toBe(0);
  // Without a customer value model, three usual orders of the customer's.
  expect(terms.remainingLifetimeValueMinor).toBeCloseTo(3 * 0.4 * 10_000);
  expect(worthOf({ retention: true }, { churnRisk: 0.8 }).reasons).toContain('may-leave');
});

test('of whom nobody tells the risk, keeping is worth what it usually is, and no reason says that she may leave', () => {
  const { terms, reasons } = worthOf({ retention: true }, { remainingLifetimeValueMinor: 50_000 });
  expect(terms.churnRisk).toBeNull();
  const { churnReduction: kept, uplift, marginMinor } = terms;
  expect(kept * 50_000).toBeGreaterThan(uplift * marginMinor);
  expect(reasons).not.toContain('may-leave');
  const known = worthOf({ retention: true }, { remainingLifetimeValueMinor: 50_000, churnRisk: 0.2 });
  expect(known.reasons).toContain('may-leave');
});

test('a message that sells is assumed to annoy, the more the customer has dismissed; a place on a page annoys nobody', () => {
  const answered = (...outcomes: ('redeemed' | 'dismissed')[]) => ({
    offerAnswers: outcomes.map((outcome, at) => ({ offerId: 'another', outcome, at })),
  });
  const reduction = (channel: Channel, facts: object = {}, input: object = {}) =>
    worthOf(input, facts, { channel }).terms.churnReduction;
  expect(reduction('web', answered('dismissed'))).toBe(0);
  const asked = reduction('email');
  expect(asked).toBeLessThan(0);
  expect(reduction('email', answered('dismissed'))).toBeLessThan(asked);
  expect(reduction('email', answered('redeemed'))).toBeGreaterThan(asked);
  // Three dismissals of three count more than one of one, and never for more than certainty.
  const thrice = reduction('email', answered('dismissed', 'dismissed', 'dismissed'));
  expect(thrice).toBeLessThan(reduction('email', answered('dismissed')));
  expect(thrice).toBeGreaterThan(-0.1);
  expect(
    reduction('phone', answered('dismissed'), { benefit: { kind: 'serviceContact', costMinor: 1 } }),
  ).toBeGreaterThan(0);
});

test('what a customer who stays is worth is not even asked where no offer changes whether she does', () => {
  const unasked = {
    get remainingLifetimeValueMinor(): number {
      throw new Error('asked');
    },
  };
  const still = { ...learned, churnReduction: 0, churnReductionDeviation: 0 };
  // `makeFacts` would read it.
  const facts = Object.defineProperties(makeFacts({ effectOf: () => still }), {
    ...Object.getOwnPropertyDescriptors(unasked),
  });
  const offer = makeOffer({});
  const context = { channel: 'web' as const, shop, economics, contactCostMinor: 0, basketMinor: undefined };
  const { terms } = offerValue(offer, offerSubject(offer, items, shop), facts, never, context);
  expect(terms.remainingLifetimeValueMinor).toBeNull();
});

test('a call is paid for whether or not it helps, and helps the aggrieved more', () => {
  const call = { benefit: { kind: 'serviceContact', costMinor: 300 } };
  const { service, grievance } = KEEPING_ASSUMED;
  expect(worthOf(call).expectedValue).toBeCloseTo(service.size * 12_000 - 300);
  const aggrieved = { standing: { grievance: 0.5, takesPart: 0 } };
  expect(worthOf(call, aggrieved).expectedValue).toBeCloseTo(
    (service.size + 0.5 * grievance.size) * 12_000 - 300,
  );
});

test('an invitation keeps who takes part', () => {
  const invitation = { benefit: { kind: 'communityInvitation' } };
  expect(worthOf(invitation).terms.churnReduction).toBe(0);
  const takesPart = { standing: { grievance: 0, takesPart: 1 } };
  expect(worthOf(invitation, takesPart).terms.churnReduction).toBeCloseTo(KEEPING_ASSUMED.invitation.size);
});

test('what is assumed is the surer the more decisions were counted', () => {
  const deviation = (made: number) =>
    worthOf({}, {}, { counts: { made, redeemed: 0.05 * made } }).terms.standardDeviationMinor;
  expect(deviation(200)).toBeLessThan(deviation(0));
  // Which share of those who accept would have ordered anyway, no count tells.
  expect(deviation(1e6)).toBeGreaterThan(0.19 * 0.05 * 4000);
});

describe('what an acceptance costs', () => {
  const cost = (input: object, more: More = {}) => worthOf(input, {}, more).terms.costWhenAcceptedMinor;

  test('a discount on items is taken from their price, and is bounded', () => {
    expect(cost({ benefit: { kind: 'percentOff', percent: 50 }, itemIds: ['tea'] })).toBeCloseTo(1000);
    expect(cost({ benefit: { kind: 'percentOff', percent: 50, maxMinor: 700 }, itemIds: ['tea'] })).toBe(700);
  });

  test('an amount off costs no more than what it is taken from', () => {
    expect(cost({ benefit: { kind: 'amountOff', amountMinor: 3000 } })).toBe(3000);
    expect(cost({ benefit: { kind: 'amountOff', amountMinor: 3000 }, itemIds: ['tea'] })).toBe(2000);
  });

  test('points cost what they redeem for', () => {
    const half = { ...economics, pointValueMinor: 0.5 };
    expect(cost({ benefit: { kind: 'loyaltyPoints', points: 500 } }, { economics: half })).toBe(250);
    // An order of 100.00 earns 100 points; three times as many are 200 more.
    const triple = { kind: 'pointsMultiplier', factor: 3 };
    expect(cost({ benefit: triple }, { economics: half })).toBe(100);
    expect(cost({ benefit: { ...triple, maxPoints: 50 } }, { economics: half })).toBe(25);
  });

  test('delivery costs what the offer says', () => {
    expect(cost({ benefit: { kind: 'freeDelivery', costMinor: 490 } })).toBe(490);
  });
});

test('an item dearer than the average order makes the order; the basket of now stands for the average one', () => {
  expect(worthOf({ itemIds: ['piano'] }).terms.orderMinor).toBe(50_000);
  expect(worthOf({}, {}, { basketMinor: 30_000 }).terms.orderMinor).toBe(30_000);
  expect(worthOf({}, { averageOrderMinor: undefined }).terms.orderMinor).toBe(2000);
  expect(worthOf({ minBasketMinor: 15_000 }).terms.orderMinor).toBe(15_000);
});

test('a minimum above the usual order makes an offer no dearer: who seldom orders as much seldom takes it', () => {
  // 5.00 off an order of 20.00, as a rule.
  const worth = (minBasketMinor: number | undefined, effect?: OfferEffect, more: More = {}) =>
    worthOf(
      { benefit: { kind: 'amountOff', amountMinor: 500 }, ...(minBasketMinor && { minBasketMinor }) },
      { averageOrderMinor: 2000, ...(effect && { effectOf: () => effect }) },
      more,
    );
  const free = worth(undefined);
  expect(worth(2000).expectedValue).toBe(free.expectedValue);
  expect(worth(2000).terms).not.toHaveProperty('minBasketReach');
  const double = worth(4000).terms;
  expect(double.minBasketReach).toBeCloseTo(1 / Math.E);
  expect(double.acceptPropensity).toBeCloseTo(0.05 / Math.E);
  expect(double.uplift).toBeCloseTo(0.025 / Math.E);
  expect(double.standardDeviationMinor / double.marginMinor).toBeCloseTo(
    free.terms.standardDeviationMinor / free.terms.marginMinor / Math.E,
  );
  // 20,000.00 for 5.00 off: nobody takes it.
  expect(worth(2_000_000).expectedValue).toBeCloseTo(0);
  // What is learned of offers knows no minimum either.
  expect(
    worth(2_000_000, { ...learned, churnReduction: 0, churnReductionDeviation: 0 }).expectedValue,
  ).toBeCloseTo(0);
  // The basket of now that reaches it does.
  expect(worth(4000, undefined, { basketMinor: 4000 }).terms).not.toHaveProperty('minBasketReach');
});

test('the offer may say its margin itself', () => {
  expect(worthOf({ marginRate: 0.1 }).terms.marginMinor).toBeCloseTo(1000);
});

test('counted redemptions and taste raise the assumed propensity, and are given as reasons', () => {
  const { terms, reasons } = worthOf(
    { itemIds: ['tea'], priorityLever: 2 },
    { tasteRank: () => 1 },
    { counts: { made: 150, redeemed: 47 } },
  );
  // (47 + 0.05 × 50) / 200, its odds doubled by an item that ranks first.
  const base = 49.5 / 200;
  const odds = (base / (1 - base)) * 2;
  expect(terms.acceptPropensity).toBeCloseTo(odds / (1 + odds));
  expect(reasons).toEqual(['often-redeemed', 'fits-taste', 'lever']);
});

test('a lever that raises an offer makes no loss larger, one that lowers it makes it smaller', () => {
  const loss = (priorityLever: number) =>
    worthOf({ priorityLever }, { effectOf: () => ({ ...learned, uplift: 0, churnReduction: 0 }) });
  expect(loss(1).expectedValue).toBeLessThan(0);
  expect(loss(2).expectedValue).toBe(loss(1).expectedValue);
  expect(loss(2).terms.standardDeviationMinor).toBe(loss(1).terms.standardDeviationMinor);
  expect(loss(0.5).expectedValue).toBe(loss(1).expectedValue / 2);
  expect(loss(1).reasons).not.toContain('worth-more-than-nothing');
});

test('the lever never turns a loss into a gain', () => {
  const loss = { benefit: { kind: 'percentOff', percent: 60 } };
  expect(worthOf(loss).expectedValue).toBeCloseTo(0.025 * 4000 - 0.05 * 6000);
  expect(worthOf({ ...loss, priorityLever: 100 }).expectedValue).toBeCloseTo(0.025 * 4000 - 0.05 * 6000);
});
