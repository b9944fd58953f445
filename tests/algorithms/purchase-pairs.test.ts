import { expect, test } from 'vitest';
import { interactionMatrix, purchasePairs } from '../../src/algorithms/purchase-pairs.ts';

const day = 86_400_000;
const log = {
  customer: Int32Array.of(0, 0, 0, 2),
  item: Int32Array.of(1, 1, 3, 0),
  at: Float64Array.of(10 * day, 40 * day, 20 * day, 50 * day),
};

test('a run of one customer and item is one pair with its count, first and last time', () => {
  expect(purchasePairs(log, 3, 4)).toEqual({
    customers: 3,
    items: 4,
    indptr: Int32Array.of(0, 2, 2, 3),
    item: Int32Array.of(1, 3, 0),
    purchaseCount: Int32Array.of(2, 1, 1),
    firstAt: Float64Array.of(10 * day, 20 * day, 50 * day),
    lastAt: Float64Array.of(40 * day, 20 * day, 50 * day),
  });
});

test('purchases of one day are one errand', () => {
  const hour = day / 24;
  const pairs = purchasePairs(
    {
      customer: new Int32Array(4),
      item: new Int32Array(4),
      at: Float64Array.of(0, 3 * hour, 30 * hour, 50 * hour),
    },
    1,
    1,
  );
  // The second comes 3 hours after the first; all others come 16 hours or more after the one before.
  expect([...pairs.purchaseCount]).toEqual([3]);
});

test('the matrix weighs a pair by the logarithm of its count and its age', () => {
  const matrix = interactionMatrix(purchasePairs(log, 3, 4), { halfLifeDays: 20, floor: 0.2 }, 60 * day);
  expect(matrix).toMatchObject({ rows: 3, cols: 4 });
  // (1 + ln 2)(0.2 + 0.8 · 2^(−20/20)), 1·(0.2 + 0.8 · 2^(−40/20)), 1·(0.2 + 0.8 · 2^(−10/20))
  expect(matrix.data[0]).toBeCloseTo((1 + Math.log(2)) * (0.2 + 0.4), 6);
  expect(matrix.data[1]).toBeCloseTo(0.2 + 0.2, 6);
  expect(matrix.data[2]).toBeCloseTo(0.2 + 0.8 / Math.SQRT2, 6);
});
