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
const onPage = { channel: 'web' as const, now: noon };
const made = (daysAgo: number, more: Partial<Contact> = {}) =>
  makeContact({ offerId: 'offer', at: noon - daysAgo * dayMs, ...more });

test('a cap of times made counts those of the window, of this offer', () => {
  const offer = makeOffer({ caps: [{ times: 2, days: 10 }] });
  const capped = (...contacts: Contact[]) => isOfferCapped(offer, { contacts, offerAnswers: [] }, onPage);
  const over = (daysAgo: number) => made(daysAgo, { redeemableUntil: noon - daysAgo * dayMs });
  expect(capped(over(9.999), over(1))).toBe(true);
  expect(capped(over(10), over(1))).toBe(false);
  expect(capped(over(2), made(1, { offerId: 'another' }))).toBe(false);
  expect(isOfferCapped(makeOffer(), { contacts: [over(1), over(2)], offerAnswers: [] }, onPage)).toBe(false);
});

test('what she has is not made again when it is shown again, as long as she has it, and neither used up the cap', () => {
  const shown = (daysAgo: number, channel: 'web' | 'email' = 'web') =>
    made(daysAgo, { channel, redeemableUntil: noon - daysAgo * dayMs });
  const views = [shown(7), shown(6), shown(1)];
  const capped = (times: number, days: number, ...contacts: Contact[]) =>
    isOfferCapped(makeOffer({ caps: [{ times, days }] }), { contacts, offerAnswers: [] }, onPage);
  expect(capped(1, 10, made(8), ...views)).toBe(false);
  // Also where it was made before the window.
  expect(capped(1, 5, made(8), ...views)).toBe(false);
  // A message with it is another one each time, and goes out no oftener.
  expect(capped(3, 10, made(8), shown(7), shown(6, 'email'), shown(5, 'email'))).toBe(false);
  expect(capped(2, 10, made(8), shown(7), shown(6, 'email'), shown(5, 'email'))).toBe(true);
  const byMail = { channel: 'email' as const, now: noon };
  expect(
    isOfferCapped(
      makeOffer({ caps: [{ times: 1, days: 10 }] }),
      { contacts: [made(8)], offerAnswers: [] },
      byMail,
    ),
  ).toBe(true);
  // Redeemed, it was made once; what came after that was another one each time.
  const redeemedAgo = (daysAgo: number) => made(8, { state: 'redeemed', stateAt: noon - daysAgo * dayMs });
  expect(capped(1, 10, redeemedAgo(0.5), ...views)).toBe(true);
  expect(capped(2, 10, redeemedAgo(0.5), ...views)).toBe(false);
  expect(capped(3, 10, redeemedAgo(6.5), ...views)).toBe(true);
  expect(capped(4, 10, redeemedAgo(6.5), ...views)).toBe(false);
  // One that she has beside one that she had.
  expect(capped(1, 10, made(9, { state: 'redeemed', stateAt: noon - 8.5 * dayMs }), made(8), ...views)).toBe(
    true,
  );
});

test('a cap of redemptions counts those of the record too, and what is out', () => {
  const offer = makeOffer({ caps: [{ of: 'redeemed', times: 2, days: 30 }] });
  const capped = (contacts: Contact[], offerAnswers: ReturnType<typeof answer>[]) =>
    isOfferCapped(offer, { contacts, offerAnswers }, onPage);
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
  expect(
    isOfferCapped(offer, { contacts: [made(0.5, { state: 'dismissed' })], offerAnswers: [] }, onPage),
  ).toBe(true);
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
