import { describe, expect, test } from 'vitest';
import { CHANNELS } from '../../src/domain/channel.ts';
import { EXCLUSION_REASONS } from '../../src/domain/decision.ts';
import { CONTACT_CHANNELS } from '../../src/domain/decision-policy.ts';
import { type CompiledOffer, compileOffer } from '../../src/offers/eligibility.ts';
import { isHeldOut } from '../../src/offers/experiments.ts';
import { makeFacts, makeOffer, makeSituation, noon } from '../support/offers.ts';

const names = ['orderCount', 'discountShare'];
const compile = (input: Parameters<typeof makeOffer>[0]): CompiledOffer =>
  compileOffer(makeOffer(input), names);

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
  const offer = makeOffer({ holdoutShare: 0.5 });
  const subjects = Array.from({ length: 100 }, (_, i) => `c${i}`);
  const reasons = subjects.map((subjectId) =>
    compileOffer(offer, names).exclusion(makeFacts({ subjectId, consent: {} }), makeSituation()),
  );
  expect(reasons).toEqual(
    subjects.map((subjectId) => (isHeldOut(offer, subjectId) ? 'offer-holdout' : undefined)),
  );
  expect(new Set(reasons).size).toBe(2);
  const subjectId = subjects.find((id) => isHeldOut(offer, id)) ?? '';
  const byEmail = makeSituation({ channel: 'email' });
  expect(compileOffer(offer, names).exclusion(makeFacts({ subjectId, consent: {} }), byEmail)).toBe(
    'offer-holdout',
  );
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
});

test.each(CHANNELS)('on %s, consent is asked for exactly where the shop goes to the customer', (channel) => {
  const excluded = (consent: object) =>
    compile({}).exclusion(makeFacts({ consent }), makeSituation({ channel }));
  expect(CONTACT_CHANNELS.has(channel)).toBe(channel === 'email' || channel === 'phone');
  expect(excluded({})).toBe(CONTACT_CHANNELS.has(channel) ? 'no-consent' : undefined);
  expect(excluded({ [channel]: false })).toBe(CONTACT_CHANNELS.has(channel) ? 'no-consent' : undefined);
  expect(excluded({ [channel]: true })).toBeUndefined();
});

describe('while a complaint is open', () => {
  const excluded = (benefit: object) =>
    compile({ benefit }).exclusion(makeFacts({ complaintOpen: true }), makeSituation());

  test.each([
    { kind: 'percentOff', percent: 5 },
    { kind: 'amountOff', amountMinor: 500 },
    { kind: 'freeDelivery', costMinor: 400 },
    { kind: 'loyaltyPoints', points: 10 },
  ])('$kind, which sells, is not made', (benefit) => expect(excluded(benefit)).toBe('complaint-open'));

  test.each([{ kind: 'serviceContact', costMinor: 100 }, { kind: 'content' }])(
    '$kind, which does not sell, stays',
    (benefit) => expect(excluded(benefit)).toBeUndefined(),
  );
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
  // Fails every rule; taking the first failing rule away brings the next one out.
  const failing: Record<string, { offer?: object; facts?: object; situation?: object }> = {
    'not-yet-valid': { offer: { validFrom: '2026-06-16T00:00:00Z' } },
    'channel-not-allowed': { offer: { channels: ['web'] } },
    'placement-not-allowed': { offer: { placements: ['hero'] } },
    'out-of-stock': { offer: { itemIds: ['gone'] } },
    'no-consent': { facts: { consent: {} } },
    'complaint-open': { facts: { complaintOpen: true } },
    'attribute:tier': { offer: { eligibility: { attribute: 'tier', in: ['gold'] } } },
  };
  const order = Object.keys(failing);
  for (const [skip, expected] of order.entries()) {
    const parts = order.slice(skip).map((reason) => failing[reason]);
    const offer = compile(Object.assign({}, ...parts.map((part) => part?.offer)));
    const facts = makeFacts({
      features: new Float32Array(2),
      ...Object.assign({}, ...parts.map((part) => part?.facts)),
    });
    const situation = makeSituation({ channel: 'email', isBuyable: () => false });
    expect(offer.exclusion(facts, situation)).toBe(expected);
  }
  expect(order).toEqual([...EXCLUSION_REASONS.filter((reason) => order.includes(reason)), 'attribute:tier']);
});

test("a fallback's own rules leave the customer out of account", () => {
  const offer = compile({ fallback: true, benefit: { kind: 'content' }, placements: ['hero'] });
  expect(offer.exclusionOfOffer(makeSituation({ channel: 'email', placements: ['hero'] }))).toBeUndefined();
  expect(offer.exclusionOfOffer(makeSituation({ placements: ['cart'] }))).toBe('placement-not-allowed');
});
