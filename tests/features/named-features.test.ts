import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';
import { namedFeatures } from '../../src/features/named-features.ts';
import { applyEvent, emptyRecord, featureVector } from '../../src/features/record.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';

const now = 100 * dayMs;
const event = (number: number, rest: object) =>
  ({
    eventId: `e${number}`,
    customerId: 'anna',
    channel: 'web',
    occurredAt: number * dayMs,
    ...rest,
  }) as ShopEvent;
const order = (day: number) => event(day, { type: 'purchase', lines: [{ itemId: 'tea', quantity: 1 }] });

test('what was never observed is unknown, and known as soon as it was', () => {
  const record = emptyRecord();
  applyEvent(record, order(10));
  expect(namedFeatures(record, now)).toMatchObject({
    daysSinceLastOrder: 90,
    gapMeanDays: null,
    overdueRatio: null,
    lastRating: null,
    meanRating: null,
    ratingCount: 0,
    daysSinceLastVisit: null,
  });
  applyEvent(record, order(30));
  applyEvent(record, event(40, { type: 'rating', rating: 2 }));
  applyEvent(record, event(50, { type: 'visit' }));
  expect(namedFeatures(record, now)).toMatchObject({
    daysSinceLastOrder: 70,
    gapMeanDays: 20,
    gapSpreadDays: null,
    overdueRatio: 70 / 20,
    lastRating: 2,
    daysSinceLastVisit: 50,
  });
});

test('what is known is what the models see, under the name of its feature', () => {
  const record = emptyRecord();
  for (const day of [10, 30, 45]) applyEvent(record, order(day));
  const named = namedFeatures(record, now);
  expect(Object.keys(named)).toEqual(FEATURE_NAMES);
  featureVector(record, now).forEach((value, n) => {
    expect([value, null]).toContain(named[FEATURE_NAMES[n] ?? '']);
  });
});

test('of somebody of whom nothing is known, no day is told', () => {
  expect(namedFeatures(emptyRecord(), now)).toMatchObject({
    daysSinceLastOrder: null,
    daysSinceLastVisit: null,
  });
});
