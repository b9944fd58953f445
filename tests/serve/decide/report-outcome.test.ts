import { expect, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import { OfferId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { reportFor } from '../../../src/serve/decide/report-outcome.ts';
import { noon } from '../../support/offers.ts';

const decision = { decidedAt: new Date(noon - 9 * dayMs).toISOString() };
const offer = { redeemableUntil: new Date(noon).toISOString() };

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
