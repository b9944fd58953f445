/** Kernels and random problems for their tests. */
import fc from 'fast-check';
import { type CsrMatrix, csrFromTriplets } from '../../../src/algorithms/csr.ts';
import { createKernels, type Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { openKernelRuntime } from '../../../src/infra/kernel-runtime.ts';

/** Single precision's unit roundoff. */
export const EPS = 2 ** -24;

export async function openKernels(build: 'simd' | 'relaxed-simd', threads: number): Promise<Kernels> {
  return createKernels(await openKernelRuntime(build), { threads });
}

/** Both builds, one on the calling thread and one on threads of its own. */
export const VARIANTS = [
  ['simd', 0],
  ['relaxed-simd', 2],
] as const;

/** Standard normal values from a seed. */
export function normals(length: number, scale: number, ...seeds: (number | string)[]): Float32Array {
  const rng = createRng(...seeds);
  return Float32Array.from({ length }, () => scale * rng.normal());
}

/** Shapes from one user and one item up, with empty rows and columns, and weights among which 0. */
export const sparseMatrix = (largest: { rows: number; cols: number }): fc.Arbitrary<CsrMatrix> =>
  fc
    .record({
      rows: fc.integer({ min: 1, max: largest.rows }),
      cols: fc.integer({ min: 1, max: largest.cols }),
    })
    .chain(({ rows, cols }) =>
      fc
        .array(
          fc.record({
            row: fc.integer({ min: 0, max: rows - 1 }),
            col: fc.integer({ min: 0, max: cols - 1 }),
            value: fc.oneof(
              fc.constant(0),
              fc.constant(1),
              fc.integer({ min: 1, max: 40 }).map((w) => w / 8),
            ),
          }),
          { maxLength: Math.min(600, rows * cols) },
        )
        .map((entries) =>
          csrFromTriplets(rows, cols, {
            row: entries.map(({ row }) => row),
            col: entries.map(({ col }) => col),
            value: entries.map(({ value }) => value),
          }),
        ),
    );

/** From 1 to 256, mostly where the padding to 8 and the kernels' tiles have their edges. */
export const factorSizes = fc.oneof(
  fc.constantFrom(1, 4, 7, 8, 12, 16, 20, 64, 72, 100, 128, 256),
  fc.integer({ min: 1, max: 96 }),
);
