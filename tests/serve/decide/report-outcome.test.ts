import { expect, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import { OfferId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { attributionOf, reportFor } from '../../../src/serve/decide/report-outcome.ts';
import { noon } from '../../support/offers.ts';

const decision = { decidedAt: new Date(noon - 9 * dayMs).toISOString() };
const offer = { redeemableUntil: new Date(noon).toISOString() };

test('a redemption belongs to its offer until the time for that is over; anything else whenever it comes', () => {
  expect(attributionOf(decision, offer, 'redeemed', noon - 1)).toBe('attributed');
  expect(attributionOf(decision, offer, 'redeemed', noon)).toBe('late');
  expect(attributionOf(decision, offer, 'dismissed', noon + 1)).toBe('attributed');
  expect(attributionOf(decision, {}, 'redeemed', noon + 1)).toBe('attributed');
});

test('a redemption from before the offer was made is not its own, but for a day by which clocks may differ', () => {
  const made = noon - 9 * dayMs;
  expect(attributionOf(decision, offer, 'redeemed', made - dayMs)).toBe('attributed');
  expect(attributionOf(decision, offer, 'redeemed', made - dayMs - 1)).toBe('early');
  expect(attributionOf(decision, offer, 'clicked', made - 2 * dayMs)).toBe('attributed');
  // Made again, it is the offer that she has had since.
  const held = { ...offer, heldSince: newDecisionId(made - 3 * dayMs) };
  expect(attributionOf(decision, held, 'redeemed', made - 4 * dayMs)).toBe('attributed');
  expect(attributionOf(decision, held, 'redeemed', made - 4 * dayMs - 1)).toBe('early');
});

test('what was known of a report before is heard of also where nobody waits for it: unheard, it would end the process', async () => {
  const unheard: unknown[] = [];
  const hear = (cause: unknown) => unheard.push(cause);
  process.on('unhandledRejection', hear);
  try {
    const made = { ...decision, decisionId: newDecisionId(noon), channel: 'web' as const, placements: [] };
    const offerId = OfferId.parse('five');
    const given = { ...offer, offerId, offerVersion: '0', benefit: { kind: 'content' as const } };
    const report = { offerId, outcome: 'redeemed', occurredAt: noon } as Parameters<typeof reportFor>[2];
    const deps = { now: () => noon + 400 * dayMs } as Parameters<typeof reportFor>[3];
    const away = Promise.reject(new Error('Redis is away'));
    await expect(reportFor(made, given, report, deps, away)).rejects.toMatchObject({ code: 'CONFLICT' });
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', hear);
  }
  expect(unheard).toEqual([]);
});
