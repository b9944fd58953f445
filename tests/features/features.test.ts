/** What each feature says, by arithmetic; and that whatever happens, all of them say numbers. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';
import { applyEvent, emptyRecord, featureVector } from '../../src/features/record.ts';
import { FEATURE_NAMES, FEATURE_RANGES } from '../../src/features/registry.ts';
import { customerEvents, startMs } from '../support/events.ts';

const day = (days: number) => startMs + days * dayMs;
let nextId = 0;

function event(type: ShopEvent['type'], days: number, rest: object = {}): ShopEvent {
  const common = { eventId: `e${nextId++}`, customerId: 'anna', channel: 'web', occurredAt: day(days) };
  return { type, ...common, ...rest } as ShopEvent;
}

function purchase(days: number, unitPriceMinor = 1000, rest: object = {}): ShopEvent {
  return event('purchase', days, { lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor }], ...rest });
}

function featuresAt(days: number, events: ShopEvent[]): Record<string, number> {
  const record = emptyRecord();
  for (const one of events) applyEvent(record, one);
  const vector = featureVector(record, day(days));
  return Object.fromEntries(FEATURE_NAMES.map((name, i) => [name, vector[i]!]));
}

describe('orders', () => {
  test('days since the last order, number of orders, tenure', () => {
    const features = featuresAt(40, [event('visit', 0), purchase(10), purchase(30)]);
    expect(features.daysSinceLastOrder).toBe(40 - 30);
    expect(features.purchaseCount).toBe(2);
    expect(features.tenureDays).toBe(40 - 0);
  });

  test('lines of one basket that come as several purchases are one order', () => {
    const features = featuresAt(5, [
      purchase(1, 1000, { orderId: 'o1' }),
      purchase(1, 3000, { orderId: 'o1' }),
      purchase(2, 2000, { orderId: 'o2' }),
    ]);
    expect(features.purchaseCount).toBe(2);
    expect(features.totalSpendMinor).toBe(1000 + 3000 + 2000);
    expect(features.averageOrderValueMinor).toBe((1000 + 3000 + 2000) / 2);
  });

  test('returns are counted and are a share of what was spent', () => {
    const lines = [{ itemId: 'tea', quantity: 1, unitPriceMinor: 500 }];
    const features = featuresAt(5, [purchase(1, 2000), event('return', 3, { lines })]);
    expect(features.returnCount).toBe(1);
    expect(features.returnShare).toBe(500 / 2000);
  });

  test('discounts are a share of the price before discounts', () => {
    const lines = [{ itemId: 'tea', quantity: 2, unitPriceMinor: 500, discountMinor: 250 }];
    expect(featuresAt(5, [event('purchase', 1, { lines })]).discountShare).toBe(250 / (2 * 500));
  });

  test('mean and spread of the gaps', () => {
    const features = featuresAt(60, [purchase(0), purchase(10), purchase(30), purchase(60)]);
    // Gaps of 10, 20 and 30 days: mean 20, sample variance (10² + 0² + 10²) / 2.
    expect(features.gapMeanDays).toBeCloseTo(20, 5);
    expect(features.gapSpreadDays).toBeCloseTo(Math.sqrt((100 + 0 + 100) / 2), 5);
  });

  test('silence is measured by the usual gap', () => {
    // Usual gap (20 − 0) / (3 − 1) = 10 days; silent for 25.
    const features = featuresAt(45, [purchase(0), purchase(10), purchase(20)]);
    expect(features.overdueRatio).toBe(25 / 10);
    expect(features.hasUsualGap).toBe(1);
  });

  test('orders of one day are one errand: no gap, and no usual gap of hours', () => {
    // What was forgotten in the morning is fetched in the evening; errands on days 0, 10 and 30.
    const features = featuresAt(60, [
      purchase(0),
      purchase(0.4),
      purchase(10.4),
      purchase(30.4),
      purchase(30.5),
    ]);
    expect(features.purchaseCount).toBe(5);
    expect(features.gapMeanDays).toBeCloseTo((10 + 20) / 2, 5);
    expect(features.gapSpreadDays).toBeCloseTo(Math.sqrt((5 ** 2 + 5 ** 2) / 1), 5);
    expect(features.overdueRatio).toBeCloseTo((60 - 30.5) / ((30.5 - 0) / (3 - 1)), 5);
    expect(featuresAt(9, [purchase(0), purchase(0.1)]).hasUsualGap).toBe(0);
  });

  test('one order makes no usual gap, however long ago it was', () => {
    const features = featuresAt(900, [purchase(0)]);
    expect(features.overdueRatio).toBe(1);
    expect(features.hasUsualGap).toBe(0);
  });

  test('shares of the channels sum to 1', () => {
    const features = featuresAt(9, [
      purchase(1),
      purchase(2, 1000, { channel: 'store' }),
      purchase(3, 1000, { channel: 'store' }),
      purchase(4, 1000, { channel: 'phone' }),
    ]);
    expect([features.webShare, features.storeShare, features.phoneShare]).toEqual([1 / 4, 2 / 4, 1 / 4]);
    expect([features.appShare, features.emailShare]).toEqual([0, 0]);
  });
});

describe('categories', () => {
  test('the share of the strongest, by affinities of the same day', () => {
    const bought = (category: string, days: number) =>
      event('purchase', days, { lines: [{ itemId: category, quantity: 1, category }] });
    const features = featuresAt(5, [bought('tea', 1), bought('tea', 1), bought('cups', 1), bought('tea', 1)]);
    expect(features.topCategoryShare).toBeCloseTo(3 / 4, 6);
    expect(features.categoryCount).toBe(2);
  });

  test('an interest halves in 90 days', () => {
    const bought = (category: string, days: number) =>
      event('purchase', days, { lines: [{ itemId: category, quantity: 1, category }] });
    expect(featuresAt(90, [bought('tea', 0), bought('cups', 90)]).topCategoryShare).toBeCloseTo(
      1 / (1 + 0.5),
      6,
    );
  });
});

describe('satisfaction', () => {
  test('a rating in tenths or finer is what a rule of the same number holds for', () => {
    for (let tenths = 10; tenths <= 50; tenths++) {
      const rating = tenths / 10;
      expect(featuresAt(2, [event('rating', 1, { rating })]).lastRating).toBe(Math.fround(rating));
    }
  });

  test('last and mean rating; the middle of the scale for who never rated', () => {
    const rated = (days: number, rating: number) => event('rating', days, { rating });
    const features = featuresAt(9, [rated(1, 5), rated(2, 2)]);
    expect([features.lastRating, features.meanRating, features.ratingCount]).toEqual([2, (5 + 2) / 2, 2]);
    const none = featuresAt(9, [event('visit', 1)]);
    expect([none.lastRating, none.meanRating, none.ratingCount]).toEqual([3, 3, 0]);
  });

  test('a complaint is open until it is resolved, and one that never was cannot be resolved ahead', () => {
    const contact = (days: number, complaint: string) => event('contact', days, { complaint });
    const features = featuresAt(9, [
      contact(1, 'resolved'),
      contact(2, 'opened'),
      contact(3, 'opened'),
      contact(4, 'resolved'),
    ]);
    expect(features.openComplaints).toBe(2 - 1);
    expect(features.complaintCount).toBe(2);
  });

  test('getting in touch counts by itself, and fades, where it is no complaint', () => {
    const features = featuresAt(90, [
      event('contact', 0, { topic: 'sizes' }),
      event('contact', 90),
      event('contact', 90, { complaint: 'opened' }),
      event('contact', 90, { complaint: 'resolved' }),
    ]);
    expect(features.contactCount).toBe(2);
    expect(features.recentContacts).toBeCloseTo(1 / 2 + 1, 6);
    expect(features.complaintCount).toBe(1);
  });

  test('late deliveries: count, share, and a fading count that halves in 60 days', () => {
    const delivered = (days: number, late: boolean) => event('delivery', days, { late });
    const features = featuresAt(60, [delivered(0, true), delivered(60, false)]);
    expect(features.lateDeliveryCount).toBe(1);
    expect(features.lateDeliveryShare).toBe(1 / 2);
    expect(features.recentLateDeliveries).toBeCloseTo(0.5, 6);
  });

  test('the loyalty tier is its rank', () => {
    expect(
      featuresAt(2, [event('customerUpdated', 1, { attributes: { loyaltyTier: 'gold' } })]).loyaltyTier,
    ).toBe(3);
    expect(featuresAt(2, [event('visit', 1)]).loyaltyTier).toBe(0);
  });
});

describe('visits', () => {
  const steady = Array.from({ length: 60 }, (_, week) => event('visit', 7 * week));

  test('somebody who comes every week makes about one visit a week, with no trend', () => {
    // Right after a visit the decayed count is at its top: half a gap of 7 days above the mean, 2^(3.5/14) = 1.19.
    const features = featuresAt(7 * 59, steady);
    expect(features.visitsPerWeek).toBeCloseTo(2 ** (3.5 / 14), 1);
    expect(features.visitTrend).toBeGreaterThan(0.95);
    expect(features.visitTrend).toBeLessThan(1.25);
  });

  test('falling silent shows in the trend before it shows in a year', () => {
    const features = featuresAt(7 * 59 + 42, steady);
    // Six weeks of silence: three half-lives of the short window, 42/90 of one of the long.
    expect(features.visitTrend).toBeLessThan(0.5);
    expect(features.daysSinceLastVisit).toBe(42);
  });

  test('looking around within half an hour is one visit', () => {
    const minute = 1 / (24 * 60);
    const lines = [{ itemId: 'tea', quantity: 1 }];
    const once = featuresAt(1, [event('visit', 0)]);
    const views = [0, 10, 20, 45].map((minutes) => event('view', minutes * minute, { lines }));
    expect(featuresAt(1, views).visitsPerWeek).toBeCloseTo(once.visitsPerWeek!, 6);
    const twice = featuresAt(1, [event('view', 0, { lines }), event('view', 31 * minute, { lines })]);
    expect(twice.visitsPerWeek).toBeGreaterThan(1.9 * once.visitsPerWeek!);
  });
});

test('redeemed and dismissed offers are counted', () => {
  const outcome = (days: number, result: string) =>
    event('offerOutcome', days, { decisionId: 'd', offerId: 'o', outcome: result });
  const features = featuresAt(9, [outcome(1, 'redeemed'), outcome(2, 'viewed'), outcome(3, 'dismissed')]);
  expect([features.offersRedeemed, features.offersDismissed]).toEqual([1, 1]);
});

test('the last NPS answer counts, a late one of an earlier day does not; a passive stands in for none', () => {
  const features = featuresAt(9, [event('nps', 5, { score: 9 }), event('nps', 2, { score: 1 })]);
  expect([features.lastNps, features.npsCount]).toEqual([9, 2]);
  expect(featuresAt(9, [event('visit', 0)]).lastNps).toBe(7);
});

test('points: 500 + 300 earned, 200 redeemed, 100 expired leave 500; a quarter of all was redeemed', () => {
  const points = (days: number, change: string, amount: number) =>
    event('loyaltyPoints', days, { change, points: amount });
  const features = featuresAt(30, [
    points(1, 'earned', 500),
    points(2, 'earned', 300),
    points(10, 'redeemed', 200),
    points(20, 'expired', 100),
  ]);
  expect(features.pointsBalance).toBe(500 + 300 - 200 - 100);
  expect(features.pointsRedeemedShare).toBe(200 / 800);
  expect(features.daysSincePointsRedeemed).toBe(30 - 10);
});

test('taking part halves in 90 days, whatever order it is told in', () => {
  const activities = [
    event('community', 0, { activity: 'review' }),
    event('community', 90, { activity: 'referral' }),
  ];
  for (const told of [activities, activities.toReversed()]) {
    const features = featuresAt(180, told);
    expect(features.recentCommunity).toBeCloseTo(0.25 + 0.5, 6);
    expect([features.communityCount, features.referralCount]).toEqual([2, 1]);
  }
});

describe('marketing', () => {
  const message = (days: number, outcome: string) =>
    event('marketingContact', days, { outcome, channel: 'email' });

  test('shares are of what was sent, with two messages of the usual response added', () => {
    const features = featuresAt(0, [message(0, 'sent'), message(0, 'sent'), message(0, 'opened')]);
    expect(features.recentMessages).toBe(2);
    expect(features.messageOpenShare).toBeCloseTo((1 + 1) / (2 + 2), 6);
    expect(features.messageClickShare).toBeCloseTo((0 + 0.2) / (2 + 2), 6);
    expect(features.unsubscribeCount).toBe(0);
  });

  test('an unsubscription withdraws the consent to its channel, and to no other', () => {
    const record = emptyRecord();
    const attributes = { consent: { email: true, app: true } };
    for (const one of [
      event('customerUpdated', 0, { attributes }),
      message(1, 'sent'),
      message(2, 'unsubscribed'),
    ])
      applyEvent(record, one);
    expect(record.attributes.consent).toEqual({ email: false, app: true });
  });
});

test('every output is finite and within its range for every sequence of events, in order or not, at every moment', () => {
  fc.assert(
    fc.property(
      customerEvents('anna', 40),
      fc.oneof(
        fc.constantFrom(0, 8_640_000_000_000_000),
        fc.integer({ min: startMs - 9e9, max: startMs + 9e10 }),
      ),
      (events, now) => {
        const record = emptyRecord();
        for (const one of events) applyEvent(record, one);
        const vector = featureVector(record, now);
        for (let i = 0; i < vector.length; i++)
          expect(Number.isFinite(vector[i]), `${FEATURE_NAMES[i]} is ${vector[i]}`).toBe(true);
        FEATURE_NAMES.forEach((name, i) => {
          const [least, most] = FEATURE_RANGES.get(name)?.range ?? [];
          expect(vector[i], name).toBeGreaterThanOrEqual(least as number);
          expect(vector[i], name).toBeLessThanOrEqual(most as number);
        });
      },
    ),
  );
});

test('a record of nobody is finite too', () => {
  expect(featureVector(emptyRecord(), startMs).every(Number.isFinite)).toBe(true);
});

describe('the rhythm of orders', () => {
  test('repeat purchases, first to last, and since the first, as the models of a customer base count them', () => {
    const features = featuresAt(100, [purchase(10), purchase(30), purchase(30.2), purchase(70)]);
    expect(features.repeatErrands).toBe(2);
    expect(features.firstToLastOrderDays).toBe(70 - 10);
    expect(features.daysSinceFirstOrder).toBe(100 - 10);
  });

  test('somebody who ordered once has no repeat, and no rhythm', () => {
    const features = featuresAt(100, [purchase(10)]);
    expect(features).toMatchObject({ repeatErrands: 0, firstToLastOrderDays: 0, daysSinceFirstOrder: 90 });
    expect(features).toMatchObject({ lastGapDays: 0, gapLogMean: 0, gapLogSpread: 0 });
  });

  test('an errand counts half for every half-life since, and an order of the same errand adds nothing', () => {
    const features = featuresAt(100, [purchase(10), purchase(70), purchase(70.5)]);
    for (const halfLife of [30, 90, 360])
      expect(features[`recentErrands${halfLife}`]).toBeCloseTo(
        2 ** (-90 / halfLife) + 2 ** (-30 / halfLife),
        4,
      );
  });

  test('an order that comes late to the log counts for what it is worth by now', () => {
    const late = featuresAt(100, [purchase(70), purchase(10)]);
    expect(late.recentErrands30).toBeCloseTo(2 ** -3 + 2 ** -1, 5);
  });

  test('the last gap, and mean and spread of the logarithms of all', () => {
    const features = featuresAt(100, [purchase(0), purchase(10), purchase(50)]);
    expect(features.lastGapDays).toBe(40);
    expect(features.gapLogMean).toBeCloseTo((Math.log(10) + Math.log(40)) / 2, 4);
    expect(features.gapLogSpread).toBeCloseTo(Math.log(4) / Math.SQRT2, 4);
  });

  test('the last order is worth the sum of what came under its id', () => {
    const features = featuresAt(100, [
      purchase(1, 5000),
      purchase(3, 1000, { orderId: 'o2' }),
      purchase(3, 250, { orderId: 'o2' }),
    ]);
    expect(features.lastOrderValueMinor).toBe(1000 + 250);
  });
});
