import { expect, test } from 'vitest';
import { decisionInputs } from '../../src/decide/decision-inputs.ts';
import { ItemId } from '../../src/domain/ids.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';
import { makeFacts } from '../support/offers.ts';

const nothing = { itemIds: [], basketMinor: undefined };

test('every feature is told by its name, and what is not known is null', () => {
  const features = new Float32Array(FEATURE_NAMES.length).fill(2);
  features[FEATURE_NAMES.indexOf('lastRating')] = Number.NaN;
  const facts = makeFacts({ features, loyaltyTier: 'gold', workedOut: () => ({ churnRisk: 0.5 }) });
  const context = { itemIds: [ItemId.parse('tea')], basketMinor: 900 };
  const { features: told, ...rest } = decisionInputs(facts, undefined, context);
  expect(Object.keys(told)).toEqual(FEATURE_NAMES);
  expect(told).toMatchObject({ purchaseCount: 2, recentContacts: 2, lastRating: null });
  expect(rest).toEqual({
    tier: 'gold',
    consent: { email: true, phone: true },
    churnRisk: 0.5,
    itemIds: ['tea'],
    basketMinor: 900,
  });
});

test('of a customer of whom nothing is known, nothing is told', () => {
  const { features, ...rest } = decisionInputs(makeFacts({ consent: {} }), undefined, nothing);
  expect(new Set(Object.values(features))).toEqual(new Set([null]));
  expect(rest).toEqual({ tier: 'none', consent: {} });
});

test('what offers were valued by is told; of many categories, those that weigh most', () => {
  const value = {
    errands: 3,
    recencyDays: 40,
    ageDays: 60,
    averageMarginMinor: 900,
    remainingLifetimeValueMinor: 2500,
  };
  const shares = Array.from({ length: 30 }, (_, n): [string, number] => [`category-${n}`, n / 500]);
  const facts = makeFacts({
    workedOut: () => ({ value, categoryShares: new Map(shares), categoryEvidence: 7 }),
  });
  const { value: told, interests } = decisionInputs(facts, undefined, nothing);
  expect(told).toEqual(value);
  expect(interests?.evidence).toBe(7);
  expect(interests?.categories).toHaveLength(10);
  expect(interests?.categories[0]).toEqual({ category: 'category-29', share: 29 / 500 });
});
