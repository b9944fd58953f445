import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CsrMatrix, csrFromTriplets } from '../../../src/algorithms/csr.ts';
import { solveCholesky } from '../../../src/algorithms/dense.ts';
import type { Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { createCgSolver } from '../../../src/algorithms/kernels/oracle/ials-cg.ts';
import { EPS, factorSizes, normals, openKernels, sparseMatrix, VARIANTS } from './support.ts';

const UNOBSERVED = 0.25;

type Problem = { matrix: CsrMatrix; size: number; seed: number };
const problems = fc.record({
  matrix: sparseMatrix({ rows: 40, cols: 400 }),
  size: factorSizes,
  seed: fc.integer({ min: 0, max: 1000 }),
});

/** FᵀF times a weight, in double precision. */
function gramOracle(factors: Float32Array, size: number, weight = 1): Float64Array {
  const out = new Float64Array(size * size);
  for (let r = 0; r < factors.length; r += size)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) out[i * size + j]! += weight * factors[r + i]! * factors[r + j]!;
  return out;
}

/** λ that differs from row to row, so that a row with another's would show. */
const ridgesOf = (rows: number) => Float32Array.from({ length: rows }, (_, r) => 0.5 + (r % 7) / 4);

function inputsOf({ matrix, size, seed }: Problem) {
  const fixed = normals(matrix.cols * size, 0.5, seed, 'fixed');
  const free = normals(matrix.rows * size, 0.5, seed, 'free');
  return { fixed, free, regularization: ridgesOf(matrix.rows) };
}

/** System and right-hand side of a row. */
function systemOf({ matrix, size, seed }: Problem, row: number): { a: Float64Array; b: Float64Array } {
  const { fixed, regularization } = inputsOf({ matrix, size, seed });
  const a = gramOracle(fixed, size, UNOBSERVED);
  const b = new Float64Array(size);
  for (let p = matrix.indptr[row]!; p < matrix.indptr[row + 1]!; p++) {
    const y = matrix.indices[p]! * size;
    for (let i = 0; i < size; i++) {
      b[i]! += matrix.data[p]! * fixed[y + i]!;
      for (let j = 0; j < size; j++) a[i * size + j]! += matrix.data[p]! * fixed[y + i]! * fixed[y + j]!;
    }
  }
  for (let i = 0; i < size; i++) a[i * size + i]! += regularization[row]!;
  return { a, b };
}

async function solve(
  kernels: Kernels,
  problem: Problem,
  method: { kind: 'cholesky' } | { kind: 'cg'; steps: number },
): Promise<Float32Array> {
  const { matrix, size } = problem;
  const inputs = inputsOf(problem);
  const shared = kernels.shareMatrix(matrix);
  const fixed = kernels.factors(matrix.cols, size, inputs.fixed);
  const free = kernels.factors(matrix.rows, size, inputs.free);
  try {
    await kernels.ialsHalfStep({
      matrix: shared,
      fixed,
      free,
      regularization: inputs.regularization,
      unobservedWeight: UNOBSERVED,
      method,
    });
    return kernels.readFactors(free);
  } finally {
    for (const what of [shared, fixed, free]) kernels.release(what);
  }
}

const norm = (v: ArrayLike<number>) =>
  Math.sqrt(Array.from(v).reduce((sum, value) => sum + value * value, 0));

describe.each(VARIANTS)('%s, %i threads', (build, threads) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels(build, threads);
  });
  afterAll(() => kernels.close());

  test('gram is FᵀF, whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), factorSizes, async (rows, size) => {
        const values = normals(rows * size, 1, rows, size);
        const factors = kernels.factors(rows, size, values);
        const computed = await kernels.gram(factors);
        kernels.release(factors);
        const exact = gramOracle(values, size);
        // Σ |f_i f_j| ≤ √(G_ii G_jj); at most 256 + 64 roundings in a row lie between a product and its sum.
        let worst = 0;
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const bound = EPS * Math.sqrt(exact[i * size + i]! * exact[j * size + j]!);
            worst = Math.max(worst, Math.abs(computed[i * size + j]! - exact[i * size + j]!) / bound);
          }
        expect(worst).toBeLessThanOrEqual(320);
      }),
      { numRuns: 25 },
    );
  });

  test('cholesky solves every row, and leaves rows without entries zero', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const { matrix, size } = problem;
        const solved = await solve(kernels, problem, { kind: 'cholesky' });
        for (let row = 0; row < matrix.rows; row += 1 + (row >> 2)) {
          const x = solved.subarray(row * size, (row + 1) * size);
          if (matrix.indptr[row] === matrix.indptr[row + 1]) {
            expect(norm(x)).toBe(0);
            continue;
          }
          const { a, b } = systemOf(problem, row);
          // Backward stable: the computed x solves a system within c·EPS·|A| of this one, so that its residual is
          // at most c·EPS·|A||x| (Higham, Accuracy and Stability, th. 10.4: c ~ 3d + 1; plus the sums of A and b).
          const residual = b.map(
            (right, i) =>
              right - a.subarray(i * size, (i + 1) * size).reduce((sum, v, j) => sum + v * x[j]!, 0),
          );
          const bound = (3 * size + 400) * EPS * (norm(a) * norm(x) + norm(b));
          expect(norm(residual)).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('conjugate gradients take the steps that the typed-array version takes', async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.integer({ min: 1, max: 3 }), async (problem, steps) => {
        const { matrix, size } = problem;
        const { fixed, free, regularization } = inputsOf(problem);
        const scaledGram = gramOracle(fixed, size, UNOBSERVED);
        const step = createCgSolver({ matrix, fixed, size, scaledGram, regularization }, steps);
        const solved = await solve(kernels, problem, { kind: 'cg', steps });
        for (let row = 0; row < matrix.rows; row++) {
          const start = norm(free.subarray(row * size, (row + 1) * size));
          step(free, row);
          const exact = free.subarray(row * size, (row + 1) * size);
          const off = norm(exact.map((value, i) => value - solved[row * size + i]!));
          // Each step multiplies what rounding did to the residual by at most the system's condition, which λ ≥ 0.5
          // and factors of spread 0.5 keep below ~1e4 here: 1e4 · EPS · a few sums ≈ 2e-3, of the longest
          // that the row was on its way: it may start long and end at zero.
          expect(off).toBeLessThanOrEqual(2e-3 * (start + norm(exact)));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('enough steps of conjugate gradients reach the exact solution', async () => {
    const matrix = csrFromTriplets(9, 30, {
      row: Array.from({ length: 90 }, (_, p) => p % 9),
      col: Array.from({ length: 90 }, (_, p) => (p * 7) % 30),
      value: Array.from({ length: 90 }, (_, p) => 1 + (p % 3)),
    });
    const problem = { matrix, size: 16, seed: 5 };
    const exact = await solve(kernels, problem, { kind: 'cholesky' });
    // 16 unknowns: in exact arithmetic 16 steps end at the solution; rounding costs a few more.
    const reached = await solve(kernels, problem, { kind: 'cg', steps: 32 });
    expect(norm(reached.map((value, i) => value - exact[i]!))).toBeLessThan(1e-4 * norm(exact));
  });

  test('a row whose weights are all 0 becomes zero', async () => {
    const matrix = csrFromTriplets(1, 3, { row: [0, 0], col: [0, 2], value: [0, 0] });
    expect(norm(await solve(kernels, { matrix, size: 8, seed: 1 }, { kind: 'cholesky' }))).toBe(0);
  });

  test('a row longer than the kernel gathers at a time is solved whole', async () => {
    const cols = 700;
    const all = Array.from({ length: cols }, (_, i) => i);
    const matrix = csrFromTriplets(1, cols, {
      row: all.map(() => 0),
      col: all,
      value: all.map((i) => (i % 5) / 2),
    });
    const problem = { matrix, size: 8, seed: 3 };
    const x = await solve(kernels, problem, { kind: 'cholesky' });
    const { a, b } = systemOf(problem, 0);
    solveCholesky(a, b, 8);
    // Condition below 1e3 and sums of 700: 1e3 · 700 · EPS would be the worst case, √700 of it is usual.
    expect(norm(b.map((value, i) => value - x[i]!))).toBeLessThan(1e-3 * norm(b));
  });

  test('a system that is not positive definite is an error that names its row', async () => {
    const matrix = csrFromTriplets(2, 1, { row: [1], col: [0], value: [1] });
    const [shared, fixed, free] = [kernels.shareMatrix(matrix), kernels.factors(1, 8), kernels.factors(2, 8)];
    const step = kernels.ialsHalfStep({
      matrix: shared,
      fixed,
      free,
      regularization: new Float32Array(2),
      unobservedWeight: 1,
      method: { kind: 'cholesky' },
    });
    await expect(step).rejects.toThrow(/row 1 is not positive definite/);
  });

  test('shapes that do not fit are an error', async () => {
    const matrix = kernels.shareMatrix(csrFromTriplets(2, 3, { row: [], col: [], value: [] }));
    const step = (rows: number, cols: number, reg: number) =>
      kernels.ialsHalfStep({
        matrix,
        fixed: kernels.factors(cols, 8),
        free: kernels.factors(rows, 8),
        regularization: new Float32Array(reg),
        unobservedWeight: 1,
        method: { kind: 'cholesky' },
      });
    await expect(step(3, 3, 3)).rejects.toThrow(RangeError);
    await expect(step(2, 2, 2)).rejects.toThrow(RangeError);
    await expect(step(2, 3, 3)).rejects.toThrow(RangeError);
  });

  test('an aborted step rejects with the reason, and the next one works', async () => {
    const matrix = csrFromTriplets(1, 1, { row: [0], col: [0], value: [1] });
    const shared = kernels.shareMatrix(matrix);
    const step = {
      matrix: shared,
      fixed: kernels.factors(1, 8, new Float32Array(8).fill(1)),
      free: kernels.factors(1, 8),
      regularization: Float32Array.of(1),
      unobservedWeight: 0,
      method: { kind: 'cholesky' },
    } as const;
    await expect(
      kernels.ialsHalfStep({ ...step, signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
    await kernels.ialsHalfStep(step);
    // (1·1ᵀ + I) x = 1 for eight ones: every x = 1 / (8 + 1).
    for (const x of kernels.readFactors(step.free)) expect(x).toBeCloseTo(1 / (8 + 1), 6);
  });
});

test('the number of threads does not change a bit of the result', async () => {
  const one = await openKernels('simd', 1);
  const three = await openKernels('simd', 3);
  const rows = Array.from({ length: 4000 }, (_, p) => p % 500);
  const matrix = csrFromTriplets(500, 900, {
    row: rows,
    col: rows.map((r, p) => (r * 31 + p * 17) % 900),
    value: rows.map((r) => 1 + (r % 3)),
  });
  const problem = { matrix, size: 24, seed: 9 };
  for (const method of [{ kind: 'cholesky' }, { kind: 'cg', steps: 3 }] as const)
    expect(await solve(three, problem, method)).toEqual(await solve(one, problem, method));
  await Promise.all([one.close(), three.close()]);
});
