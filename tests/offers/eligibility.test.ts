import { expect, test } from 'vitest';
import { EXCLUSION_REASONS } from '../../src/domain/decision.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { OfferId } from '../../src/domain/ids.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import type { Contact } from '../../src/offers/contact-history.ts';
import { compileContactPolicy } from '../../src/offers/contact-policy.ts';
import type { CustomerFacts, Situation } from '../../src/offers/customer-facts.ts';
import { compileOffer } from '../../src/offers/eligibility.ts';
import { isHeldOut } from '../../src/offers/experiments.ts';
import { makeContact, makeFacts, makeOffer, makeSituation, noon } from '../support/offers.ts';

const names = ['orderCount', 'discountShare'];

/** The offer under a contact policy. */
function compile(input: Parameters<typeof makeOffer>[0], policy = DecisionPolicy.parse({})) {
  const offer = compileOffer(makeOffer(input), names);
  const { ruleFor } = compileContactPolicy(policy.contact);
  const exclusion = (facts: CustomerFacts, situation: Situation) =>
    offer.exclusionOfOffer(situation) ??
    offer.exclusionOfCustomer(facts, situation, ruleFor(facts, situation));
  return { ...offer, exclusion };
}

test('an offer without rules is for everybody', () => {
  expect(
    compile({}).exclusion(makeFacts({ features: new Float32Array(2) }), makeSituation()),
  ).toBeUndefined();
});

test('validFrom is the first instant, validTo the first that is too late', () => {
  const offer = compile({ validFrom: '2026-06-15T12:00:00Z', validTo: '2026-06-15T15:00:00+02:00' });
  const at = (now: number) => offer.exclusion(makeFacts(), makeSituation({ now }));
  expect(at(noon - 1)).toBe('not-yet-valid');
  expect(at(noon)).toBeUndefined();
  // 15:00 at +02:00 is 13:00 UTC, one hour after noon.
  expect(at(noon + 3_600_000 - 1)).toBeUndefined();
  expect(at(noon + 3_600_000)).toBe('no-longer-valid');
});

test('who is in the holdout of an offer does not get it, and is told so before anything about the customer', () => {
  const { offer, exclusion } = compile({ holdoutShare: 0.5 });
  const subjects = Array.from({ length: 100 }, (_, i) => `c${i}`);
  const reasons = subjects.map((subjectId) =>
    exclusion(makeFacts({ subjectId, consent: {} }), makeSituation()),
  );
  expect(reasons).toEqual(
    subjects.map((subjectId) => (isHeldOut(offer, subjectId) ? 'offer-holdout' : undefined)),
  );
  expect(new Set(reasons).size).toBe(2);
  const subjectId = subjects.find((id) => isHeldOut(offer, id)) ?? '';
  const byEmail = makeSituation({ channel: 'email' });
  expect(exclusion(makeFacts({ subjectId, consent: {} }), byEmail)).toBe('offer-holdout');
});

test('an offer keeps to its channels', () => {
  const offer = compile({ channels: ['email'] });
  expect(offer.exclusion(makeFacts(), makeSituation({ channel: 'web' }))).toBe('channel-not-allowed');
  expect(offer.exclusion(makeFacts(), makeSituation({ channel: 'email' }))).toBeUndefined();
});

test('an offer needs one of its placements among those asked; without any it stands anywhere', () => {
  const offer = compile({ placements: ['hero', 'cart'] });
  const at = (...placements: string[]) => offer.exclusion(makeFacts(), makeSituation({ placements }));
  expect(at('footer')).toBe('placement-not-allowed');
  expect(at('footer', 'cart')).toBeUndefined();
  expect(compile({}).exclusion(makeFacts(), makeSituation({ placements: ['anywhere'] }))).toBeUndefined();
});

test('an offer about items needs one that can be bought, unless it is about a category as well', () => {
  const isBuyable = (itemId: string) => itemId === 'tea';
  const excluded = (input: object) => compile(input).exclusion(makeFacts(), makeSituation({ isBuyable }));
  expect(excluded({ itemIds: ['mug', 'pot'] })).toBe('out-of-stock');
  expect(excluded({ itemIds: ['mug', 'tea'] })).toBeUndefined();
  expect(excluded({ itemIds: ['mug'], categories: ['kitchen'] })).toBeUndefined();
  const benefit = { kind: 'bundle', percent: 10 };
  expect(excluded({ itemIds: ['mug', 'tea'], benefit })).toBe('out-of-stock');
});

test('a gift that is an item is promised only while it can be had, whatever else the offer is about', () => {
  const isBuyable = (itemId: string) => itemId === 'tea';
  const excluded = (benefit: object, more: object = {}) =>
    compile({ benefit: { kind: 'gift', costMinor: 50, ...benefit }, ...more }).exclusion(
      makeFacts(),
      makeSituation({ isBuyable }),
    );
  expect(excluded({ itemId: 'mug' })).toBe('out-of-stock');
  expect(excluded({ itemId: 'mug' }, { itemIds: ['tea'] })).toBe('out-of-stock');
  expect(excluded({ itemId: 'tea' })).toBeUndefined();
  expect(excluded({})).toBeUndefined();
});

test('a tier is tried by who is below it', () => {
  const benefit = { kind: 'tierTrial', tier: 'silver', days: 30, costMinor: 100 };
  const excluded = (loyaltyTier: CustomerFacts['loyaltyTier']) =>
    compile({ benefit }).exclusion(makeFacts({ loyaltyTier }), makeSituation());
  expect(excluded('none')).toBeUndefined();
  expect(excluded('bronze')).toBeUndefined();
  for (const tier of ['silver', 'gold', 'platinum'] as const) expect(excluded(tier)).toBe('tier-held');
  // A discount it is not, so that no offer fails this and `discount-open`; it stands between what protects her and the offer's own rules.
  const { exclusion } = compile({ benefit, eligibility: { attribute: 'tier', in: ['gold'] } });
  expect(exclusion(makeFacts({ loyaltyTier: 'silver' }), makeSituation())).toBe('tier-held');
  const complaining = makeFacts({ loyaltyTier: 'silver', complaintOpen: true });
  expect(exclusion(complaining, makeSituation())).toBe('complaint-open');
});

test('a basket that is known must be large enough; one that is not known may still grow', () => {
  const offer = compile({ minBasketMinor: 5000 });
  const at = (basketMinor: number | undefined) =>
    offer.exclusion(makeFacts(), makeSituation({ basketMinor }));
  expect(at(4999)).toBe('basket-too-small');
  expect(at(5000)).toBeUndefined();
  expect(at(undefined)).toBeUndefined();
});

test('of several rules that fail, the reason is the first in the documented order', () => {
  const policy = DecisionPolicy.parse({
    contact: { quietHours: [{ channels: ['email'], from: '11:00', to: '13:00' }], minGapHours: 1 },
  });
  // The customer's afternoon, unless the hours of quiet are to be broken too.
  const afternoon = { timeZone: 'Europe/Berlin' };
  const contact = (more: object) => makeContact({ at: noon - 2 * hourMs, ...more });
  // Fails every rule; taking the first failing rule away brings the next one out.
  const failing: Record<
    string,
    { offer?: object; facts?: Partial<CustomerFacts>; situation?: object; contacts?: Contact[] }
  > = {
    'not-yet-valid': { offer: { validFrom: '2026-06-16T00:00:00Z' } },
    'channel-not-allowed': { offer: { channels: ['web'] } },
    'placement-not-allowed': { offer: { placements: ['hero'] } },
    'out-of-stock': { offer: { itemIds: ['gone'] } },
    'basket-too-small': { offer: { minBasketMinor: 5000 } },
    'offer-holdout': { offer: { holdoutShare: 0.9 } },
    'no-consent': { facts: { consent: {} } },
    'quiet-hours': { facts: { timeZone: undefined } },
    'complaint-open': { facts: { complaintOpen: true } },
    'low-rating': { facts: { lastRatedBelow: () => noon - dayMs } },
    suppressed: {
      facts: {
        offerAnswers: [{ offerId: OfferId.parse('offer'), outcome: 'dismissed', at: noon - dayMs }],
      },
    },
    'minimum-gap': { contacts: [contact({ at: noon - hourMs + 1 })] },
    'contact-cap': { contacts: ['a', 'b', 'c'].map((occasionId) => contact({ occasionId })) },
    'offer-cap': {
      offer: { caps: [{ times: 1, days: 30 }] },
      contacts: [contact({ offerId: 'offer', at: noon - 20 * dayMs })],
    },
    'discount-open': { contacts: [contact({ offerId: 'other', discount: true })] },
    'attribute:tier': { offer: { eligibility: { attribute: 'tier', in: ['gold'] } } },
  };
  const { offer: heldBack } = compile({ holdoutShare: 0.9 });
  const subjectId = ['a', 'b', 'c', 'd', 'e'].find((id) => isHeldOut(heldBack, id));
  const order = Object.keys(failing);
  for (const [skip, expected] of order.entries()) {
    const parts = order.slice(skip).map((reason) => failing[reason]);
    const offer = compile(Object.assign({}, ...parts.map((part) => part?.offer)), policy);
    const facts = makeFacts({
      ...(subjectId !== undefined && { subjectId }),
      features: new Float32Array(2),
      ...afternoon,
      ...Object.assign({}, ...parts.map((part) => part?.facts)),
      contacts: parts.flatMap((part) => part?.contacts ?? []),
    });
    const situation = makeSituation({ channel: 'email', basketMinor: 4999, isBuyable: () => false });
    expect(offer.exclusion(facts, situation)).toBe(expected);
  }
  expect(order).toEqual([...EXCLUSION_REASONS.filter((reason) => order.includes(reason)), 'attribute:tier']);
});

test("a fallback's own rules leave the customer out of account", () => {
  const offer = compile({ fallback: true, benefit: { kind: 'content' }, placements: ['hero'] });
  expect(offer.exclusionOfOffer(makeSituation({ channel: 'email', placements: ['hero'] }))).toBeUndefined();
  expect(offer.exclusionOfOffer(makeSituation({ placements: ['cart'] }))).toBe('placement-not-allowed');
});
