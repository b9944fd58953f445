import { expect, test } from 'vitest';
import { type Addressed, createAudit } from '../../../../src/cli/bench/decide/audit.ts';
import { DecisionPolicy } from '../../../../src/domain/decision-policy.ts';
import type { ShopEvent } from '../../../../src/domain/event.ts';
import { dayMs, hourMs } from '../../../../src/domain/time.ts';
import { isHeldOut } from '../../../../src/offers/experiments.ts';
import { makeOffer, noon } from '../../../support/offers.ts';

const { contact: policy } = DecisionPolicy.parse({
  contact: {
    quietHours: [{ channels: ['email'], from: '22:00', to: '07:00' }],
    caps: [{ channels: ['email'], times: 3, days: 7 }],
  },
});
const anna: Addressed = {
  customer: 0,
  subjectId: 'c0',
  consents: true,
  timeZone: undefined,
  openComplaints: 0,
  discountUntil: -Infinity,
};
const gift = makeOffer({ offerId: 'gift', benefit: { kind: 'gift', costMinor: 100 } });
const ten = makeOffer({ offerId: 'ten' });
const call = makeOffer({ offerId: 'call', benefit: { kind: 'serviceContact', costMinor: 100 } });
const heard = (event: object, at: number) => ({ customerId: 'c0', occurredAt: at, ...event }) as ShopEvent;
const dismissed = (offerId: string) => ({ type: 'offerOutcome', outcome: 'dismissed', offerId });

type Told = [event: object, daysBefore: number];
const cases: {
  what: string;
  offer?: object;
  to?: Partial<Addressed>;
  told?: Told[];
  sent?: number[];
  at?: number;
  expected: object;
}[] = [
  { what: 'nothing is broken', expected: {} },
  { what: 'consent', to: { consents: false }, expected: { consent: 1 } },
  { what: 'the channel', offer: { ...gift, channels: ['web'] }, expected: { channel: 1 } },
  { what: 'a complaint that is open', to: { openComplaints: 1 }, expected: { complaint: 1 } },
  { what: 'no complaint by a call', offer: call, to: { openComplaints: 1 }, expected: {} },
  { what: 'a low rating', told: [[{ type: 'rating', rating: 2 }, 13.9]], expected: { lowRating: 1 } },
  { what: 'no low rating of long ago', told: [[{ type: 'rating', rating: 2 }, 14]], expected: {} },
  { what: 'another discount', offer: ten, to: { discountUntil: noon + 1 }, expected: { discountOpen: 1 } },
  { what: 'the gap', sent: [0.2], expected: { gap: 1 } },
  { what: 'the cap', sent: [1, 2, 6.9], expected: { cap: 1 } },
  { what: 'no cap of eight days', sent: [1, 2, 7], expected: {} },
  { what: 'quiet hours of the shop', at: noon + 11 * hourMs, expected: { quietHours: 1 } },
  {
    what: 'quiet hours of the customer',
    to: { timeZone: 'Asia/Tokyo' },
    at: noon + 2 * hourMs,
    expected: { quietHours: 1 },
  },
  {
    what: 'no quiet hours of the customer',
    to: { timeZone: 'Asia/Tokyo' },
    at: noon + 11 * hourMs,
    expected: {},
  },
  {
    what: "the offer's cap",
    offer: { ...gift, caps: [{ of: 'made', times: 1, days: 30 }] },
    sent: [8],
    expected: { offerCap: 1 },
  },
  {
    what: 'a cap of redemptions',
    offer: { ...gift, caps: [{ of: 'redeemed', times: 1, days: 30 }] },
    told: [[{ type: 'offerOutcome', outcome: 'redeemed', offerId: 'gift' }, 20]],
    expected: { offerCap: 1 },
  },
  { what: 'a dismissal', told: [[dismissed('gift'), 29]], expected: { suppressed: 1 } },
  { what: 'no dismissal of another', told: [[dismissed('ten'), 1]], expected: {} },
  {
    what: 'three dismissals',
    told: [
      [dismissed('a'), 40],
      [dismissed('b'), 35],
      [dismissed('c'), 20],
    ],
    expected: { suppressed: 1 },
  },
  {
    what: 'no three dismissals',
    told: [
      [dismissed('a'), 51],
      [dismissed('b'), 35],
      [dismissed('c'), 20],
    ],
    expected: {},
  },
];

test.each(cases)('counts $what', ({ offer = gift, to, told = [], sent = [], at = noon, expected }) => {
  const audit = createAudit(policy, 'email', () => Number.POSITIVE_INFINITY);
  for (const days of [...sent].sort((a, b) => b - a))
    audit.made(gift, { ...anna, customer: 7 }, at - days * dayMs, 0);
  for (const [event, days] of told) audit.heard(7, heard(event, at - days * dayMs));
  expect(audit.breaches()).toEqual({});
  audit.made(makeOffer(offer), { ...anna, ...to, customer: 7 }, at, 1);
  expect(audit.breaches()).toEqual(expected);
  expect(audit.contacts).toBe(sent.length + 1);
});

test('counts what is beyond a budget, and holdouts, as the rules draw them', () => {
  const audit = createAudit(policy, 'email', () => 2);
  const half = makeOffer({ ...gift, holdoutShare: 0.5 });
  const subjects = Array.from({ length: 40 }, (_, i) => `c${i}`);
  for (const [customer, subjectId] of subjects.entries()) {
    audit.made(half, { ...anna, customer, subjectId }, noon, Math.floor(customer / 3));
  }
  const held = subjects.filter((subjectId) => isHeldOut(half, subjectId)).length;
  expect(held).toBeGreaterThan(5);
  expect(audit.breaches()).toEqual({ holdout: held, budget: 13 });
});
