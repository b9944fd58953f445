import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { fitItemNeighbours, ItemKnnOptions } from '../../src/algorithms/item-knn.ts';

const items = 6;

function basketsOf(baskets: readonly (readonly number[])[]) {
  const cells = baskets.flatMap((basket, b) => [...new Set(basket)].map((item) => [b, item] as const));
  return csrFromTriplets(baskets.length, items, {
    row: cells.map(([b]) => b),
    col: cells.map(([, item]) => item),
    value: cells.map(() => 1),
  });
}

function neighboursIn(
  baskets: readonly (readonly number[])[],
  options: Partial<ItemKnnOptions>,
  item: number,
) {
  const { indptr, indices, data } = fitItemNeighbours(basketsOf(baskets), ItemKnnOptions.parse(options));
  return new Map(
    Array.from(indices.subarray(indptr[item], indptr[item + 1]), (j, n) => [j, data[indptr[item]! + n]!]),
  );
}

test('a pair scores its cosine, shrunk by how often it was seen', () => {
  const baskets = [[0, 1], [0, 1], [0], [2], [3], [4]];
  // n₀₁ = 2, n₀ = 3, n₁ = 2, β = 5; lift 2·6 / (3·2) = 2 > 1
  expect(neighboursIn(baskets, { shrinkage: 5, minTogether: 1 }, 0).get(1)).toBeCloseTo(
    (2 / Math.sqrt(3 * 2)) * (2 / (2 + 5)),
    6,
  );
});

test('a bestseller that is in every basket is nobody’s neighbour', () => {
  const baskets = [
    [0, 1, 5],
    [0, 1, 5],
    [2, 5],
    [3, 5],
  ];
  // 5 is with 0 twice, as 1 is; but its lift is 2·4 / (2·4) = 1.
  expect([...neighboursIn(baskets, { minTogether: 1 }, 0).keys()]).toEqual([1]);
});

test('pairs that were seen too seldom, and baskets that are too large, do not count', () => {
  const baskets = [[0, 1], [0, 2], [0, 2], [3], [4], [5], [0, 1, 2, 3]];
  expect([...neighboursIn(baskets, { minTogether: 2, maxBasketItems: 3 }, 0).keys()]).toEqual([2]);
});

test('rows agree with counting every pair by hand, and hold the k best', () => {
  const basketList = fc.array(fc.array(fc.nat(items - 1), { maxLength: 5 }), { maxLength: 15 });
  fc.assert(
    fc.property(basketList, fc.integer({ min: 1, max: 4 }), (baskets, k) => {
      const sets = baskets.map((basket) => new Set(basket)).filter((basket) => basket.size > 0);
      const count = (...wanted: number[]) =>
        sets.filter((basket) => wanted.every((item) => basket.has(item))).length;
      for (let i = 0; i < items; i++) {
        const expected = Array.from({ length: items }, (_, j): [number, number] => {
          const n = count(i, j);
          const lifted = i !== j && n >= 1 && n * sets.length > count(i) * count(j);
          return [j, lifted ? (n / Math.sqrt(count(i) * count(j))) * (n / (n + 2)) : 0];
        })
          .filter(([, score]) => score > 0)
          .sort((a, b) => Math.fround(b[1]) - Math.fround(a[1]) || a[0] - b[0])
          .slice(0, k);
        const found = neighboursIn(baskets, { k, shrinkage: 2, minTogether: 1 }, i);
        expect([...found.keys()]).toEqual(expected.map(([j]) => j).sort((a, b) => a - b));
        for (const [j, score] of expected) expect(found.get(j)).toBeCloseTo(score, 6);
      }
    }),
  );
});
