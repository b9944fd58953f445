import { expect, test } from 'vitest';
import { tasteRanker } from '../../src/offers/taste-rank.ts';
import { shopModel } from '../support/shop-models.ts';

const model = shopModel();
const items = (...ids: string[]) => Int32Array.from(ids, (id) => model.itemIndex.get(id) ?? -1);

test('an item ranks by the share of the catalogue that it beats, ties counting half', () => {
  const rank = tasteRanker(model, items('coffee-3'), Float32Array.of(1));
  // 20 items: the ten coffees score by number, the ten teas tie at 0.
  expect(rank('coffee-0')).toBeCloseTo((19 + 0.5) / 20);
  expect(rank('coffee-9')).toBeCloseTo((10 + 0.5) / 20);
  expect(rank('tea-4')).toBeCloseTo(10 / 2 / 20);
});

test('what cannot be told is undefined: an item that the model does not know, a customer without items', () => {
  expect(tasteRanker(model, items('coffee-3'), Float32Array.of(1))('cocoa-0')).toBeUndefined();
  expect(tasteRanker(model, new Int32Array(), new Float32Array())('coffee-0')).toBeUndefined();
});

test('the mean rank over the catalogue is 1/2, so that an average item has lift 1', () => {
  const rank = tasteRanker(model, items('tea-2', 'coffee-5'), Float32Array.of(2, 0.5));
  const ranks = model.itemIds.map((itemId) => rank(itemId) ?? Number.NaN);
  expect(ranks.reduce((sum, one) => sum + one, 0) / ranks.length).toBeCloseTo(0.5);
});
