import { expect, test } from 'vitest';
import { DEFAULT_MARGIN_RATE, shopStatistics } from '../../src/offers/shop-statistics.ts';
import { makeItem } from '../support/offers.ts';

const items = [
  makeItem({ itemId: 'a', category: 'tea', priceMinor: 1000, marginMinor: 400 }),
  makeItem({ itemId: 'b', category: 'tea', priceMinor: 2000, marginMinor: 400 }),
  makeItem({ itemId: 'c', category: 'mugs', priceMinor: 500 }),
  makeItem({ itemId: 'd', category: 'mugs', priceMinor: 9000, inStock: false }),
];

test('category shares follow popularity, or the number of items where it is unknown', () => {
  expect(shopStatistics(items).categoryShares).toEqual(
    new Map([
      ['tea', 2 / 4],
      ['mugs', 2 / 4],
    ]),
  );
  const popularity: Record<string, number> = { a: 6, b: 1, c: 3 };
  expect(shopStatistics(items, (id) => popularity[id] ?? 0).categoryShares).toEqual(
    new Map([
      ['tea', 7 / 10],
      ['mugs', 3 / 10],
    ]),
  );
});

test('margin rates are means over the items that state a margin', () => {
  const shop = shopStatistics(items);
  expect(shop.categoryMarginRates.get('tea')).toBeCloseTo((400 / 1000 + 400 / 2000) / 2);
  expect(shop.categoryMarginRates.has('mugs')).toBe(false);
  expect(shop.marginRate).toBeCloseTo((0.4 + 0.2) / 2);
});

test('the median price is of what can be bought', () => {
  expect(shopStatistics(items).medianPriceMinor).toBe(1000);
  expect(shopStatistics(items.slice(0, 2)).medianPriceMinor).toBe((1000 + 2000) / 2);
});

test('an empty catalogue has no prices and the assumed margin', () => {
  expect(shopStatistics([])).toEqual({
    categoryShares: new Map(),
    categoryMarginRates: new Map(),
    marginRate: DEFAULT_MARGIN_RATE,
    medianPriceMinor: 0,
  });
});
