import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { topK } from '../../../src/algorithms/top-k.ts';
import { factorSizes, openKernels, sparseMatrix, VARIANTS } from './support.ts';

/** Whole numbers from −4 to 4: their dot products are exact in single precision, ties are many. */
function wholeNumbers(length: number, ...seeds: number[]): Float32Array {
  const rng = createRng(...seeds);
  return Float32Array.from({ length }, () => rng.nextInt(9) - 4);
}

function scoresOf(factors: Float32Array, vector: Float32Array): Float32Array {
  const size = vector.length;
  return Float32Array.from({ length: factors.length / size }, (_, r) =>
    vector.reduce((sum, value, f) => sum + value * factors[r * size + f]!, 0),
  );
}

const scans = fc.record({
  rows: fc.integer({ min: 1, max: 400 }),
  size: factorSizes,
  k: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(100, 1000)),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe.each(VARIANTS)('%s, %i threads', (build, threads) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels(build, threads);
  });
  afterAll(() => kernels.close());

  test('scanTopK ranks as scores and topK do, ties by index, marked rows only', () => {
    fc.assert(
      fc.property(scans, fc.boolean(), ({ rows, size, k, seed }, marked) => {
        const values = wholeNumbers(rows * size, seed, 1);
        const vector = wholeNumbers(size, seed, 2);
        const factors = kernels.factors(rows, size, values);
        const marks = kernels.marks(rows);
        for (let r = 0; r < rows; r++) marks[r] = (r * 7 + seed) % 3 === 0 ? 0 : 1;
        const found = kernels.scanTopK(factors, vector, k, marked ? marks : undefined);
        const allowed = marked ? (r: number) => marks[r] === 1 : undefined;
        expect(found).toEqual(topK(scoresOf(values, vector), k, allowed));
        kernels.release(factors);
        kernels.release(marks);
      }),
      { numRuns: 100 },
    );
  });

  test('scores that are not finite are left out', () => {
    const values = Float32Array.of(1, Number.NaN, 3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2);
    const factors = kernels.factors(6, 1, values);
    expect(kernels.scanTopK(factors, Float32Array.of(1), 6)).toEqual({
      indices: Int32Array.of(2, 5, 0),
      scores: Float32Array.of(3, 2, 1),
    });
    kernels.release(factors);
  });

  test('scanManyTopK gives each vector its list, without what its row has seen', async () => {
    await fc.assert(
      fc.asyncProperty(
        sparseMatrix({ rows: 20, cols: 120 }),
        factorSizes,
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        async (seen, size, k, excluding) => {
          const values = wholeNumbers(seen.cols * size, size, 1);
          const vectors = wholeNumbers(seen.rows * size, size, 2);
          const shared = [
            kernels.factors(seen.cols, size, values),
            kernels.factors(seen.rows, size, vectors),
            kernels.shareMatrix(seen),
          ] as const;
          const lists = await kernels.scanManyTopK(
            shared[0],
            shared[1],
            k,
            excluding ? shared[2] : undefined,
          );
          for (const what of shared) kernels.release(what);
          expect(lists.k).toBe(Math.min(k, seen.cols));
          for (let r = 0; r < seen.rows; r++) {
            const own = new Set(excluding ? seen.indices.subarray(seen.indptr[r]!, seen.indptr[r + 1]!) : []);
            const scores = scoresOf(values, vectors.subarray(r * size, (r + 1) * size));
            const best = topK(scores, k, (i) => !own.has(i));
            const list = lists.indices.subarray(r * lists.k, (r + 1) * lists.k);
            expect([...list]).toEqual([
              ...best.indices,
              ...Array.from({ length: lists.k - best.indices.length }, () => -1),
            ]);
            expect(lists.scores.subarray(r * lists.k, r * lists.k + best.scores.length)).toEqual(best.scores);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('products of rows that lie elsewhere, however many', () => {
    for (const [rows, size] of [
      [3, 5],
      [700, 16],
      [256, 64],
      [0, 8],
    ] as const) {
      const values = wholeNumbers(rows * size, 3, rows);
      const vector = wholeNumbers(size, 4);
      const products = new Float32Array(rows);
      kernels.rowMultiplier(size)(values, vector, products);
      expect(products).toEqual(scoresOf(values, vector));
    }
    const multiply = kernels.rowMultiplier(8);
    expect(() => multiply(new Float32Array(8), new Float32Array(8), new Float32Array(2))).toThrow(RangeError);
    expect(() => multiply(new Float32Array(9), new Float32Array(9), new Float32Array(1))).toThrow(RangeError);
  });

  test('a vector of another size is an error', () => {
    const factors = kernels.factors(3, 8);
    expect(() => kernels.scanTopK(factors, new Float32Array(9), 1)).toThrow(RangeError);
    kernels.release(factors);
  });
});
