import { expect, test } from 'vitest';
import { createTestSet, requestOf } from '../../../src/train/collaborative/test-set.ts';
import { purchasesOf } from '../../support/purchases.ts';

const day = 86_400_000;
const train = purchasesOf([
  ['ann', 'coffee', 1],
  ['ann', 'coffee', 5],
  ['ann', 'tea', 3],
  ['bob', 'tea', 2],
  ['cyd', 'soap', 2],
]);

test('customers with purchases before and after are judged, by what they bought after', () => {
  const later = purchasesOf([
    ['ann', 'tea', 12],
    ['ann', 'tea', 13],
    ['bob', 'novelty', 12],
    ['bob', 'coffee', 12],
    ['dan', 'tea', 12],
  ]);
  const set = createTestSet(train, later, 10 * day, 100, 1);
  expect(Array.from(set.customers, (u) => train.customerIds[u])).toEqual(['ann', 'bob']);
  expect([...set.relevant[0]!]).toEqual([train.itemIds.indexOf('tea')]);
  // What was new in the shop counts, and no model can name it.
  const [coffee, novelty] = [...set.relevant[1]!].sort((a, b) => b - a);
  expect(coffee).toBe(train.itemIds.indexOf('coffee'));
  expect(novelty).toBeLessThan(0);
});

test('the model is told what the customer had bought by then', () => {
  const set = createTestSet(train, purchasesOf([['ann', 'soap', 12]]), 10 * day, 100, 1);
  expect(requestOf(set, 0)).toEqual({
    history: [
      { item: 0, purchaseCount: 2, firstAt: 1 * day, lastAt: 5 * day },
      { item: 2, purchaseCount: 1, firstAt: 3 * day, lastAt: 3 * day },
    ],
    segment: '',
    now: 10 * day,
  });
});

test('of too many customers as many as asked for are drawn, the same ones by the same seed', () => {
  const later = purchasesOf([
    ['ann', 'tea', 12],
    ['bob', 'tea', 12],
    ['cyd', 'tea', 12],
  ]);
  const drawn = (seed: number) => [...createTestSet(train, later, 10 * day, 2, seed).customers];
  expect(drawn(1)).toHaveLength(2);
  expect(drawn(1)).toEqual(drawn(1));
  expect(new Set(Array.from({ length: 20 }, (_, seed) => drawn(seed).join())).size).toBeGreaterThan(1);
});
