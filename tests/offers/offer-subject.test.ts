import { expect, test } from 'vitest';
import { offerSubject } from '../../src/offers/offer-subject.ts';
import { shopStatistics } from '../../src/offers/shop-statistics.ts';
import { itemsById, makeItem, makeOffer } from '../support/offers.ts';

const items = itemsById(
  makeItem({ itemId: 'green', category: 'tea', priceMinor: 1000, marginMinor: 500 }),
  makeItem({ itemId: 'black', category: 'tea', priceMinor: 3000, marginMinor: 300 }),
  makeItem({ itemId: 'old', category: 'tea', priceMinor: 9000, marginMinor: 9000, discontinued: true }),
  makeItem({ itemId: 'mug', category: 'mugs', priceMinor: 700 }),
);
const shop = shopStatistics(items.values());

test('an offer about items is about those that can be bought, at their mean price and margin', () => {
  const subject = offerSubject(makeOffer({ itemIds: ['green', 'black', 'old', 'unknown'] }), items, shop);
  expect(subject.items.map((item) => item.itemId)).toEqual(['green', 'black']);
  expect([...subject.categories]).toEqual(['tea']);
  expect(subject.unitPriceMinor).toBe((1000 + 3000) / 2);
  expect(subject.marginRate).toBeCloseTo((0.5 + 0.1) / 2);
});

test('a bundle is paid for as a whole', () => {
  const pair = { itemIds: ['green', 'black'], benefit: { kind: 'bundle' as const, percent: 10 } };
  expect(offerSubject(makeOffer(pair), items, shop).unitPriceMinor).toBe(1000 + 3000);
});

test("an offer about a category has the category's margin, and no price of its own", () => {
  const subject = offerSubject(makeOffer({ categories: ['tea'] }), items, shop);
  expect(subject.unitPriceMinor).toBeUndefined();
  // The discontinued item's margin is known too: (0.5 + 0.1 + 1) / 3.
  expect(subject.marginRate).toBeCloseTo((0.5 + 0.1 + 1) / 3);
});

test('where no margin is stated, and for the whole shop, the mean of the shop stands in', () => {
  expect(offerSubject(makeOffer({ itemIds: ['mug'] }), items, shop).marginRate).toBeCloseTo(shop.marginRate);
  const whole = offerSubject(makeOffer(), items, shop);
  expect(whole.marginRate).toBeCloseTo(shop.marginRate);
  expect(whole.categories.size).toBe(0);
});
