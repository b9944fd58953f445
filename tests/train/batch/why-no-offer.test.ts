import { expect, test } from 'vitest';
import { noBatchCounts } from '../../../src/domain/batch.ts';
import { whyNoOffer } from '../../../src/train/batch/why-no-offer.ts';

const of = (counts: object) => whyNoOffer({ ...noBatchCounts, customers: 9, decided: 9, ...counts }, 'email');

test('where nobody has an offer: the reasons that kept most, and what cures a want of consent', () => {
  const byReason = { suppressed: 1, 'no-consent': 18, 'feature:webShare': 3, 'low-rating': 2 };
  expect(of({ byReason, fallbacks: 2, notContactable: 9 })).toBe(
    'No offer is made to any of the 9 customers, because of: no-consent (18), feature:webShare (3), low-rating (2). ' +
      'The fallback stands in for 2, but 9 of the 9 are not to be contacted by email now: the list leaves them out unless it ' +
      'is asked for with includeNothing. Whoever is not known to have consented to email is not written to: PUT /customers/{customerId}, ' +
      'an event customerUpdated or nextbest import tells of consent.',
  );
});

test('the fallback is in the list where everybody may be contacted', () => {
  expect(of({ fallbacks: 2 })).toMatch(/\. 2 have the fallback\.$/);
});

test('a shop without offers, and ids of another system, are told of', () => {
  expect(of({})).toMatch(/no offer but fallbacks: PUT \/offers/);
  expect(of({ unknown: 9, byReason: { suppressed: 9 } })).toMatch(/ids may be those of another system/);
  expect(of({ unknown: 8, byReason: { suppressed: 9 } })).not.toMatch(/another system|consent/);
});

test('where one has an offer, or nobody was decided for, nothing is said', () => {
  expect(of({ offers: 1, byReason: { 'no-consent': 8 } })).toBeUndefined();
  expect(of({ customers: 0, decided: 0 })).toBeUndefined();
});
