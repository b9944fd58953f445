/** iALS in plain typed arrays and double precision, one row after the other: what training on the kernels is held to. */
import { type CsrMatrix, transpose } from '../../src/algorithms/csr.ts';
import { gramOf } from '../../src/algorithms/dense.ts';
import type { IalsOptions } from '../../src/algorithms/ials.ts';
import { createRowSolver, rowRegularization } from '../../src/algorithms/ials-row.ts';
import { createCgSolver } from '../../src/algorithms/kernels/oracle/ials-cg.ts';
import type { Rng } from '../../src/algorithms/rng.ts';

export function fitIalsPlainly(userItems: CsrMatrix, options: IalsOptions, rng: Rng) {
  const { factors, iterations, initialSpread } = options;
  const itemUsers = transpose(userItems);
  const spread = initialSpread / Math.sqrt(factors);
  const users = new Float32Array(userItems.rows * factors);
  const items = Float32Array.from({ length: userItems.cols * factors }, () => spread * rng.normal());
  for (let iteration = 0; iteration < iterations; iteration++) {
    solveSide(userItems, items, users, options);
    solveSide(itemUsers, users, items, options);
  }
  return { userFactors: users, itemFactors: items };
}

function solveSide(matrix: CsrMatrix, fixed: Float32Array, free: Float32Array, options: IalsOptions): void {
  const { rows, cols, indptr, indices, data } = matrix;
  const size = options.factors;
  const gram = gramOf(fixed, size);
  if (options.method === 'cholesky') {
    const solve = createRowSolver({ factors: fixed, size, gram }, options);
    for (let r = 0; r < rows; r++) solve(indices, data, indptr[r]!, indptr[r + 1]!, free, r * size);
    return;
  }
  const scaledGram = Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return options.unobservedWeight * gram[Math.max(i, j) * size + Math.min(i, j)]!;
  });
  const regularization = Float64Array.from({ length: rows }, (_, r) => {
    const weights = data.subarray(indptr[r], indptr[r + 1]);
    return rowRegularization(
      options,
      weights.reduce((sum, weight) => sum + weight, 0),
      cols,
    );
  });
  const solve = createCgSolver({ matrix, fixed, size, scaledGram, regularization }, options.cgSteps);
  for (let r = 0; r < rows; r++) solve(free, r);
}

/** What iALS minimises (see ials.ts), cell by cell. */
export function objectiveOf(
  userItems: CsrMatrix,
  options: IalsOptions,
  { userFactors, itemFactors }: { userFactors: Float32Array; itemFactors: Float32Array },
): number {
  const size = options.factors;
  const rowOf = (factors: Float32Array, r: number) => factors.subarray(r * size, (r + 1) * size);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, f) => sum + value * b[f]!, 0);
  let sum = 0;
  for (let u = 0; u < userItems.rows; u++)
    for (let i = 0; i < userItems.cols; i++)
      sum += options.unobservedWeight * dot(rowOf(userFactors, u), rowOf(itemFactors, i)) ** 2;
  for (const [matrix, own, other] of [
    [userItems, userFactors, itemFactors],
    [transpose(userItems), itemFactors, userFactors],
  ] as const) {
    for (let r = 0; r < matrix.rows; r++) {
      let weightSum = 0;
      for (let p = matrix.indptr[r]!; p < matrix.indptr[r + 1]!; p++) {
        weightSum += matrix.data[p]!;
        if (own !== userFactors) continue;
        sum += matrix.data[p]! * (1 - dot(rowOf(own, r), rowOf(other, matrix.indices[p]!))) ** 2;
      }
      sum += rowRegularization(options, weightSum, matrix.cols) * dot(rowOf(own, r), rowOf(own, r));
    }
  }
  return sum;
}
