import { expect, test } from 'vitest';
import { decisionInputs, featuresRead } from '../../src/decide/decision-inputs.ts';
import { ItemId } from '../../src/domain/ids.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';
import { makeFacts, makeOffer } from '../support/offers.ts';

test('what every rule of every offer asks for is read, each once, and what is not known is null', () => {
  const eligibility = {
    all: [{ feature: 'purchaseCount', gt: 1 }, { not: { any: [{ feature: 'lastRating', lt: 3 }] } }],
  };
  const read = featuresRead([makeOffer({ eligibility }), makeOffer({ eligibility }), makeOffer()]);
  const features = new Float32Array(FEATURE_NAMES.length).fill(2);
  features[FEATURE_NAMES.indexOf('lastRating')] = Number.NaN;
  const facts = makeFacts({ features, loyaltyTier: 'gold', churnRisk: 0.5 });
  const context = { itemIds: [ItemId.parse('tea')], basketMinor: 900 };
  expect(decisionInputs(facts, read, context)).toEqual({
    features: { purchaseCount: 2, averageOrderValueMinor: 2, openComplaints: 2, lastRating: null },
    tier: 'gold',
    consent: { email: true, phone: true },
    churnRisk: 0.5,
    itemIds: ['tea'],
    basketMinor: 900,
  });
});

test('of a customer of whom nothing is known, nothing is told', () => {
  const { features, ...rest } = decisionInputs(makeFacts({ consent: {} }), featuresRead([]), {
    itemIds: [],
    basketMinor: undefined,
  });
  expect(Object.values(features)).toEqual([null, null, null]);
  expect(rest).toEqual({ tier: 'none', consent: {}, churnRisk: null });
});
