import { expect, test } from 'vitest';
import { offerSchema } from '../../src/offers/offer-schema.ts';

const schema = offerSchema(['orderCount', 'discountShare']);
const valid = {
  offerId: 'o1',
  name: 'Ten off',
  benefit: { kind: 'percentOff', percent: 10 },
  channels: ['email'],
  eligibility: { features: [{ feature: 'orderCount', min: 1 }] },
};
const faultsOf = (input: unknown) =>
  schema.safeParse(input).error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];

test('an offer that names known features is taken', () => {
  expect(schema.parse(valid)).toMatchObject({ ...valid, retention: false, fallback: false });
});

test('a rule on an unknown feature is a fault that names the known ones', () => {
  expect(faultsOf({ ...valid, eligibility: { features: [{ feature: 'shoeSize', min: 40 }] } })).toEqual([
    'eligibility.features.0.feature: is not a feature; known are orderCount, discountShare',
  ]);
});

test('faults of fields, between fields and of features are named together', () => {
  const faults = faultsOf({
    ...valid,
    benefit: { kind: 'percentOff', percent: 101 },
    fallback: true,
    validFrom: '2026-02-01T00:00:00Z',
    validTo: '2026-02-01T01:00:00+01:00',
    eligibility: { features: [{ feature: 'orderCount' }, { feature: 'shoeSize', min: 2, max: 1 }] },
  });
  expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
    'benefit',
    'benefit.percent',
    'eligibility',
    'eligibility.features.0',
    'eligibility.features.1.feature',
    'eligibility.features.1.max',
    // 01:00 at +01:00 is the very instant of validFrom.
    'validTo',
  ]);
});

test('a fallback must cost nothing and be for everybody', () => {
  const fallback = { ...valid, fallback: true, benefit: { kind: 'content' }, eligibility: {} };
  expect(faultsOf(fallback)).toEqual([]);
  expect(faultsOf({ ...fallback, benefit: { kind: 'freeDelivery', costMinor: 0 } })).toHaveLength(1);
  expect(faultsOf({ ...fallback, eligibility: { segments: ['FR'] } })).toHaveLength(1);
});

test.each([null, 7, 'offer', [], {}, { eligibility: 7 }, { eligibility: { features: [null, {}] } }])(
  '%j is refused, not stumbled over',
  (input) => expect(schema.safeParse(input).success).toBe(false),
);
