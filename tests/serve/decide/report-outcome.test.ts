import { expect, test } from 'vitest';
import { isAttributed } from '../../../src/serve/decide/report-outcome.ts';
import { noon } from '../../support/offers.ts';

test('a redemption belongs to its offer until the time for that is over; anything else whenever it comes', () => {
  const offer = { redeemableUntil: new Date(noon).toISOString() };
  expect(isAttributed(offer, 'redeemed', noon - 1)).toBe(true);
  expect(isAttributed(offer, 'redeemed', noon)).toBe(false);
  expect(isAttributed(offer, 'dismissed', noon + 1)).toBe(true);
  expect(isAttributed({}, 'redeemed', noon + 1)).toBe(true);
});
