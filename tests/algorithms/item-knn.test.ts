import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { fitItemNeighbours, ItemKnnOptions, logLikelihoodRatio } from '../../src/algorithms/item-knn.ts';
import { testKernels } from '../support/kernels.ts';

const kernels = await testKernels();

const items = 6;

function basketsOf(baskets: readonly (readonly number[])[]) {
  const cells = baskets.flatMap((basket, b) => [...new Set(basket)].map((item) => [b, item] as const));
  return csrFromTriplets(baskets.length, items, {
    row: cells.map(([b]) => b),
    col: cells.map(([, item]) => item),
    value: cells.map(() => 1),
  });
}

async function neighboursIn(
  baskets: readonly (readonly number[])[],
  options: Partial<ItemKnnOptions>,
  item: number,
) {
  const { indptr, indices, data } = await fitItemNeighbours(
    kernels,
    basketsOf(baskets),
    ItemKnnOptions.parse({ minLift: 1, ...options }),
  );
  return new Map(
    Array.from(indices.subarray(indptr[item], indptr[item + 1]), (j, n) => [j, data[indptr[item]! + n]!]),
  );
}

test('a pair scores its cosine, shrunk by how often it was seen', async () => {
  const baskets = [[0, 1], [0, 1], [0], [2], [3], [4]];
  // n₀₁ = 2, n₀ = 3, n₁ = 2, β = 5; lift 2·6 / (3·2) = 2 > 1
  expect((await neighboursIn(baskets, { shrinkage: 5 }, 0)).get(1)).toBeCloseTo(
    (2 / Math.sqrt(3 * 2)) * (2 / (2 + 5)),
    6,
  );
});

test('a bestseller that is in every basket is nobody’s neighbour', async () => {
  const baskets = [
    [0, 1, 5],
    [0, 1, 5],
    [2, 5],
    [3, 5],
  ];
  // 5 is with 0 twice, as 1 is; but its lift is 2·4 / (2·4) = 1.
  expect([...(await neighboursIn(baskets, {}, 0)).keys()]).toEqual([1]);
});

test('pairs that were seen too seldom, and baskets that are too large, do not count', async () => {
  const baskets = [[0, 1], [0, 2], [0, 2], [3], [4], [5], [0, 1, 2, 3]];
  expect([...(await neighboursIn(baskets, { minTogether: 2, maxBasketItems: 3 }, 0)).keys()]).toEqual([2]);
});

test('rows agree with counting every pair by hand, and hold the k best', async () => {
  const basketList = fc.array(fc.array(fc.nat(items - 1), { maxLength: 5 }), { maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(basketList, fc.integer({ min: 1, max: 4 }), async (baskets, k) => {
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
        const found = await neighboursIn(baskets, { k, shrinkage: 2 }, i);
        expect([...found.keys()]).toEqual(expected.map(([j]) => j).sort((a, b) => a - b));
        for (const [j, score] of expected) expect(found.get(j)).toBeCloseTo(score, 6);
      }
    }),
  );
});

test('the log-likelihood ratio is that of the table of both items', async () => {
  // Of 8 baskets, 3 hold item 0, 4 hold item 1, 3 both: cells 3, 0, 1, 4, expected 1.5, 1.5, 2.5, 2.5.
  const ratio = 2 * (3 * Math.log(3 / 1.5) + 0 + 1 * Math.log(1 / 2.5) + 4 * Math.log(4 / 2.5));
  expect(logLikelihoodRatio(3, 3, 4, 8)).toBeCloseTo(ratio, 12);
  const baskets = [[0, 1], [0, 1], [0, 1], [1], [2], [3], [4], [5]];
  const found = await neighboursIn(baskets, { similarity: 'logLikelihood', shrinkage: 1 }, 0);
  expect([...found]).toEqual([[1, Math.fround((ratio * 3) / (3 + 1))]]);
});

test('meeting just as often as chance would have it is no likelihood at all', () => {
  expect(logLikelihoodRatio(2, 4, 4, 8)).toBeCloseTo(0, 12);
});

test('the neighbour’s popularity counts against it by its exponent', async () => {
  const baskets = [[0, 1], [0, 2], [1], [1]];
  // n₀ = 2, n₁ = 3, n₂ = 1: c / (2^½ n_j^b)
  for (const popularityExponent of [0, 0.5, 1]) {
    const found = await neighboursIn(baskets, { popularityExponent, shrinkage: 0, minLift: 0 }, 0);
    expect(found.get(1)).toBeCloseTo(1 / (2 ** 0.5 * 3 ** popularityExponent), 6);
    expect(found.get(2)).toBeCloseTo(1 / 2 ** 0.5, 6);
  }
});

test('a large basket says less by its exponent', async () => {
  const baskets = [
    [0, 1],
    [0, 2, 3, 4],
  ];
  const options = { basketExponent: 1, shrinkage: 0, minLift: 0 };
  const found = await neighboursIn(baskets, options, 0);
  // n₀ = 2, the others 1; baskets of 2 and of 4 items.
  expect(found.get(1)).toBeCloseTo(1 / 2 / Math.sqrt(2), 6);
  expect(found.get(2)).toBeCloseTo(1 / 4 / Math.sqrt(2), 6);
});

test('tf-idf and BM25 weigh a basket by how rare a word it is for items', async () => {
  const baskets = [
    [0, 1],
    [0, 2, 3],
  ];
  const { log, sqrt } = Math;
  // Of 6 items; item 0 has two words, 1, 2 and 3 one each: 5 in all, mean 5 / 6.
  const [w2, w3] = [log(6 / 3), log(6 / 4)];
  const options = { shrinkage: 0, minLift: 0 };
  const tfidf = await neighboursIn(baskets, { ...options, weighting: 'tfidf' }, 0);
  expect(tfidf.get(1)).toBeCloseTo(w2 ** 2 / (sqrt(w2 ** 2 + w3 ** 2) * w2), 6);
  const bm25 = await neighboursIn(baskets, { ...options, weighting: 'bm25', bm25K1: 1, bm25B: 0.5 }, 0);
  const saturated = (words: number) => 2 / (0.5 + (0.5 * words) / (5 / 6) + 1);
  expect(bm25.get(1)).toBeCloseTo(
    (w2 ** 2 * saturated(2) * saturated(1)) / (saturated(2) * sqrt(w2 ** 2 + w3 ** 2) * saturated(1) * w2),
    6,
  );
});

test('what counts baskets is refused where they are weighed', () => {
  expect(ItemKnnOptions.safeParse({ weighting: 'bm25', minLift: 1 }).success).toBe(false);
  expect(ItemKnnOptions.safeParse({ basketExponent: 1, similarity: 'logLikelihood' }).success).toBe(false);
});
