import { expect, test } from 'vitest';
import { z } from 'zod';
import { Rule, ruleDepthMax, ruleNodes, ruleNodesMax } from '../../src/domain/rule.ts';

const faults = (input: unknown) =>
  (Rule.safeParse(input).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('takes a tree over features and attributes', () => {
  const rule = {
    all: [
      { feature: 'daysSinceLastOrder', gt: 60, reasonCode: 'too-recent' },
      { any: [{ attribute: 'tier', in: ['gold'] }, { not: { attribute: 'segment', in: ['north'] } }] },
    ],
  };
  expect(Rule.parse(rule)).toEqual(rule);
  expect([...ruleNodes(rule as Rule)].map(({ path }) => path.join('.'))).toEqual([
    '',
    'all.0',
    'all.1',
    'all.1.any.0',
    'all.1.any.1',
    'all.1.any.1.not',
  ]);
});

test('names each fault where it stands', () => {
  expect(faults({})).toEqual([': needs exactly one of all, any, not, feature, attribute, score']);
  expect(faults({ feature: 'a', attribute: 'tier', in: ['gold'] })).toEqual([
    ': needs exactly one of all, any, not, feature, attribute, score; it has feature, attribute',
  ]);
  expect(
    faults({
      all: [{ feature: 'a' }, { feature: 'a', gt: 1, in: ['x'] }, { attribute: 'tier', in: ['golden'] }],
    }),
  ).toEqual([
    'all.0.feature: needs one of gt, gte, lt, lte, eq',
    'all.1.in: does not belong to feature',
    'all.2.in.0: is not a tier; known are none, bronze, silver, gold, platinum',
  ]);
  expect(
    faults({
      all: [
        { score: 'churnRisk' },
        { score: 'churnRisk', in: ['high'] },
        { score: 'rfmSegment', gt: 2 },
        { score: 'valueTier', notIn: ['best'] },
        { score: 'luck', gt: 0 },
      ],
    }),
  ).toEqual([
    'all.0.score: needs one of gt, gte, lt, lte, eq',
    'all.1.in: does not belong to churnRisk',
    'all.1.score: needs one of gt, gte, lt, lte, eq',
    'all.2.gt: does not belong to rfmSegment',
    'all.2.score: needs one of in, notIn',
    'all.3.notIn.0: is not a valueTier; known are low, middle, high, top',
    'all.4.score: must be one of: churnRisk, remainingLifetimeValueMinor, rfmSegment, valueTier, riskBand',
  ]);
  expect(faults({ all: [] })).toHaveLength(1);
  expect(faults('gold')).toHaveLength(1);
});

test('refuses what is nested too deeply, without recursing into it', () => {
  let deep: unknown = { feature: 'a', gt: 1 };
  for (let depth = 0; depth < 100_000; depth++) deep = { not: deep };
  const refusal = `: must not be nested deeper than ${ruleDepthMax} or have more than ${ruleNodesMax} rules`;
  expect(faults(deep)).toEqual([refusal]);
  const wide = { any: Array.from({ length: ruleNodesMax }, () => ({ feature: 'a', gt: 1 })) };
  expect(faults(wide)).toEqual([refusal]);
});

test('documents itself in the OpenAPI document', () => {
  const schema = z.toJSONSchema(z.object({ eligibility: Rule.optional() }), { io: 'input' });
  expect(JSON.stringify(schema)).toContain('"reasonCode"');
});
