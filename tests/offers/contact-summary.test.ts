import { expect, test } from 'vitest';
import { ContactPolicy } from '../../src/domain/decision-policy.ts';
import { OfferId } from '../../src/domain/ids.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import { compileContactPolicy } from '../../src/offers/contact-policy.ts';
import { makeContact, makeFacts, makeSituation, noon } from '../support/offers.ts';

const policy = compileContactPolicy(
  ContactPolicy.parse({
    timeZone: 'Europe/Berlin',
    quietHours: [{ channels: ['email'], from: '12:00', to: '15:00' }],
    caps: [
      { channels: ['email'], times: 2, days: 7 },
      { times: 5, days: 30 },
      { channels: ['web'], times: 9, days: 1 },
    ],
  }),
);
const email = makeSituation({ channel: 'email', occasionId: 'this' });
const instant = (at: number) => new Date(at).toISOString();

test('counts for each cap of the channel what the rule counts, and says when the gap began', () => {
  const contacts = [
    makeContact({ occasionId: 'old', at: noon - 20 * dayMs }),
    makeContact({ occasionId: 'call', channel: 'phone', at: noon - 2 * dayMs }),
    makeContact({ occasionId: 'mail', at: noon - 3 * hourMs, offerId: 'ten' }),
    makeContact({ occasionId: 'mail', at: noon - 2 * hourMs, offerId: 'ten' }),
    // It lapsed, and this very message.
    makeContact({ occasionId: 'lapsed', state: 'reserved', expiresAt: noon - 1 }),
    makeContact({ occasionId: 'this', at: noon - hourMs, offerId: 'ten' }),
  ];
  const summary = policy.summaryOf(makeFacts({ contacts }), email);
  expect(summary.caps).toEqual([
    { channels: ['email'], times: 2, days: 7, counted: 1 },
    { channels: ['email', 'phone'], times: 5, days: 30, counted: 3 },
  ]);
  expect(summary.lastContactAt).toBe(instant(noon - 2 * hourMs));
  expect(summary.offers).toEqual([
    { offerId: 'ten', made: 3, lastAt: instant(noon - hourMs), open: true },
    { offerId: 'another', made: 2, lastAt: instant(noon - 2 * dayMs), open: true },
  ]);
});

test('says what the clock showed to the customer, and what she has said', () => {
  const offerId = OfferId.parse('ten');
  const facts = makeFacts({
    timeZone: 'America/New_York',
    complaintOpen: true,
    lastRatedBelow: (bound) => (bound === 3 ? noon - dayMs : undefined),
    offerAnswers: [{ offerId, outcome: 'dismissed', at: noon - hourMs }],
  });
  expect(policy.summaryOf(facts, email)).toEqual({
    timeZone: 'America/New_York',
    localTime: '08:00',
    quiet: false,
    complaintOpen: true,
    lowRatedAt: instant(noon - dayMs),
    answers: [{ offerId: 'ten', outcome: 'dismissed', at: instant(noon - hourMs) }],
    lastContactAt: null,
    limit: null,
    caps: [
      { channels: ['email'], times: 2, days: 7, counted: 0 },
      { channels: ['email', 'phone'], times: 5, days: 30, counted: 0 },
    ],
    offers: [],
  });
});

test('a zone that this machine does not know is the shop’s, as it is for the quiet hours', () => {
  const summary = policy.summaryOf(makeFacts({ timeZone: 'Mars/Olympus' }), email);
  expect(summary).toMatchObject({ timeZone: 'Europe/Berlin', localTime: '14:00', quiet: true });
});
