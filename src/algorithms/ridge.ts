/** Ridge regression of many columns at once on sparse rows. */
import type { CsrMatrix } from './csr.ts';

export type RidgeProblem = {
  /** rows × inputs. */
  x: CsrMatrix;
  /** rows × columns. */
  target: Float64Array;
  /** By row. */
  weight: Float64Array;
  columns: number;
  /** λ > 0. */
  ridge: number;
  /** inputs × columns, to begin from; zeros where there is none. */
  start?: Float64Array | undefined;
  /** Length of the residual beside that of zeros, at which a column is solved; 1e-4 unless said otherwise. */
  tolerance?: number;
};

const iterationsMax = 60;

/**
 * B (inputs × columns) that minimises Σᵣ wᵣ · ‖yᵣ − Bᵀxᵣ‖² + λ · ‖B‖²: the normal equations (XᵀWX + λI) B = XᵀWY by
 * conjugate gradients (Hestenes and Stiefel 1952) with the diagonal as preconditioner. Each column has steps of its own;
 * all share each pass over X.
 */
export function solveRidge(problem: RidgeProblem): { weights: Float64Array; iterations: number } {
  const { x, columns, ridge, start, tolerance = 1e-4 } = problem;
  const size = x.cols * columns;
  const b = start?.slice() ?? new Float64Array(size);
  const diagonal = diagonalOf(problem);
  const residual = rightSide(problem);
  const bound = columnDots(residual, residual, columns).map((square) => tolerance ** 2 * square);
  const product = new Float64Array(size);
  if (start !== undefined) {
    multiply(problem, b, product);
    for (let k = 0; k < size; k++) residual[k]! -= product[k]!;
  }
  const scaled = new Float64Array(size);
  const precondition = () => {
    for (let i = 0, k = 0; i < x.cols; i++)
      for (let c = 0; c < columns; c++, k++) scaled[k] = residual[k]! / (diagonal[i]! + ridge);
  };
  precondition();
  const direction = scaled.slice();
  let inner = columnDots(residual, scaled, columns);
  let iterations = 0;
  for (; iterations < iterationsMax; iterations++) {
    const squares = columnDots(residual, residual, columns);
    if (squares.every((square, c) => square <= bound[c]!)) break;
    multiply(problem, direction, product);
    const curvature = columnDots(direction, product, columns);
    // A column that is solved has a direction of zeros.
    const step = inner.map((value, c) => (curvature[c]! > 0 ? value / curvature[c]! : 0));
    for (let k = 0; k < size; ) {
      for (let c = 0; c < columns; c++, k++) {
        b[k]! += step[c]! * direction[k]!;
        residual[k]! -= step[c]! * product[k]!;
      }
    }
    precondition();
    const next = columnDots(residual, scaled, columns);
    const turn = next.map((value, c) => (inner[c]! > 0 ? value / inner[c]! : 0));
    for (let k = 0; k < size; )
      for (let c = 0; c < columns; c++, k++) direction[k] = scaled[k]! + turn[c]! * direction[k]!;
    inner = next;
  }
  return { weights: b, iterations };
}

/** out = (XᵀWX + λI) v, row by row of X: nothing of rows × columns is kept. */
function multiply({ x, weight, columns, ridge }: RidgeProblem, v: Float64Array, out: Float64Array): void {
  const { indptr, indices, data, rows } = x;
  for (let k = 0; k < out.length; k++) out[k] = ridge * v[k]!;
  const row = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    row.fill(0);
    for (let p = indptr[r]!; p < indptr[r + 1]!; p++) {
      const from = indices[p]! * columns;
      const value = data[p]!;
      for (let c = 0; c < columns; c++) row[c]! += value * v[from + c]!;
    }
    for (let p = indptr[r]!; p < indptr[r + 1]!; p++) {
      const to = indices[p]! * columns;
      const value = weight[r]! * data[p]!;
      for (let c = 0; c < columns; c++) out[to + c]! += value * row[c]!;
    }
  }
}

function rightSide({ x, target, weight, columns }: RidgeProblem): Float64Array {
  const { indptr, indices, data, rows, cols } = x;
  const out = new Float64Array(cols * columns);
  for (let r = 0; r < rows; r++) {
    for (let p = indptr[r]!; p < indptr[r + 1]!; p++) {
      const to = indices[p]! * columns;
      const value = weight[r]! * data[p]!;
      for (let c = 0; c < columns; c++) out[to + c]! += value * target[r * columns + c]!;
    }
  }
  return out;
}

function diagonalOf({ x, weight }: RidgeProblem): Float64Array {
  const diagonal = new Float64Array(x.cols);
  for (let r = 0; r < x.rows; r++)
    for (let p = x.indptr[r]!; p < x.indptr[r + 1]!; p++)
      diagonal[x.indices[p]!]! += weight[r]! * x.data[p]! ** 2;
  return diagonal;
}

/** Dot products of the columns of two matrices. */
function columnDots(a: Float64Array, b: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let k = 0; k < a.length; ) for (let c = 0; c < columns; c++, k++) sums[c]! += a[k]! * b[k]!;
  return sums;
}
