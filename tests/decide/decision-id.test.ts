import { expect, test } from 'vitest';
import { newDecisionId } from '../../src/decide/decision-id.ts';
import { timeOfDecision } from '../../src/domain/decision-time.ts';
import { noon } from '../support/offers.ts';

test('an id tells when the decision was made, and ids sort by time', () => {
  const ids = [noon, noon + 1, noon + 2 ** 20].map(newDecisionId);
  expect(ids.map(timeOfDecision)).toEqual([noon, noon + 1, noon + 2 ** 20]);
  expect([...ids].sort()).toEqual(ids);
  expect(timeOfDecision(newDecisionId(0))).toBe(0);
  expect(newDecisionId(noon)).not.toBe(newDecisionId(noon));
});

test('ids of another kind tell no time', () => {
  expect(timeOfDecision('0190163d-8694-4b71-9b71-2c4f8a3d1e55')).toBeUndefined();
  expect(timeOfDecision('order-1')).toBeUndefined();
});
