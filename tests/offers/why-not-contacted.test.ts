import { expect, test } from 'vitest';
import type { Decision } from '../../src/domain/decision.ts';
import { whyNotContacted } from '../../src/offers/why-not-contacted.ts';

const quietNone = { quiet: false, limit: null } as NonNullable<NonNullable<Decision['inputs']>['contacts']>;
const asked = (
  { contacts, consent, ...more }: { contacts?: object; consent?: object; controlGroup?: true } = {},
  channel: Decision['channel'] = 'email',
) =>
  whyNotContacted(
    {
      channel,
      // Nothing but a fallback, as in a shop that has no other offers.
      placements: [{ placement: 'default', offers: [{ offerId: 'news' }], fallback: true }],
      ...more,
    } as Decision,
    {
      consent: consent ?? { email: true, phone: true },
      contacts: { ...quietNone, ...contacts },
    } as Decision['inputs'],
  );

test('whom a shop may not go to is known without any offer that was excluded for it', () => {
  expect(asked()).toBeUndefined();
  expect(asked({ consent: {} })).toBe('no-consent');
  expect(asked({ controlGroup: true })).toBe('control-group');
  expect(asked({ contacts: { quiet: true } })).toBe('quiet-hours');
  expect(asked({ contacts: { limit: 'minimum-gap' } })).toBe('minimum-gap');
  expect(asked({ contacts: { limit: 'contact-cap', complaintOpen: true } })).toBe('contact-cap');
});

test('where the customer comes by herself she is shown the fallback', () => {
  expect(asked({ consent: {}, controlGroup: true, contacts: { quiet: true } }, 'web')).toBeUndefined();
});
