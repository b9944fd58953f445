import { expect, test } from 'vitest';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { foldInNewItems } from '../../src/algorithms/fold-in-items.ts';
import { fitIals, IalsOptions } from '../../src/algorithms/ials.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { testKernels } from '../support/kernels.ts';

const kernels = await testKernels();
const side = 40;
/** Even customers buy even items, odd ones odd items. */
const cells = Array.from({ length: side * side }, (_, n) => [Math.floor(n / side), n % side] as const).filter(
  ([user, item]) => user % 2 === item % 2,
);
const matrixOf = (kept: readonly (readonly [number, number])[]) =>
  csrFromTriplets(side, side, {
    row: kept.map(([user]) => user),
    col: kept.map(([, item]) => item),
    value: kept.map(() => 1),
  });
const options = IalsOptions.parse({ factors: 4, iterations: 10 });

test('a new item comes to stand beside those that its buyers like, known items stay as they are', async () => {
  // Items 0 and 1 are unknown to the training, and then bought by customers 2 … 9 of their kind.
  const before = await fitIals(kernels, matrixOf(cells.filter(([, item]) => item > 1)), options, {
    rng: createRng(1),
  });
  const known = Int32Array.from({ length: side }, (_, i) => (i > 1 ? i : -1));
  const factors = foldInNewItems(
    {
      items: { factors: before.itemFactors, size: 4, gram: before.itemGram },
      users: { count: side, gram: before.userGram },
    },
    matrixOf(cells.filter(([user, item]) => item > 1 || (user > 1 && user < 10))),
    known,
    options,
  );
  expect(factors.subarray(2 * 4)).toEqual(before.itemFactors.subarray(2 * 4));
  const cosine = (i: number, j: number) => {
    const [a, b] = [factors.subarray(4 * i, 4 * i + 4), factors.subarray(4 * j, 4 * j + 4)];
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, f) => sum + value * y[f]!, 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  expect(cosine(0, 2)).toBeGreaterThan(0.99);
  expect(cosine(1, 3)).toBeGreaterThan(0.99);
  expect(Math.abs(cosine(0, 3))).toBeLessThan(0.8);
});

test('an item whose buyers bought nothing else has no factors', () => {
  const items = { factors: Float32Array.of(1, 1, 0, 2), size: 2, gram: Float64Array.of(1, 0, 1, 5) };
  const users = { count: 9, gram: Float64Array.of(4, 0, 1, 4) };
  const factors = foldInNewItems(
    { items, users },
    csrFromTriplets(1, 3, { row: [0], col: [2], value: [1] }),
    Int32Array.of(0, 1, -1),
    options,
  );
  expect([...factors]).toEqual([1, 1, 0, 2, 0, 0]);
});
