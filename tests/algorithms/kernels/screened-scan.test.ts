import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import type { Ranked } from '../../../src/algorithms/top-k.ts';
import { factorSizes, openKernels, VARIANTS } from './support.ts';

/** Rows whose lengths fall like those of what sells: few long, most short. */
function skewed(rows: number, size: number, ...seeds: number[]): Float32Array {
  const rng = createRng('screened', ...seeds);
  const values = new Float32Array(rows * size);
  for (let r = 0; r < rows; r++) {
    const length = rng.next() ** 4;
    for (let f = 0; f < size; f++) values[r * size + f] = length * (rng.next() - 0.4);
  }
  return values;
}

/** Whole numbers from −4 to 4: their products are exact in single precision, ties are many. */
function wholeNumbers(length: number, ...seeds: number[]): Float32Array {
  const rng = createRng('whole', ...seeds);
  return Float32Array.from({ length }, () => rng.nextInt(9) - 4);
}

const scans = fc.record({
  rows: fc.integer({ min: 1, max: 600 }),
  size: factorSizes,
  k: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(100, 1000)),
  seed: fc.integer({ min: 0, max: 1000 }),
});

/** Near ties of single precision may change places: the same scores, and of each item its own. */
function expectAlike(found: Ranked, expected: Ranked, scale: number): void {
  expect(found.indices).toHaveLength(expected.indices.length);
  for (const [at, score] of found.scores.entries())
    expect(Math.abs(score - expected.scores[at]!)).toBeLessThanOrEqual(1e-5 * scale);
  const scoreOf = new Map([...expected.indices].map((row, at) => [row, expected.scores[at]!]));
  for (const [at, row] of found.indices.entries()) {
    const own = scoreOf.get(row) ?? expected.scores.at(-1)!;
    expect(Math.abs(found.scores[at]! - own)).toBeLessThanOrEqual(1e-5 * scale);
  }
}

function cosines(values: Float32Array, vector: Float32Array): Ranked {
  const size = vector.length;
  const rows: [number, number][] = [];
  for (let r = 0; r < values.length / size; r++) {
    const row = values.subarray(r * size, (r + 1) * size);
    const product = row.reduce((sum, value, f) => sum + value * vector[f]!, 0);
    const cosine = product / Math.hypot(...row) / Math.hypot(...vector);
    if (Number.isFinite(cosine)) rows.push([r, cosine]);
  }
  rows.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return { indices: Int32Array.from(rows, ([r]) => r), scores: Float32Array.from(rows, ([, c]) => c) };
}

describe.each(VARIANTS)('%s, %i threads', (build, threads) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels(build, threads);
  });
  afterAll(() => kernels.close());

  test('the list of a scan of everything, ties by index', () => {
    fc.assert(
      fc.property(scans, ({ rows, size, k, seed }) => {
        const factors = kernels.factors(rows, size, wholeNumbers(rows * size, seed, 1));
        const vector = wholeNumbers(size, seed, 2);
        expect(kernels.screen(factors).byProduct(vector, k)).toEqual(kernels.scanTopK(factors, vector, k));
      }),
      { numRuns: 60 },
    );
  });

  test('the list where lengths and values are of every kind', () => {
    fc.assert(
      fc.property(scans, fc.constantFrom(1e-6, 1, 1e6), ({ rows, size, k, seed }, scale) => {
        const factors = kernels.factors(
          rows,
          size,
          skewed(rows, size, seed).map((value) => value * scale),
        );
        const { byProduct } = kernels.screen(factors);
        for (const sign of [1, -1]) {
          const vector = skewed(1, size, seed, 3).map((value) => sign * value);
          expectAlike(byProduct(vector, k), kernels.scanTopK(factors, vector, k), scale * size);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('by the cosine of the angle, without rows of zeros', () => {
    fc.assert(
      fc.property(scans, ({ rows, size, k, seed }) => {
        const values = skewed(rows, size, seed);
        values.fill(0, 0, size);
        const factors = kernels.factors(rows, size, values);
        const vector = skewed(1, size, seed, 3);
        const { indices, scores } = cosines(values, vector);
        const expected = { indices: indices.slice(0, k), scores: scores.slice(0, k) };
        expectAlike(kernels.screen(factors).byAngle(vector, k), expected, 1);
      }),
      { numRuns: 40 },
    );
  });

  test('of some rows alone, the list of a scan that leaves out the others', () => {
    fc.assert(
      fc.property(
        scans,
        fc.constantFrom(1, 2, 9, 700),
        fc.constantFrom(1, 2 ** 56),
        ({ rows, size, k, seed }, every, scale) => {
          const factors = kernels.factors(
            rows,
            size,
            wholeNumbers(rows * size, seed, 1).map((value) => value * scale),
          );
          const { order, byProductAmong } = kernels.screen(factors);
          const vector = wholeNumbers(size, seed, 2).map((value) => value * scale);
          const marks = kernels.marks(rows);
          for (let r = seed % every; r < rows; r += every) marks[r] = 1;
          const places = Int32Array.from([...order.keys()].filter((place) => marks[order[place]!] === 1));
          expect(byProductAmong(vector, k, places)).toEqual(kernels.scanTopK(factors, vector, k, marks));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('scores that are not finite are left out', () => {
    const values = Float32Array.of(1, Number.NaN, 3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2);
    const { byProduct, byAngle } = kernels.screen(kernels.factors(6, 1, values));
    const vector = Float32Array.of(1);
    expect(byProduct(vector, 6)).toEqual({
      indices: Int32Array.of(2, 5, 0),
      scores: Float32Array.of(3, 2, 1),
    });
    expect([...byAngle(vector, 6).indices]).toEqual([0, 2, 5]);
  });

  test('a vector of zeros points at nothing, and of another size is an error', () => {
    const { byProduct, byAngle } = kernels.screen(kernels.factors(3, 8, skewed(3, 8, 1)));
    expect(byProduct(new Float32Array(8), 2).scores).toEqual(new Float32Array(2));
    expect(byAngle(new Float32Array(8), 2).indices).toHaveLength(0);
    expect(() => byProduct(new Float32Array(9), 1)).toThrow(RangeError);
  });
});

test('of some rows, only those that are long enough are read', async () => {
  const kernels = await openKernels('simd', 0);
  const rows = 6000;
  const factors = kernels.factors(rows, 12, skewed(rows, 12, 1));
  const { order, byProductAmong } = kernels.screen(factors);
  const vector = skewed(1, 12, 2).map(Math.abs);
  const places = Int32Array.from({ length: rows / 3 }, (_, n) => 3 * n);
  const expected = byProductAmong(vector, 20, places);
  const near = new Set(byProductAmong(vector, 60, places).indices);
  for (const row of order)
    if (!near.has(row)) factors.values.fill(1e6, row * factors.stride, (row + 1) * factors.stride);
  expect(byProductAmong(vector, 20, places)).toEqual(expected);
  await kernels.close();
});

test('factors are read of few rows alone', async () => {
  const kernels = await openKernels('simd', 0);
  const rows = 6000;
  const factors = kernels.factors(rows, 12, skewed(rows, 12, 1));
  const { byProduct } = kernels.screen(factors);
  const vector = skewed(1, 12, 2).map(Math.abs);
  const expected = kernels.scanTopK(factors, vector, 20);
  // What is read must be among the best, or nearly: of all others any value would do.
  const near = new Set(kernels.scanTopK(factors, vector, 60).indices);
  for (let r = 0; r < rows; r++)
    if (!near.has(r)) factors.values.fill(1e6, r * factors.stride, (r + 1) * factors.stride);
  expectAlike(byProduct(vector, 20), expected, 1);
  await kernels.close();
});
