import { expect, test } from 'vitest';
import { OfferId } from '../../src/domain/ids.ts';
import { dayMs } from '../../src/domain/time.ts';
import type { Contact } from '../../src/offers/contact-history.ts';
import { hasOtherDiscount, isOfferCapped, openDiscounts } from '../../src/offers/offer-limits.ts';
import { makeContact, makeOffer, noon } from '../support/offers.ts';

const answer = (outcome: 'redeemed' | 'dismissed', daysAgo: number, offerId = 'offer') => ({
  offerId: OfferId.parse(offerId),
  outcome,
  at: noon - daysAgo * dayMs,
});
const made = (daysAgo: number, more: Partial<Contact> = {}) =>
  makeContact({ offerId: 'offer', at: noon - daysAgo * dayMs, ...more });

test('a cap of times made counts those of the window, of this offer', () => {
  const offer = makeOffer({ caps: [{ times: 2, days: 10 }] });
  const capped = (...contacts: Contact[]) => isOfferCapped(offer, { contacts, offerAnswers: [] }, noon);
  expect(capped(made(9.999), made(1))).toBe(true);
  expect(capped(made(10), made(1))).toBe(false);
  expect(capped(made(2, { offerId: 'another' }), made(1))).toBe(false);
  expect(isOfferCapped(makeOffer(), { contacts: [made(1), made(2)], offerAnswers: [] }, noon)).toBe(false);
});

test('a cap of redemptions counts those of the record too, and what is out', () => {
  const offer = makeOffer({ caps: [{ of: 'redeemed', times: 2, days: 30 }] });
  const capped = (contacts: Contact[], offerAnswers: ReturnType<typeof answer>[]) =>
    isOfferCapped(offer, { contacts, offerAnswers }, noon);
  expect(capped([], [answer('redeemed', 1), answer('redeemed', 29.999)])).toBe(true);
  expect(capped([], [answer('redeemed', 1), answer('redeemed', 30)])).toBe(false);
  expect(capped([], [answer('redeemed', 1), answer('dismissed', 1), answer('redeemed', 1, 'other')])).toBe(
    false,
  );
  // The one that is out is the one that would be made again; it counts when she has had her two besides.
  expect(capped([made(1)], [answer('redeemed', 5)])).toBe(false);
  expect(capped([made(1), made(2)], [answer('redeemed', 5)])).toBe(true);
  // The same redemption, known to both.
  expect(capped([made(5, { state: 'redeemed', stateAt: noon - dayMs })], [answer('redeemed', 1)])).toBe(
    false,
  );
  expect(capped([made(5)], [answer('redeemed', 1)])).toBe(false);
});

test('of several caps, each must hold', () => {
  const offer = makeOffer({
    caps: [
      { times: 9, days: 10 },
      { times: 1, days: 1 },
    ],
  });
  expect(isOfferCapped(offer, { contacts: [made(0.5)], offerAnswers: [] }, noon)).toBe(true);
});

test('a discount is open until it is redeemed or dismissed, to whomever that was told, or over', () => {
  const open = (contact: Contact, ...offerAnswers: ReturnType<typeof answer>[]) => [
    ...openDiscounts({ contacts: [contact], offerAnswers }, noon),
  ];
  const discount = made(2, { discount: true });
  expect(open(discount)).toEqual(['offer']);
  expect(open(made(2))).toEqual([]);
  expect(open(made(14, { discount: true }))).toEqual([]);
  expect(open({ ...discount, state: 'redeemed' })).toEqual([]);
  expect(open(discount, answer('redeemed', 1))).toEqual([]);
  expect(open(discount, answer('dismissed', 1))).toEqual([]);
  // Of the time before, when it was made once already.
  expect(open(discount, answer('redeemed', 3))).toEqual(['offer']);
  expect(open(discount, answer('redeemed', 1, 'other'))).toEqual(['offer']);
});

test('who holds a discount gets no other, but may be shown that one again', () => {
  const held = new Set(['ten']);
  const offer = (offerId: string, benefit: object) => makeOffer({ offerId, benefit, itemIds: ['a', 'b'] });
  for (const benefit of [
    { kind: 'percentOff', percent: 5 },
    { kind: 'amountOff', amountMinor: 500 },
    { kind: 'bundle', percent: 5 },
  ]) {
    expect(hasOtherDiscount(offer('five', benefit), held)).toBe(true);
    expect(hasOtherDiscount(offer('ten', benefit), held)).toBe(false);
    expect(hasOtherDiscount(offer('five', benefit), new Set())).toBe(false);
  }
  expect(hasOtherDiscount(offer('points', { kind: 'loyaltyPoints', points: 10 }), held)).toBe(false);
});
