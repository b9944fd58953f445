import { expect, test } from 'vitest';
import type { LoyaltyTier } from '../../src/domain/channel.ts';
import { Rule } from '../../src/domain/rule.ts';
import { compileRule, type RuleFacts } from '../../src/offers/compile-rule.ts';

const names = ['orderCount', 'discountShare'];
type Customer = { features?: number[]; tier?: LoyaltyTier; segment?: string; scores?: Scores };
type Scores = Pick<RuleFacts, 'churnRisk' | 'remainingLifetimeValueMinor' | 'segments'>;

function reason(rule: object, { features = [0, 0], tier = 'none', segment, scores }: Customer = {}) {
  const compiled = compileRule(Rule.parse(rule), names);
  return compiled({ features: Float32Array.from(features), loyaltyTier: tier, segment, ...scores });
}

test('bounds hold together, and are read in the single precision of the features', () => {
  const rule = { feature: 'discountShare', gte: 0.1, lt: 0.3 };
  expect(reason(rule, { features: [0, 0.1] })).toBeUndefined();
  expect(reason(rule, { features: [0, 0.3] })).toBe('feature:discountShare');
  expect(reason({ feature: 'discountShare', gt: 0.1 }, { features: [0, 0.1] })).toBe('feature:discountShare');
  expect(reason({ feature: 'orderCount', eq: 2 }, { features: [2, 0] })).toBeUndefined();
  expect(reason({ feature: 'orderCount', lte: 2 }, { features: [3, 0] })).toBe('feature:orderCount');
});

test('of a feature that was never observed, or is no longer there, neither the rule holds nor its not', () => {
  const unobserved = { features: [Number.NaN, 0] };
  for (const bounds of [{ lte: 3 }, { gte: 4 }, { eq: 0, reasonCode: 'own' }]) {
    const rule = { feature: 'orderCount', ...bounds };
    expect(reason(rule, unobserved)).toBe('unknown:orderCount');
    expect(reason({ not: rule }, unobserved)).toBe('unknown:orderCount');
    expect(reason({ any: [{ not: rule }, { attribute: 'tier', in: ['none'] }] }, unobserved)).toBeUndefined();
    expect(reason({ all: [rule, { attribute: 'tier', in: ['gold'] }] }, unobserved)).toBe('attribute:tier');
  }
  expect(reason({ feature: 'shoeSize', lte: 3 }, { features: [1, 1] })).toBe('unknown:shoeSize');
  expect(reason({ not: { feature: 'shoeSize', lte: 3 } }, { features: [1, 1] })).toBe('unknown:shoeSize');
});

test('a customer without a segment is in no list of segments, neither wanted nor unwanted', () => {
  expect(reason({ attribute: 'segment', in: ['FR'] })).toBe('attribute:segment');
  expect(reason({ attribute: 'segment', in: ['FR'] }, { segment: 'FR' })).toBeUndefined();
  expect(reason({ attribute: 'segment', notIn: ['FR'] })).toBeUndefined();
  expect(reason({ attribute: 'segment', notIn: ['FR'] }, { segment: 'FR' })).toBe('attribute:segment');
  expect(reason({ attribute: 'tier', in: ['gold'] }, { tier: 'silver' })).toBe('attribute:tier');
});

test('the reason is that of the first part that fails, unless a node around it has a code of its own', () => {
  const gold = { attribute: 'tier', in: ['gold'] };
  const loyal = { feature: 'orderCount', gte: 3, reasonCode: 'too-few-orders' };
  expect(reason({ all: [gold, loyal] })).toBe('attribute:tier');
  expect(reason({ all: [loyal, gold] })).toBe('rule:too-few-orders');
  expect(reason({ any: [loyal, gold] })).toBe('rule:too-few-orders');
  expect(reason({ any: [loyal, gold] }, { tier: 'gold' })).toBeUndefined();
  expect(reason({ all: [gold, loyal], reasonCode: 'not-a-regular' })).toBe('rule:not-a-regular');
});

test('not turns a rule round, and tells of the rule inside', () => {
  const rule = {
    not: {
      all: [
        { feature: 'orderCount', gte: 3 },
        { attribute: 'tier', in: ['gold'] },
      ],
    },
  };
  expect(reason(rule, { features: [3, 0] })).toBeUndefined();
  expect(reason(rule, { features: [3, 0], tier: 'gold' })).toBe('feature:orderCount');
});

test('a score is a number within bounds, or a name of a list', () => {
  const scores: Scores = { churnRisk: 0.7, segments: { rfmSegment: 'atRisk', riskBand: 'high' } };
  expect(reason({ score: 'churnRisk', gt: 0.5, lt: 0.9 }, { scores })).toBeUndefined();
  expect(reason({ score: 'churnRisk', gt: 0.7 }, { scores })).toBe('score:churnRisk');
  expect(reason({ score: 'rfmSegment', in: ['atRisk', 'lost'] }, { scores })).toBeUndefined();
  expect(reason({ score: 'rfmSegment', notIn: ['atRisk'] }, { scores })).toBe('score:rfmSegment');
  expect(reason({ not: { score: 'riskBand', in: ['high'] } }, { scores })).toBe('score:riskBand');
});

test('of a score that is not known neither the rule holds nor its not, whatever code it has', () => {
  const rule = { score: 'churnRisk', gt: 0.5, reasonCode: 'at-risk' };
  expect(reason(rule)).toBe('unknown:churnRisk');
  expect(reason({ not: rule })).toBe('unknown:churnRisk');
  expect(reason({ not: { not: rule } })).toBe('unknown:churnRisk');
  expect(reason({ score: 'valueTier', notIn: ['low'] }, { scores: { segments: {} } })).toBe(
    'unknown:valueTier',
  );
});

test('a part that is certain decides without a score that is not known, in whatever order they stand', () => {
  const unknown = { score: 'churnRisk', gt: 0.5 };
  const [holds, fails] = [
    { feature: 'orderCount', gte: 0 },
    { feature: 'orderCount', gte: 1 },
  ];
  for (const [one, other] of [
    [unknown, fails],
    [fails, unknown],
  ]) {
    expect(reason({ all: [one, other] })).toBe('feature:orderCount');
    expect(reason({ not: { all: [one, other] } })).toBeUndefined();
    expect(reason({ any: [one, other] })).toBe('unknown:churnRisk');
    expect(reason({ not: { any: [one, other] } })).toBe('unknown:churnRisk');
  }
  expect(reason({ any: [unknown, holds] })).toBeUndefined();
  expect(reason({ all: [holds, unknown] })).toBe('unknown:churnRisk');
});
