import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { fitIals, IalsOptions } from '../../src/algorithms/ials.ts';
import { createRowSolver } from '../../src/algorithms/ials-row.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { topK } from '../../src/algorithms/top-k.ts';

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
  const { itemFactors, itemGram } = await fitIals(userItems, options, createRng(7));
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
  const trained = (seed: number) => fitIals(userItems, options, createRng(seed));
  expect(await trained(1)).toEqual(await trained(1));
  expect(await trained(1)).not.toEqual(await trained(2));
});

test('progress rises to 1 and is waited for', async () => {
  const seen: number[] = [];
  let waiting = 0;
  await fitIals(
    matrixOf(side, side, checkerboard),
    IalsOptions.parse({ factors: 4, iterations: 3 }),
    createRng(1),
    async (share) => {
      expect(waiting++).toBe(0);
      await Promise.resolve();
      waiting--;
      seen.push(share);
    },
  );
  // Two sides, three times, each in one part.
  expect(seen.map((share) => Math.round(6 * share))).toEqual([1, 2, 3, 4, 5, 6]);
});

test('any matrix has finite factors: empty rows and columns, one user, one item', async () => {
  const shapes = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
    .chain(([rows, cols]) =>
      fc.tuple(
        fc.constant(rows),
        fc.constant(cols),
        fc.array(fc.tuple(fc.nat(rows - 1), fc.nat(cols - 1)), { maxLength: 12 }),
      ),
    );
  await fc.assert(
    fc.asyncProperty(shapes, async ([rows, cols, cells]) => {
      const userItems = matrixOf(rows, cols, cells, (n) => 0.01 + n);
      const { itemFactors } = await fitIals(
        userItems,
        IalsOptions.parse({ factors: 4, iterations: 3 }),
        createRng(1),
      );
      expect(itemFactors).toHaveLength(cols * 4);
      expect(itemFactors.every(Number.isFinite)).toBe(true);
      const bought = new Set(cells.map(([, item]) => item));
      for (let item = 0; item < cols; item++) {
        if (bought.has(item)) continue;
        expect([...itemFactors.subarray(4 * item, 4 * item + 4)]).toEqual([0, 0, 0, 0]);
      }
    }),
  );
});
