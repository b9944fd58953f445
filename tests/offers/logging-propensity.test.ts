import { describe, expect, test } from 'vitest';
import type { OfferEffect } from '../../src/algorithms/offer-model/offer-model.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { chooseOffers } from '../../src/offers/choose-offers.ts';

import { makeFacts, makeMarket, makeOffer, makeSituation } from '../support/offers.ts';

/** Values of about 20, 10, 5 and −10, none of them certain. */
const effects: Record<string, Pick<OfferEffect, 'uplift' | 'upliftDeviation'>> = {
  best: { uplift: 0.02, upliftDeviation: 0.01 },
  good: { uplift: 0.01, upliftDeviation: 0.015 },
  hero: { uplift: 0.005, upliftDeviation: 0.004 },
  loss: { uplift: -0.01, upliftDeviation: 0.01 },
};
const offers = Object.keys(effects).map((offerId) =>
  makeOffer({
    offerId,
    benefit: { kind: 'content' },
    marginRate: 0.1,
    ...(offerId === 'hero' && { placements: ['hero'] }),
  }),
);
const facts = makeFacts({
  effectOf: ({ offerId }) => ({
    acceptPropensity: 0.05,
    churnReduction: 0,
    churnReductionDeviation: 0,
    uplift: 0,
    upliftDeviation: 0,
    ...effects[offerId],
  }),
});

/**
 * Draws decisions and holds the frequency of every sequence of first offers against the product of the propensities that
 * were logged with it. Answers the statistic of a chi-square test and its degrees of freedom.
 */
function compare(placements: string[], policy: object, { limit = 1, draws = 100_000 } = {}) {
  const rng = createRng('logging-propensity', JSON.stringify(policy), placements.length);
  const market = makeMarket(offers, [], { policy: DecisionPolicy.parse(policy) });
  const drawing = { random: () => rng.next(), afford: () => true };
  const situation = makeSituation({ placements });
  const counted = new Map<string, { count: number; probability: number }>();
  for (let d = 0; d < draws; d++) {
    const choice = chooseOffers(market, { ...facts, subjectId: `c${d}` }, situation, { limit, drawing });
    const key = choice.placements.map((place) => place.offers[0]?.offerId ?? '-').join(' ');
    const probability = choice.placements.reduce(
      (all, place) => all * (place.loggingPropensity ?? Number.NaN),
      1,
    );
    const known = counted.get(key);
    // The same sequence always comes with the same probability.
    if (known !== undefined && Math.abs(known.probability - probability) > 1e-12)
      throw new Error(`${key} was logged with ${probability} and with ${known.probability}`);
    counted.set(key, { count: (known?.count ?? 0) + 1, probability });
  }
  let statistic = 0;
  let total = 0;
  for (const { count, probability } of counted.values()) {
    statistic += (count - draws * probability) ** 2 / (draws * probability);
    total += probability;
  }
  return { statistic, degrees: counted.size - 1, total, counted };
}

/** 99.9th percentile of chi-square by Wilson and Hilferty. */
function critical(degrees: number): number {
  return degrees * (1 - 2 / (9 * degrees) + 3.0902 * Math.sqrt(2 / (9 * degrees))) ** 3;
}

const policies = [
  { exploration: { method: 'thompson' } },
  { exploration: { method: 'epsilonGreedy', epsilon: 0.3 } },
];

describe.each(policies)('$exploration.method', (policy) => {
  test.each([
    { name: 'one place', placements: ['top'], sequences: 4 },
    { name: 'a place of an offer of its own', placements: ['hero'], sequences: 4 },
    { name: 'three places', placements: ['top', 'hero', 'cart'], sequences: 30 },
    { name: 'one place, with a control group', placements: ['top'], controlGroupShare: 0.1, sequences: 4 },
    {
      name: 'three places, with a control group',
      placements: ['top', 'hero', 'cart'],
      controlGroupShare: 0.1,
      sequences: 30,
    },
  ])(
    '$name: 100,000 decisions come as often as was logged',
    ({ placements, sequences, controlGroupShare = 0 }) => {
      const { statistic, degrees, total, counted } = compare(placements, { ...policy, controlGroupShare });
      expect(counted.size).toBeGreaterThanOrEqual(sequences);
      // All that can happen has happened, so nothing was logged too low or too high on the whole.
      expect(total).toBeCloseTo(1, 3);
      expect(statistic).toBeLessThan(critical(degrees));
    },
  );

  test('a list of several: its first offer comes as often as was logged', () => {
    const { statistic, degrees } = compare(['top'], policy, { limit: 3 });
    expect(statistic).toBeLessThan(critical(degrees));
  });
});

const always = { from: '2026-01-01T00:00:00Z' };
test.each(['random', 'response', 'nothing'])(
  'a variant that ranks by %s logs as often as it draws',
  (ranking) => {
    const variants = [
      { name: 'a', ranking },
      { name: 'b', ranking },
    ];
    const { statistic, degrees, counted } = compare(['top', 'hero'], {
      experiments: [{ name: 'ranked', ...always, variants }],
    });
    expect(counted.size).toBe({ random: 17, response: 1, nothing: 1 }[ranking]);
    if (degrees > 0) expect(statistic).toBeLessThan(critical(degrees));
  },
);
