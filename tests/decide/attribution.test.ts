import { expect, test } from 'vitest';
import { attributionOf } from '../../src/decide/attribution.ts';
import { newDecisionId } from '../../src/decide/decision-id.ts';
import { dayMs } from '../../src/domain/time.ts';
import { noon } from '../support/offers.ts';

const made = noon - 9 * dayMs;
const offer = { redeemableUntil: new Date(noon).toISOString() };

test('a redemption belongs to its offer until the time for that is over; anything else whenever it comes', () => {
  expect(attributionOf(made, offer, 'redeemed', noon - 1)).toBe('attributed');
  expect(attributionOf(made, offer, 'redeemed', noon)).toBe('late');
  expect(attributionOf(made, offer, 'dismissed', noon + 1)).toBe('attributed');
  expect(attributionOf(made, {}, 'redeemed', noon + 1)).toBe('attributed');
});

test('a redemption from before the offer was made is not its own, but for a day by which clocks may differ', () => {
  expect(attributionOf(made, offer, 'redeemed', made - dayMs)).toBe('attributed');
  expect(attributionOf(made, offer, 'redeemed', made - dayMs - 1)).toBe('early');
  expect(attributionOf(made, offer, 'clicked', made - 2 * dayMs)).toBe('attributed');
  // Made again, it is the offer that she has had since.
  const held = { ...offer, heldSince: newDecisionId(made - 3 * dayMs) };
  expect(attributionOf(made, held, 'redeemed', made - 4 * dayMs)).toBe('attributed');
  expect(attributionOf(made, held, 'redeemed', made - 4 * dayMs - 1)).toBe('early');
});
