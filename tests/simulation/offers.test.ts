import { expect, test } from 'vitest';
import { Benefit, Offer } from '../../src/domain/offer.ts';
import { ruleNodes } from '../../src/domain/rule.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';
import { createCalendar } from '../../src/simulation/calendar.ts';
import { createCatalogue } from '../../src/simulation/catalogue.ts';
import { simulatedOffers } from '../../src/simulation/offers.ts';
import { optionsOf } from './in-memory.ts';

const options = optionsOf({ items: 200 });
const calendar = createCalendar(options);
const catalogue = createCatalogue(options, calendar);
const offers = simulatedOffers(calendar, catalogue).map((offer) => Offer.parse(offer));

test('offers with every kind of benefit and every channel, one of them the fallback', () => {
  expect(offers).toHaveLength(19);
  expect(new Set(offers.map(({ offerId }) => offerId)).size).toBe(19);
  const kinds = Benefit.options.map(({ shape }) => shape.kind.value);
  expect(new Set(offers.map(({ benefit }) => benefit.kind))).toEqual(new Set(kinds));
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
  const few = simulatedOffers(calendar, { ...catalogue, categories: catalogue.categories.slice(0, 1) });
  expect(few.map(({ offerId }) => offerId)).toContain('coffee-refill');
  expect(few.map(({ offerId }) => offerId)).not.toContain('pet-pantry');
  expect(few.map(({ offerId }) => offerId)).not.toContain('coffee-and-sweets');
});

test('a bundle is of items that run out and are sold all along', () => {
  const bundle = offers.find(({ benefit }) => benefit.kind === 'bundle');
  const parts = catalogue.items.filter(({ itemId }) => bundle?.itemIds.some((id) => id === itemId));
  expect(parts).toHaveLength(2);
  for (const { gapDays, availableFrom, availableTo, inStock } of parts) {
    expect(gapDays).toBeGreaterThan(0);
    expect([availableFrom, availableTo]).toEqual([-Infinity, Infinity]);
    expect(inStock).toBe(true);
  }
});
