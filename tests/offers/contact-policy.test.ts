import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNELS, type Channel } from '../../src/domain/channel.ts';
import { type ContactPolicy, DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { OfferId } from '../../src/domain/ids.ts';
import type { Offer, OfferAnswer } from '../../src/domain/offer.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import { chooseOffers } from '../../src/offers/choose-offers.ts';
import type { Contact } from '../../src/offers/contact-history.ts';
import { compileContactPolicy } from '../../src/offers/contact-policy.ts';
import type { CustomerFacts, Situation } from '../../src/offers/customer-facts.ts';
import { makeContact, makeFacts, makeMarket, makeOffer, makeSituation, noon } from '../support/offers.ts';

const ten = makeOffer({ offerId: 'ten' });

/** Why the offer may not be made, under the defaults but for what the test states. */
function why(
  offer: Offer,
  facts: Partial<CustomerFacts>,
  situation: Partial<Situation> = {},
  contact: object = {},
) {
  const { ruleFor } = compileContactPolicy(DecisionPolicy.parse({ contact }).contact);
  return ruleFor(makeFacts(facts), makeSituation(situation))(offer);
}

test.each(CHANNELS)(
  'on %s, consent is needed where the shop goes to the customer, and a refusal always counts',
  (channel) => {
    const goes = channel === 'email' || channel === 'phone';
    const excluded = (consent: object) => why(ten, { consent }, { channel });
    expect(excluded({})).toBe(goes ? 'no-consent' : undefined);
    expect(excluded({ [channel]: false })).toBe('no-consent');
    expect(excluded({ [channel]: true })).toBeUndefined();
  },
);

test("quiet hours hold on the channels that are named, web among them, by the customer's clock", () => {
  const contact = { quietHours: [{ channels: ['web', 'email'], from: '13:59', to: '14:01' }] };
  // Noon is 14:00 in Berlin.
  const excluded = (channel: Channel, timeZone?: string) => why(ten, { timeZone }, { channel }, contact);
  expect(excluded('web', 'Europe/Berlin')).toBe('quiet-hours');
  expect(excluded('email', 'Europe/Berlin')).toBe('quiet-hours');
  expect(excluded('phone', 'Europe/Berlin')).toBeUndefined();
  expect(excluded('email')).toBeUndefined();
});

test('a call in the evening: not by default', () => {
  const at = (time: string) => why(ten, {}, { channel: 'phone', now: Date.parse(`2026-06-15T${time}Z`) });
  expect(['08:59:59', '09:00:00', '19:59:59', '20:00:00'].map(at)).toEqual([
    'quiet-hours',
    undefined,
    undefined,
    'quiet-hours',
  ]);
});

const SELLING = [
  { kind: 'percentOff', percent: 5 },
  { kind: 'amountOff', amountMinor: 500 },
  { kind: 'freeDelivery', costMinor: 400 },
  { kind: 'gift', costMinor: 400 },
  { kind: 'loyaltyPoints', points: 10 },
  { kind: 'earlyAccess' },
  { kind: 'communityInvitation' },
];
const STAYING = [
  { kind: 'serviceContact', costMinor: 100 },
  { kind: 'serviceContact', form: 'apology', costMinor: 100 },
  { kind: 'content' },
];

describe.each([
  ['while a complaint is open', 'complaint-open', { complaintOpen: true }],
  ['after a low rating', 'low-rating', { lastRatedBelow: () => noon - dayMs }],
] as const)('%s', (_when, reason, facts) => {
  test.each(SELLING)('$kind, which sells, is not made', (benefit) =>
    expect(why(makeOffer({ benefit }), facts)).toBe(reason),
  );
  test.each(STAYING)('$kind $form, which does not sell, stays', (benefit) =>
    expect(why(makeOffer({ benefit }), facts)).toBeUndefined(),
  );
  test('content that sells is not made', () => {
    const benefit = { kind: 'content' };
    expect(why(makeOffer({ benefit, sells: true }), facts)).toBe(reason);
    expect(why(makeOffer({ benefit, sells: false }), facts)).toBeUndefined();
  });
});

test('a low rating is one below the bound, for so many days; none are no rule', () => {
  const ratedAt = (at: number) => ({ lastRatedBelow: (bound: number) => (2 < bound ? at : undefined) });
  const excluded = (at: number, lowRating: object = {}) => why(ten, ratedAt(at), {}, { lowRating });
  expect(excluded(noon - 14 * dayMs + 1)).toBe('low-rating');
  expect(excluded(noon - 14 * dayMs)).toBeUndefined();
  expect(excluded(noon, { below: 2 })).toBeUndefined();
  expect(excluded(noon, { days: 0 })).toBeUndefined();
});

test('a service contact and content are suppressed like anything else that is dismissed', () => {
  const offerAnswers = [{ offerId: OfferId.parse('ten'), outcome: 'dismissed' as const, at: noon - dayMs }];
  for (const benefit of STAYING)
    expect(why(makeOffer({ offerId: 'ten', benefit }), { offerAnswers })).toBe('suppressed');
  expect(why(makeOffer({ offerId: 'five' }), { offerAnswers })).toBeUndefined();
});

test('one discount at a time, unless the policy says otherwise', () => {
  const contacts = [makeContact({ at: noon - dayMs, discount: true })];
  expect(why(ten, { contacts })).toBe('discount-open');
  expect(why(ten, { contacts }, {}, { oneDiscountAtATime: false })).toBeUndefined();
  expect(why(makeOffer({ benefit: { kind: 'gift', costMinor: 1 } }), { contacts })).toBeUndefined();
});

// The rules once more, in other words than the code under test: the customer is asked about, not the policy compiled.

const ids = ['o0', 'o1', 'o2', 'o3'];
const someMoment = fc.oneof(
  fc.integer({ min: 0, max: 40 * 24 }).map((hours) => noon - hours * hourMs),
  fc.constantFrom(noon, noon - 12 * hourMs, noon - 7 * dayMs, noon - 7 * dayMs + 1, noon - 30 * dayMs),
);
const somePolicy = fc
  .record({
    timeZone: fc.constantFrom('UTC', 'Asia/Tokyo'),
    quietHours: fc.array(
      fc.record({
        channels: fc.subarray([...CHANNELS], { minLength: 1 }),
        from: fc.constantFrom('21:00', '12:00', '14:00'),
        to: fc.constantFrom('08:00', '13:00', '15:00'),
      }),
      { maxLength: 2 },
    ),
    caps: fc.array(
      fc.record(
        {
          channels: fc.subarray([...CHANNELS], { minLength: 1 }),
          times: fc.integer({ min: 1, max: 3 }),
          days: fc.constantFrom(1, 7, 30),
        },
        { requiredKeys: ['times', 'days'] },
      ),
      { maxLength: 2 },
    ),
    minGapHours: fc.constantFrom(0, 12, 24),
    dismissals: fc.record({ times: fc.integer({ min: 1, max: 3 }), suppressDays: fc.constantFrom(0, 7, 30) }),
    lowRating: fc.record({ below: fc.constantFrom(2, 3), days: fc.constantFrom(0, 7, 14) }),
    oneDiscountAtATime: fc.boolean(),
  })
  .map((contact) => DecisionPolicy.parse({ contact }));
const someOffer = fc.record({
  benefit: fc.constantFrom(...SELLING, ...STAYING),
  channels: fc.subarray([...CHANNELS], { minLength: 3 }),
  priorityLever: fc.constantFrom(1, 100),
  retention: fc.boolean(),
  caps: fc.array(
    fc.record({
      of: fc.constantFrom('made', 'redeemed'),
      times: fc.constantFrom(1, 2),
      days: fc.constantFrom(7, 30),
    }),
    { maxLength: 2 },
  ),
});
const someContact: fc.Arbitrary<Contact> = fc
  .record({
    offerId: fc.constantFrom(...ids),
    channel: fc.constantFrom(...CHANNELS),
    at: someMoment,
    discount: fc.boolean(),
    state: fc.constantFrom(
      'reserved' as const,
      'confirmed' as const,
      'redeemed' as const,
      'dismissed' as const,
    ),
    occasionId: fc.constantFrom('now', 'a', 'b', 'c', 'd', 'e'),
  })
  .map((contact) => makeContact({ ...contact, stateAt: contact.at }));
const someCustomer = fc.record({
  consent: fc.dictionary(fc.constantFrom(...CHANNELS), fc.boolean()).map((consent) => ({ ...consent })),
  timeZone: fc.constantFrom(undefined, 'Europe/Berlin', 'America/New_York'),
  complaintOpen: fc.boolean(),
  ratings: fc.array(fc.record({ rating: fc.constantFrom(1, 2, 3, 4), at: someMoment }), { maxLength: 2 }),
  answers: fc.array(
    fc.record({
      offerId: fc.constantFrom(...ids).map((id) => OfferId.parse(id)),
      outcome: fc.constantFrom('redeemed' as const, 'dismissed' as const),
      at: someMoment,
    }),
    { maxLength: 4 },
  ),
  contacts: fc.array(someContact, { maxLength: 4 }),
});

/** The hour and minute of a customer's watch. */
const watch = (timeZone: string, now: number) =>
  new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(now);
const goesTo = (channel: Channel) => channel === 'email' || channel === 'phone';
const isDiscount = ({ benefit }: Offer) => ['percentOff', 'amountOff', 'bundle'].includes(benefit.kind);
const within = (at: number, days: number) => noon - at < days * dayMs;

function forbidden(
  offer: Offer,
  policy: ContactPolicy,
  channel: Channel,
  customer: { ratings: { rating: number; at: number }[]; answers: OfferAnswer[]; contacts: Contact[] } & Pick<
    CustomerFacts,
    'consent' | 'timeZone' | 'complaintOpen'
  >,
): string[] {
  const faults: (string | false)[] = [];
  const asks = customer.consent[channel];
  faults.push((goesTo(channel) ? asks !== true : asks === false) && 'consent');
  const time = watch(customer.timeZone ?? policy.timeZone, noon);
  for (const { channels, from, to } of policy.quietHours) {
    const quiet = from < to ? from <= time && time < to : !(to <= time && time < from);
    faults.push(channels.includes(channel) && quiet && 'quiet');
  }
  if (!['serviceContact', 'content'].includes(offer.benefit.kind)) {
    faults.push(customer.complaintOpen && 'complaint');
    const { below, days } = policy.lowRating;
    faults.push(customer.ratings.some(({ rating, at }) => rating < below && within(at, days)) && 'rating');
  }

  const { times, withinDays, suppressDays } = policy.dismissals;
  const dismissed = customer.answers.filter(({ outcome }) => outcome === 'dismissed');
  faults.push(
    dismissed.some(({ offerId, at }) => offerId === offer.offerId && within(at, suppressDays)) && 'dismissed',
  );
  for (const { at } of dismissed) {
    const before = dismissed.filter((other) => other.at <= at && at - other.at < withinDays * dayMs);
    faults.push(within(at, suppressDays) && before.length >= times && 'tired');
  }

  // Reserved ones lapse after a day.
  const standing = customer.contacts.filter(({ state, at }) => state !== 'reserved' || noon - at < dayMs);
  const elsewhere = standing.filter(({ occasionId }) => occasionId !== 'now');
  faults.push(
    goesTo(channel) &&
      elsewhere.some((one) => goesTo(one.channel) && noon - one.at < policy.minGapHours * hourMs) &&
      'gap',
  );
  for (const cap of policy.caps) {
    const counts = (one: Channel) => (cap.channels ? cap.channels.includes(one) : goesTo(one));
    const occasions = elsewhere.filter((one) => counts(one.channel) && within(one.at, cap.days));
    faults.push(
      counts(channel) && new Set(occasions.map(({ occasionId }) => occasionId)).size >= cap.times && 'cap',
    );
  }

  const answered = (one: Contact) =>
    customer.answers.some(({ offerId, at }) => offerId === one.offerId && at >= one.at);
  const redeemable = standing.filter(
    (one) => (one.state === 'reserved' || one.state === 'confirmed') && within(one.at, 14),
  );
  const out = redeemable.filter((one) => !answered(one));
  const own = (one: { offerId: string }) => one.offerId === offer.offerId;
  for (const { of, times: most, days } of offer.caps) {
    const made = standing.filter((one) => own(one) && within(one.at, days)).length;
    const redeemed = (list: { outcome: string; offerId: string; at: number }[]) =>
      list.filter((one) => own(one) && one.outcome === 'redeemed' && within(one.at, days)).length;
    const byLedger = redeemed(standing.map((one) => ({ ...one, outcome: one.state, at: one.stateAt })));
    const had = [
      byLedger + redeemable.filter(own).length,
      redeemed(customer.answers) + out.filter(own).length,
    ];
    // Who has it may have it shown again: it is the same one. A message with it is another message.
    const again = out.some(own) ? 1 : 0;
    const shownAgain = !goesTo(channel) && out.some((one) => own(one) && within(one.at, days)) ? 1 : 0;
    faults.push((of === 'made' ? made - shownAgain : Math.max(...had) - again) >= most && 'offer cap');
  }
  faults.push(
    policy.oneDiscountAtATime &&
      isDiscount(offer) &&
      out.some((one) => one.discount && one.offerId !== offer.offerId) &&
      'discount',
  );
  return faults.filter((fault) => fault !== false);
}

test('whatever offers and their levers are, none is made that the policy forbids, and no other is excluded by it', () => {
  const seen = { made: 0, faults: new Set<string>() };
  fc.assert(
    fc.property(
      fc.array(someOffer, { minLength: 1, maxLength: ids.length }),
      somePolicy,
      someCustomer,
      fc.constantFrom(...CHANNELS),
      (inputs, policy, customer, channel) => {
        const offers = inputs.map((input, i) => makeOffer({ offerId: ids[i], ...input }));
        const find = (id: string) => {
          const offer = offers.find(({ offerId }) => offerId === id);
          if (offer === undefined) throw new Error(`${id} does not exist`);
          return offer;
        };
        const { consent, timeZone, complaintOpen, contacts } = customer;
        const answers = customer.answers.toSorted((a, b) => a.at - b.at);
        const low = (bound: number) =>
          customer.ratings.filter(({ rating }) => rating < bound).map(({ at }) => at);
        const facts = makeFacts({
          consent,
          timeZone,
          complaintOpen,
          contacts,
          offerAnswers: answers,
          lastRatedBelow: (bound) => (low(bound).length === 0 ? undefined : Math.max(...low(bound))),
          averageOrderMinor: 100_000,
        });
        const market = makeMarket(offers, [], { policy });
        const situation = makeSituation({ channel, occasionId: 'now' });
        const { placements, excluded } = chooseOffers(market, facts, situation, { limit: 10 });
        const made = placements.flatMap((place) => place.offers.map(({ offerId }) => find(offerId)));
        for (const offer of made)
          expect(forbidden(offer, policy.contact, channel, { ...customer, answers })).toEqual([]);
        seen.made += made.length;
        const madeDiscounts = made.filter(isDiscount);
        if (policy.contact.oneDiscountAtATime) expect(madeDiscounts.length).toBeLessThanOrEqual(1);
        for (const { offerId, reasonCode } of excluded) {
          const offer = find(offerId);
          const faults = forbidden(offer, policy.contact, channel, { ...customer, answers });
          for (const fault of faults) seen.faults.add(fault);
          if (faults.length > 0) continue;
          if (reasonCode === 'discount-open') expect(madeDiscounts).toHaveLength(1);
          else expect(['channel-not-allowed', 'value-not-positive', 'outranked']).toContain(reasonCode);
        }
      },
    ),
    { numRuns: 2000 },
  );
  expect(seen.made).toBeGreaterThan(100);
  expect(seen.faults.size).toBe(10);
});
