import { expect, test } from 'vitest';
import { Offer } from '../../src/domain/offer.ts';
import { ruleNodes } from '../../src/domain/rule.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';
import { createCalendar } from '../../src/simulation/calendar.ts';
import { CATEGORIES } from '../../src/simulation/categories.ts';
import { simulatedOffers } from '../../src/simulation/offers.ts';
import { optionsOf } from './in-memory.ts';

const calendar = createCalendar(optionsOf({}));
const offers = simulatedOffers(calendar, CATEGORIES).map((offer) => Offer.parse(offer));

test('offers with most kinds of benefit and every channel, one of them the fallback', () => {
  expect(offers).toHaveLength(15);
  expect(new Set(offers.map(({ offerId }) => offerId)).size).toBe(15);
  expect(new Set(offers.map(({ benefit }) => benefit.kind))).toEqual(
    new Set([
      'percentOff',
      'amountOff',
      'freeDelivery',
      'loyaltyPoints',
      'gift',
      'communityInvitation',
      'serviceContact',
      'content',
    ]),
  );
  expect(new Set(offers.flatMap(({ channels }) => channels))).toEqual(
    new Set(['web', 'store', 'app', 'email', 'phone']),
  );
  expect(offers.filter(({ fallback }) => fallback)).toHaveLength(1);
});

test('rules name features that exist', () => {
  const named = offers.flatMap(({ eligibility }) =>
    eligibility === undefined ? [] : [...ruleNodes(eligibility)].flatMap(({ rule }) => rule.feature ?? []),
  );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !FEATURE_NAMES.includes(name))).toEqual([]);
});

test('all but the fallback are valid when the history ends', () => {
  for (const { fallback, validFrom, validTo } of offers) {
    if (fallback) continue;
    expect(Date.parse(validFrom ?? '')).toBeLessThan(calendar.endAt);
    expect(Date.parse(validTo ?? '')).toBeGreaterThan(calendar.endAt);
  }
});

test('an offer about a category that the shop has not is left out', () => {
  const few = simulatedOffers(calendar, CATEGORIES.slice(0, 1));
  expect(few.map(({ offerId }) => offerId)).toContain('coffee-refill');
  expect(few.map(({ offerId }) => offerId)).not.toContain('pet-pantry');
});
