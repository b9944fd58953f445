import { expect, test } from 'vitest';
import { affinityLift } from '../../src/offers/affinity.ts';
import { offerSubject } from '../../src/offers/offer-subject.ts';
import { shopStatistics } from '../../src/offers/shop-statistics.ts';
import { itemsById, makeFacts, makeItem, makeOffer } from '../support/offers.ts';

const items = itemsById(
  makeItem({ itemId: 'green', category: 'tea' }),
  ...['a', 'b', 'c'].map((itemId) => makeItem({ itemId, category: 'mugs' })),
);
// Without popularity, tea is 1/4 of the shop and mugs 3/4.
const shop = shopStatistics(items.values());
const about = (input: object) => offerSubject(makeOffer(input), items, shop);
const teaLover = { categoryShares: new Map([['tea', 1]]), categoryEvidence: 15 };

test('an offer about the whole shop, or a customer of whom nothing is known, has lift 1', () => {
  expect(affinityLift(about({}), makeFacts(teaLover), shop)).toBe(1);
  expect(affinityLift(about({ categories: ['tea'] }), makeFacts(), shop)).toBe(1);
});

test("the category lift is the customer's share over the shop's, shrunk by 5 lines of the shop's", () => {
  const lift = affinityLift(about({ categories: ['tea'] }), makeFacts(teaLover), shop);
  expect(lift).toBeCloseTo((15 * 1 + 5 * 0.25) / (20 * 0.25));
  const averse = affinityLift(about({ categories: ['mugs'] }), makeFacts(teaLover), shop);
  expect(averse).toBeCloseTo((15 * 0 + 5 * 0.75) / (20 * 0.75));
});

test('evidence pulls the lift away from 1, never beyond the bounds', () => {
  const liftOf = (categoryEvidence: number) =>
    affinityLift(about({ categories: ['tea'] }), makeFacts({ ...teaLover, categoryEvidence }), shop);
  expect(liftOf(1)).toBeGreaterThan(1);
  expect(liftOf(1)).toBeLessThan(liftOf(100));
  const manyCategories = shopStatistics(
    Array.from({ length: 100 }, (_, i) => makeItem({ itemId: `${i}`, category: `${i}` })),
  );
  const facts = makeFacts({ categoryShares: new Map([['7', 1]]), categoryEvidence: 1000 });
  expect(affinityLift(about({ categories: ['7'] }), facts, manyCategories)).toBe(4);
  expect(affinityLift(about({ categories: ['8'] }), facts, manyCategories)).toBe(0.25);
});

test('a category that the catalogue does not have is no evidence against the offer', () => {
  expect(affinityLift(about({ categories: ['boats'] }), makeFacts(teaLover), shop)).toBe(1);
});

test('the taste lift is twice the mean rank of the items; with a category lift, their geometric mean', () => {
  const subject = about({ itemIds: ['green', 'a'] });
  const ranks: Record<string, number> = { green: 0.9, a: 0.5 };
  const tasteRank = (itemId: string) => ranks[itemId];
  expect(affinityLift(subject, makeFacts({ tasteRank }), shop)).toBeCloseTo(2 * ((0.9 + 0.5) / 2));
  // Both categories together are the whole shop: the category lift is 1.
  const both = affinityLift(subject, makeFacts({ tasteRank, ...teaLover }), shop);
  expect(both).toBeCloseTo(Math.sqrt(1.4 * 1));
});
