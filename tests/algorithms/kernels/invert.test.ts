import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kernels, SharedSymmetric } from '../../../src/algorithms/kernels/kernels.ts';
import { invertInPlace } from '../../../src/algorithms/kernels/oracle/inverse.ts';
import { EPS, normals, openKernels, VARIANTS } from './support.ts';

/** BᵀB / size + ridge·I, size × size: its eigenvalues lie between ridge and about ridge + 4. */
function positiveDefinite(size: number, ridge: number, seed: number): Float64Array {
  const b = normals(size * size, 1, seed, size);
  const a = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) {
      let sum = i === j ? ridge : 0;
      for (let k = 0; k < size; k++) sum += (b[k * size + i]! * b[k * size + j]!) / size;
      // Rounded here, so that both versions invert the same matrix.
      a[i * size + j] = a[j * size + i] = Math.fround(sum);
    }
  return a;
}

function share(kernels: Kernels, values: ArrayLike<number>, size: number): SharedSymmetric {
  const matrix = kernels.symmetric(size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) matrix.values[i * matrix.stride + j] = values[i * size + j]!;
  return matrix;
}

describe.each(VARIANTS)('%s, %i threads', (build, threads) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels(build, threads);
  });
  afterAll(() => kernels.close());

  test('the inverse is that of the typed-array version, whole and symmetric, with a small residual', async () => {
    const sizes = fc.oneof(
      fc.constantFrom(1, 2, 63, 64, 65, 128, 150, 200),
      fc.integer({ min: 1, max: 150 }),
    );
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 0, max: 99 }), async (size, seed) => {
        const exact = positiveDefinite(size, 0.5, seed);
        const matrix = share(kernels, exact, size);
        const { residual } = await kernels.invertSymmetric(matrix);
        invertInPlace(exact, size);
        let worst = 0;
        let asymmetry = 0;
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const value = matrix.values[i * matrix.stride + j]!;
            worst = Math.max(worst, Math.abs(value - exact[i * size + j]!));
            asymmetry = Math.max(asymmetry, Math.abs(value - matrix.values[j * matrix.stride + i]!));
          }
        kernels.release(matrix);
        // |A⁻¹| ≤ 1 / 0.5 and the condition at most (0.5 + 4) / 0.5 = 9: the error is about n · EPS · 9 · 2.
        expect(worst).toBeLessThanOrEqual((size + 10) * EPS * 9 * 2);
        expect(asymmetry).toBe(0);
        // Rounding of Av (entries ≤ ~4.5 √n) and of the inverse's rows, each times |A⁻¹|'s row sums (≤ 2 √n).
        expect(residual).toBeLessThanOrEqual((size + 10) * EPS * 9 * 2 * Math.sqrt(size + 1));
      }),
      { numRuns: 25 },
    );
  });

  test('a matrix that is not positive definite is an error', async () => {
    const size = 70;
    const values = positiveDefinite(size, 0.5, 1);
    values[66 * size + 66] = -1;
    const matrix = share(kernels, values, size);
    await expect(kernels.invertSymmetric(matrix)).rejects.toThrow(/not positive definite/);
    kernels.release(matrix);
  });

  test('progress ends at 1', async () => {
    const matrix = share(kernels, positiveDefinite(130, 0.5, 2), 130);
    const shares: number[] = [];
    await kernels.invertSymmetric(matrix, { onProgress: (share) => shares.push(share) });
    kernels.release(matrix);
    // 130 rows are three blocks of 64.
    expect(shares).toEqual([1 / 3, 2 / 3, 1]);
  });
});
