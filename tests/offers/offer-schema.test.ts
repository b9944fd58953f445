import { expect, test } from 'vitest';
import { offerSchema } from '../../src/offers/offer-schema.ts';

const schema = offerSchema(['orderCount', 'discountShare']);
const valid = {
  offerId: 'o1',
  name: 'Ten off',
  benefit: { kind: 'percentOff', percent: 10 },
  channels: ['email'],
  eligibility: { all: [{ feature: 'orderCount', gte: 1 }] },
};
const faultsOf = (input: unknown) =>
  schema.safeParse(input).error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];

test('an offer that names known features is taken', () => {
  expect(schema.parse(valid)).toMatchObject({ ...valid, retention: false, fallback: false });
});

test('a rule on an unknown feature is a fault that names the known ones', () => {
  expect(faultsOf({ ...valid, eligibility: { any: [{ feature: 'shoeSize', gte: 40 }] } })).toEqual([
    'eligibility.any.0.feature: is not a feature; known are orderCount, discountShare',
  ]);
});

test('faults of fields, between fields and of features are named together', () => {
  const faults = faultsOf({
    ...valid,
    benefit: { kind: 'percentOff', percent: 101 },
    fallback: true,
    validFrom: '2026-02-01T00:00:00Z',
    validTo: '2026-02-01T01:00:00+01:00',
    eligibility: { not: { feature: 'shoeSize', gt: 2 } },
    budget: { amountMinor: 100, pacing: 'even' },
  });
  expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
    // Fallbacks are content; and money is only to be budgeted where a discount is bounded.
    'benefit',
    'benefit',
    'benefit.percent',
    'budget',
    'eligibility',
    'eligibility.not.feature',
    // 01:00 at +01:00 is the very instant of validFrom.
    'validTo',
  ]);
});

test('part of a minor unit, and a rule that is at fault elsewhere, hide no other fault', () => {
  const faults = faultsOf({
    ...valid,
    benefit: { kind: 'amountOff', amountMinor: 4.99 },
    validFrom: '2026-12-01T00:00:00Z',
    validTo: '2026-11-01T00:00:00Z',
    eligibility: {
      any: [
        { feature: 'shoeSize', gt: 2 },
        { attribute: 'tier', in: ['gold', 'vip'] },
      ],
    },
  });
  expect(faults.sort()).toEqual([
    'benefit.amountMinor: must be a whole number of minor units, such as cents: 499 for 4.99',
    'eligibility.any.0.feature: is not a feature; known are orderCount, discountShare',
    'eligibility.any.1.in.1: is not a tier; known are none, bronze, silver, gold, platinum',
    'validTo: must be later than validFrom',
  ]);
});

test('a rule that is at fault is named where it stands', () => {
  expect(faultsOf({ ...valid, eligibility: { all: [{ feature: 'orderCount' }] } })).toEqual([
    'eligibility.all.0.feature: needs one of gt, gte, lt, lte, eq',
  ]);
});

test('a budget of money needs a largest cost; one that is paced over all its time needs to know it', () => {
  const budget = { amountMinor: 100_000 };
  expect(faultsOf({ ...valid, budget })[0]).toMatch(/^benefit: must be bounded/);
  expect(faultsOf({ ...valid, budget, benefit: { ...valid.benefit, maxMinor: 2000 } })).toEqual([]);
  expect(faultsOf({ ...valid, budget: { count: 5 } })).toEqual([]);
  expect(faultsOf({ ...valid, budget: {} })).toHaveLength(1);
  expect(faultsOf({ ...valid, budget: { count: 5, pacing: 'even' } })[0]).toMatch(/^budget.pacing: needs/);
  expect(faultsOf({ ...valid, budget: { count: 5, pacing: 'even', period: 'day' } })).toEqual([]);
});

test('a fallback must cost nothing and be for everybody', () => {
  const fallback = { ...valid, fallback: true, benefit: { kind: 'content' }, eligibility: undefined };
  expect(faultsOf(fallback)).toEqual([]);
  expect(faultsOf({ ...fallback, benefit: { kind: 'freeDelivery', costMinor: 0 } })).toHaveLength(1);
  expect(faultsOf({ ...fallback, eligibility: { attribute: 'segment', in: ['FR'] } })).toHaveLength(1);
});

test.each([null, 7, 'offer', [], {}, { eligibility: 7 }, { eligibility: { all: [null, {}] } }])(
  '%j is refused, not stumbled over',
  (input) => expect(schema.safeParse(input).success).toBe(false),
);
