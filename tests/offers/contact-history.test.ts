import { expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import {
  type Contact,
  countOccasions,
  countOffer,
  isOpen,
  lastContactAt,
} from '../../src/offers/contact-history.ts';
import { makeContact } from '../support/offers.ts';

const now = 100 * dayMs;

function contact(daysAgo: number, fields: Partial<Contact> = {}): Contact {
  const at = now - daysAgo * dayMs;
  return makeContact({
    occasionId: `o${daysAgo}`,
    decisionId: `d${daysAgo}`,
    offerId: 'a',
    at,
    ...fields,
  });
}

test('what is shown on one occasion is one contact, and the occasion that is asked about does not count itself', () => {
  const history = [contact(3), contact(3, { offerId: 'b', decisionId: 'other' }), contact(1)];
  const cap = { times: 5, days: 7 };
  expect(countOccasions(history, cap, now)).toBe(2);
  expect(countOccasions(history, cap, now, 'o3')).toBe(1);
  expect(lastContactAt(history, {}, now)).toBe(now - dayMs);
  expect(lastContactAt(history, {}, now, 'o1')).toBe(now - 3 * dayMs);
});

test('a window of days reaches to just after the same instant that many days ago', () => {
  expect(countOccasions([contact(7)], { times: 1, days: 7 }, now)).toBe(0);
  expect(countOccasions([contact(6.999)], { times: 1, days: 7 }, now)).toBe(1);
});

test('a cap on channels counts contacts on these; one without channels counts all', () => {
  const history = [contact(1), contact(2, { channel: 'web' })];
  expect(countOccasions(history, { channels: ['email'], times: 1, days: 7 }, now)).toBe(1);
  expect(countOccasions(history, { channels: [], times: 1, days: 7 }, now)).toBe(2);
  expect(lastContactAt(history, { channels: ['web'] }, now)).toBe(now - 2 * dayMs);
});

test('what was reserved and has lapsed counts nowhere', () => {
  const lapsed = contact(2, { state: 'reserved', discount: true });
  expect(countOccasions([lapsed], { times: 1, days: 7 }, now)).toBe(0);
  expect(countOffer([lapsed], 'a', { of: 'made', times: 1, days: 7 }, now)).toBe(0);
  expect(countOffer([lapsed], 'a', { of: 'redeemed', times: 1, days: 7 }, now)).toBe(0);
  expect(lastContactAt([lapsed], {}, now)).toBeUndefined();
  expect(isOpen(lapsed, now)).toBe(false);
});

test('a cap on redemptions counts those of the window and those that are still to come', () => {
  const cap = { of: 'redeemed', times: 1, days: 30 } as const;
  const redeemed = contact(40, { state: 'redeemed', stateAt: now - 29 * dayMs });
  expect(countOffer([redeemed], 'a', cap, now)).toBe(1);
  expect(countOffer([{ ...redeemed, stateAt: now - 30 * dayMs }], 'a', cap, now)).toBe(0);
  expect(countOffer([contact(13), contact(14), contact(1, { state: 'dismissed' })], 'a', cap, now)).toBe(1);
  expect(countOffer([contact(1, { offerId: 'b' })], 'a', cap, now)).toBe(0);
});

test('an offer is open until it is redeemed, dismissed or over', () => {
  expect(isOpen(contact(13.9), now)).toBe(true);
  expect(isOpen(contact(14), now)).toBe(false);
  for (const state of ['redeemed', 'dismissed'] as const)
    expect(isOpen(contact(1, { state }), now)).toBe(false);
});
