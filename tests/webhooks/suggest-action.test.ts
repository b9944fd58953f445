import { expect, test } from 'vitest';
import { NOTICE_TYPES } from '../../src/domain/webhook.ts';
import { namedFeatures } from '../../src/features/named-features.ts';
import { emptyRecord } from '../../src/features/record.ts';
import { ACTION_RULES, suggestAction } from '../../src/webhooks/suggest-action.ts';

test('every rule reads a feature that there is', () => {
  const known = Object.keys(namedFeatures(emptyRecord(), 0));
  for (const { when } of ACTION_RULES) if (when !== undefined) expect(known).toContain(when.feature);
});

test('every cause ends with a rule for everybody, and no rule stands behind it', () => {
  for (const kind of Object.keys(NOTICE_TYPES)) {
    const rules = ACTION_RULES.filter(({ cause }) => cause === kind);
    expect(rules.map(({ when }) => when === undefined)).toEqual(rules.map((_, r) => r === rules.length - 1));
  }
});

test.each([
  ['complaint', {}, 'call', false],
  ['lowRating', {}, 'apologyVoucher', false],
  ['lowRating', { openComplaints: 2, recentLateDeliveries: 1 }, 'call', false],
  ['lowRating', { openComplaints: 0, recentLateDeliveries: 0.9 }, 'deliveryApology', false],
  ['churnRisk', { openComplaints: 1 }, 'call', false],
  ['churnRisk', { lastRating: 2, purchaseCount: 9 }, 'apologyVoucher', false],
  ['churnRisk', { lastRating: null, purchaseCount: 1 }, 'secondOrderOffer', true],
  ['churnRisk', { lastRating: 5, purchaseCount: 9, overdueRatio: 1.4 }, 'replenishmentReminder', true],
  ['churnRisk', { purchaseCount: 9, overdueRatio: 2.1 }, 'winBackOffer', true],
  ['churnRisk', { purchaseCount: 9, overdueRatio: null }, 'winBackOffer', true],
] as const)('%s with %j: %s', (cause, features, action, marketing) => {
  expect(suggestAction(cause, features)).toMatchObject({ action, marketing });
});
