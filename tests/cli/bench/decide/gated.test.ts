/** The gate of promotion in the closed loop: what is learnt is served only where its decisions earn more beyond doubt than what is served. */
import { expect, test } from 'vitest';
import { createRng } from '../../../../src/algorithms/rng.ts';
import { openClosedShop } from '../../../../src/cli/bench/decide/closed-shop.ts';
import { learnThroughGate } from '../../../../src/cli/bench/decide/learn-offers.ts';
import { marketOf, NO_MODELS } from '../../../../src/cli/bench/decide/nextbest.ts';
import { FEATURE_NAMES } from '../../../../src/features/registry.ts';
import { compileOffer } from '../../../../src/offers/eligibility.ts';

test('a shop of a hundred customers proves nothing: its model is tried, and stays in the shadow', async () => {
  const closed = openClosedShop({ customers: 110, seed: 203, weeks: 1 });
  const offers = closed.shop.offers.map(({ offer }) => compileOffer(offer, FEATURE_NAMES));
  const { champion, reason } = await learnThroughGate(
    closed,
    closed.history,
    closed.startAt,
    () => createRng('gated'),
    { champion: undefined, market: { ...marketOf(closed, new Map()), offers }, models: NO_MODELS },
  );
  expect(champion).toBeUndefined();
  expect(reason).toMatch(/earnings of a decision within its window/);
});
