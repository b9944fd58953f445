import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fallingOrder } from '../../src/algorithms/falling-order.ts';
import { topK } from '../../src/algorithms/top-k.ts';

const value = fc.oneof(
  fc.float(),
  fc.constantFrom(0, -0, 1, 2, 1e-45, 3e38, Number.NaN, Number.POSITIVE_INFINITY),
);

test('the order of topK over everything that is not negative, ties by index', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 200 }), (list) => {
      const values = Float32Array.from(list);
      expect(fallingOrder(values)).toEqual(topK(values, values.length, (at) => values[at]! >= 0).indices);
    }),
    { numRuns: 50 },
  );
});

test('values that are a part of others', () => {
  const values = Float32Array.of(9, 9, 1, 3, 2).subarray(2);
  expect([...fallingOrder(values)]).toEqual([1, 2, 0]);
});
