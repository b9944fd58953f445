import { expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { redeemableUntil } from '../../src/offers/redeemable-until.ts';
import { makeOffer, noon } from '../support/offers.ts';

test('an offer may be redeemed for its own days, but not after it has ended', () => {
  expect(redeemableUntil(makeOffer({ redeemWithinDays: 3 }), noon)).toBe(noon + 3 * dayMs);
  const ending = makeOffer({ redeemWithinDays: 3, validTo: '2026-06-16T00:00:00+02:00' });
  expect(redeemableUntil(ending, noon)).toBe(Date.parse('2026-06-15T22:00:00Z'));
});

test.each([{ kind: 'content' }, { kind: 'serviceContact', costMinor: 300 }])(
  'of $kind there is nothing to redeem',
  (benefit) => expect(redeemableUntil(makeOffer({ benefit }), noon)).toBeUndefined(),
);
