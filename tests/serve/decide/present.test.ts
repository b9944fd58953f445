import { expect, test } from 'vitest';
import type { DecidedOffer, Decision } from '../../../src/domain/decision.ts';
import { presentDecision } from '../../../src/serve/decide/present.ts';

const news = { offerId: 'news' } as DecidedOffer;
const consented = { consent: { email: true } };
const answered = (
  { fallback = false, ...more }: Partial<Decision>,
  known: Parameters<typeof presentDecision>[2] = consented,
) => {
  const placements = [{ placement: 'default', offers: fallback ? [news] : [], fallback }];
  const decision = { channel: 'email', degraded: false, excluded: [], placements, fallback, ...more };
  const { contactable, reasonCode } = presentDecision(decision as unknown as Decision, false, known);
  return [contactable, reasonCode];
};

test('the control group is to be sent what its policy lets stand for it, and else nothing', () => {
  expect(answered({ controlGroup: true })).toEqual([false, 'control-group']);
  expect(answered({ controlGroup: true, fallback: true })).toEqual([true, undefined]);
  expect(answered({ controlGroup: true, fallback: true }, { consent: {} })).toEqual([false, 'no-consent']);
});

test('of a customer of whom nothing could be read it is not known', () => {
  expect(answered({ degraded: true, fallback: true })).toEqual([undefined, undefined]);
});
