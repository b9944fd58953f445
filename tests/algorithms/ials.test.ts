import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsrMatrix, csrFromTriplets, transpose } from '../../src/algorithms/csr.ts';
import { fitIals, foldInItem, IalsOptions } from '../../src/algorithms/ials.ts';
import { createRowSolver } from '../../src/algorithms/ials-row.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { topK } from '../../src/algorithms/top-k.ts';
import { testKernels } from '../support/kernels.ts';
import { fitIalsPlainly, objectiveOf } from './ials-oracle.ts';

const kernels = await testKernels();

type Cell = readonly [user: number, item: number];

const matrixOf = (
  rows: number,
  cols: number,
  cells: readonly Cell[],
  weight: (n: number) => number = () => 1,
) =>
  csrFromTriplets(rows, cols, {
    row: cells.map(([user]) => user),
    col: cells.map(([, item]) => item),
    value: cells.map((_, n) => weight(n)),
  });

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, f) => sum + value * b[f]!, 0);

const side = 50;
/** Even users like even items, odd users odd ones; nobody is seen to like the item of their own number. */
const checkerboard = Array.from(
  { length: side * side },
  (_, n): Cell => [Math.floor(n / side), n % side],
).filter(([user, item]) => user % 2 === item % 2 && user !== item);

test('on a checkerboard, every user’s best unseen item is the withheld one', async () => {
  const userItems = matrixOf(side, side, checkerboard);
  const options = IalsOptions.parse({ factors: 4, iterations: 10 });
  const { itemFactors, itemGram } = await fitIals(kernels, userItems, options, { rng: createRng(7) });
  const solve = createRowSolver({ factors: itemFactors, size: 4, gram: itemGram }, options);
  for (let user = 0; user < side; user++) {
    const row = new Float32Array(4);
    const [from, to] = [userItems.indptr[user]!, userItems.indptr[user + 1]!];
    solve(userItems.indices, userItems.data, from, to, row, 0);
    const seen = new Set(userItems.indices.subarray(from, to));
    const scores = Float32Array.from({ length: side }, (_, i) =>
      dot(row, itemFactors.subarray(4 * i, 4 * i + 4)),
    );
    expect(topK(scores, 1, (i) => !seen.has(i)).indices[0]).toBe(user);
  }
});

test('a row is the minimum of the objective: a step in any direction makes it larger', () => {
  const rng = createRng(3);
  const [items, size] = [9, 4];
  const factors = Float32Array.from({ length: items * size }, () => rng.normal());
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++)
      for (let r = 0; r < items; r++) gram[i * size + j]! += factors[r * size + i]! * factors[r * size + j]!;
  const objective = { unobservedWeight: 0.2, regularization: 0.05, regularizationExponent: 0.5 };
  const [bought, weights] = [Int32Array.of(1, 4, 8), Float32Array.of(1, 2.5, 0.3)];
  const row = new Float32Array(size);
  createRowSolver({ factors, size, gram }, objective)(bought, weights, 0, 3, row, 0);

  // Σ w(1 − x·y)² + α₀ Σ (x·y)² + λ(Σw + α₀|I|)^ν |x|²
  const loss = (x: Float32Array) => {
    const score = (i: number) => dot(x, factors.subarray(i * size, (i + 1) * size));
    let sum = 0.05 * (1 + 2.5 + 0.3 + 0.2 * items) ** 0.5 * dot(x, x);
    for (let i = 0; i < items; i++) sum += 0.2 * score(i) ** 2;
    bought.forEach((item, n) => {
      sum += weights[n]! * (1 - score(item)) ** 2;
    });
    return sum;
  };
  for (let f = 0; f < size; f++) {
    for (const step of [-0.01, 0.01]) {
      const moved = row.slice();
      moved[f]! += step;
      expect(loss(moved)).toBeGreaterThan(loss(row));
    }
  }
});

test('the same seed gives the same factors, another seed others', async () => {
  const userItems = matrixOf(side, side, checkerboard);
  const options = IalsOptions.parse({ factors: 4, iterations: 1 });
  const trained = (seed: number) => fitIals(kernels, userItems, options, { rng: createRng(seed) });
  expect(await trained(1)).toEqual(await trained(1));
  expect(await trained(1)).not.toEqual(await trained(2));
});

test('progress rises to 1 and is waited for', async () => {
  const seen: number[] = [];
  let waiting = 0;
  const onProgress = async (share: number) => {
    expect(waiting++).toBe(0);
    await Promise.resolve();
    waiting--;
    seen.push(share);
  };
  await fitIals(
    kernels,
    matrixOf(side, side, checkerboard),
    IalsOptions.parse({ factors: 4, iterations: 3 }),
    { rng: createRng(1), onProgress },
  );
  // Two sides, three times.
  expect(seen.map((share) => Math.round(6 * share))).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a listener that fails, and an aborted signal, end the training; the memory is given back', async () => {
  const userItems = matrixOf(side, side, checkerboard);
  const options = IalsOptions.parse({ factors: 4 });
  const before = kernels.usedBytes();
  const onProgress = () => Promise.reject(new Error('the queue is away'));
  await expect(fitIals(kernels, userItems, options, { rng: createRng(1), onProgress })).rejects.toThrow(
    'the queue is away',
  );
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(fitIals(kernels, userItems, options, { rng: createRng(1), signal })).rejects.toThrow('enough');
  await fitIals(kernels, userItems, options, { rng: createRng(1) });
  expect(kernels.usedBytes()).toBe(before);
});

/** One user and one item up, empty rows, weights among which 0. */
const anyMatrix = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, cols]) =>
    fc
      .array(fc.tuple(fc.nat(rows - 1), fc.nat(cols - 1), fc.integer({ min: 0, max: 24 })), { maxLength: 30 })
      .map(
        (cells): CsrMatrix =>
          csrFromTriplets(rows, cols, {
            row: cells.map(([row]) => row),
            col: cells.map(([, col]) => col),
            value: cells.map(([, , eighths]) => eighths / 8),
          }),
      ),
  );

test('training by Cholesky equals the plain typed-array version', async () => {
  await fc.assert(
    fc.asyncProperty(anyMatrix, fc.integer({ min: 1, max: 20 }), async (userItems, factors) => {
      const options = IalsOptions.parse({
        factors,
        iterations: 3,
        regularization: 0.05,
        method: 'cholesky',
      });
      const plain = fitIalsPlainly(userItems, options, createRng(1));
      const run = { rng: createRng(1), withUserFactors: true };
      const { userFactors, itemFactors } = await fitIals(kernels, userItems, options, run);
      for (const [found, expected] of [
        [userFactors!, plain.userFactors],
        [itemFactors, plain.itemFactors],
      ] as const) {
        expect(found).toHaveLength(expected.length);
        const furthest = expected.reduce((most, value, n) => Math.max(most, Math.abs(found[n]! - value)), 0);
        // Single precision through three iterations of well-conditioned systems.
        expect(furthest).toBeLessThan(2e-4);
      }
    }),
  );
});

test('training by conjugate gradients comes as far as the plain typed-array version', async () => {
  // By the objective: near a row's minimum the steps themselves are roundoff, and go anywhere.
  await fc.assert(
    fc.asyncProperty(anyMatrix, fc.integer({ min: 1, max: 20 }), async (userItems, factors) => {
      const options = IalsOptions.parse({ factors, iterations: 3, regularization: 0.05 });
      const run = { rng: createRng(1), withUserFactors: true };
      const { userFactors, itemFactors } = await fitIals(kernels, userItems, options, run);
      const found = objectiveOf(userItems, options, { userFactors: userFactors!, itemFactors });
      const expected = objectiveOf(userItems, options, fitIalsPlainly(userItems, options, createRng(1)));
      expect(found).toBeGreaterThan(0.999 * expected - 1e-6);
      expect(found).toBeLessThan(1.001 * expected + 1e-6);
    }),
  );
});

test('rows without entries are zero', async () => {
  const userItems = matrixOf(3, 4, [
    [0, 1],
    [2, 1],
  ]);
  const run = { rng: createRng(1), withUserFactors: true };
  const { userFactors, itemFactors } = await fitIals(
    kernels,
    userItems,
    IalsOptions.parse({ factors: 2, iterations: 2 }),
    run,
  );
  const isZero = (factors: Float32Array) =>
    Array.from({ length: factors.length / 2 }, (_, r) =>
      factors.subarray(2 * r, 2 * r + 2).every((f) => f === 0),
    );
  expect(isZero(userFactors!)).toEqual([false, true, false]);
  expect(isZero(itemFactors)).toEqual([true, false, true, true]);
});

test('from the factors of an earlier training it goes on as if it had never stopped', async () => {
  const userItems = matrixOf(side, side, checkerboard);
  const options = (iterations: number) => IalsOptions.parse({ factors: 4, iterations, method: 'cholesky' });
  const begun = await fitIals(kernels, userItems, options(2), { rng: createRng(1) });
  const rows = Int32Array.from({ length: side }, (_, i) => i);
  const start = { items: { rows, factors: begun.itemFactors } };
  const warm = await fitIals(kernels, userItems, options(3), { rng: createRng(9), start });
  expect(warm.itemFactors).toEqual(
    (await fitIals(kernels, userItems, options(5), { rng: createRng(1) })).itemFactors,
  );
  const tooFar = { items: { rows: Int32Array.of(side), factors: new Float32Array(4) } };
  await expect(fitIals(kernels, userItems, options(1), { rng: createRng(1), start: tooFar })).rejects.toThrow(
    RangeError,
  );
});

test('an item is folded in from its buyers to where training has it', async () => {
  const userItems = matrixOf(side, side, checkerboard);
  const options = IalsOptions.parse({ factors: 6, iterations: 8, method: 'cholesky' });
  const { itemFactors, userFactors, userGram } = await fitIals(kernels, userItems, options, {
    rng: createRng(1),
    withUserFactors: true,
  });
  const { indptr, indices, data } = transpose(userItems);
  for (const item of [0, 1, 30]) {
    const buyers = indices.subarray(indptr[item], indptr[item + 1]);
    const factors = Float32Array.from(
      [...buyers].flatMap((u) => [...userFactors!.subarray(6 * u, 6 * u + 6)]),
    );
    const fixed = { factors, size: 6, gram: userGram, rows: side };
    const folded = foldInItem(fixed, data.slice(indptr[item], indptr[item + 1]), options);
    for (const [f, value] of folded.entries())
      expect(Math.abs(value - itemFactors[6 * item + f]!)).toBeLessThan(1e-4);
  }
});
