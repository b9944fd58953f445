/** The plain typed-array version of the conjugate gradient kernel, in double precision: what it is tested and measured against. */
import type { CsrMatrix } from '../../csr.ts';

export type CgProblem = {
  /** Rows are those of `free`, columns those of `fixed`; values are confidence − 1. */
  matrix: CsrMatrix;
  /** matrix.cols × size. */
  fixed: Float32Array;
  size: number;
  /** α₀·FᵀF of `fixed`, size × size, whole. */
  scaledGram: Float64Array;
  /** λ of each row. */
  regularization: ArrayLike<number>;
};

/** Solver of row r of `free` (rows × size) by `steps` steps of conjugate gradients from its present value (Takács, Pilászy and Tikk, RecSys 2011). */
export function createCgSolver(problem: CgProblem, steps: number): (free: Float32Array, row: number) => void {
  const { matrix, fixed, size, scaledGram, regularization } = problem;
  const { indptr, indices, data } = matrix;
  const x = new Float64Array(size);
  const residual = new Float64Array(size);
  const direction = new Float64Array(size);
  const image = new Float64Array(size);

  /** out = (α₀G + λ)v */
  function multiplyDense(v: Float64Array, ridge: number, out: Float64Array): void {
    for (let i = 0, p = 0; i < size; i++) {
      let sum = ridge * v[i]!;
      for (let j = 0; j < size; j++) sum += scaledGram[p++]! * v[j]!;
      out[i] = sum;
    }
  }

  /** out += Σ w (offset + y·v) y, times `sign` */
  function addEntries(row: number, v: Float64Array, offset: number, sign: number, out: Float64Array): void {
    for (let p = indptr[row]!; p < indptr[row + 1]!; p++) {
      const y = indices[p]! * size;
      let dot = offset;
      for (let f = 0; f < size; f++) dot += fixed[y + f]! * v[f]!;
      const scale = sign * data[p]! * dot;
      for (let f = 0; f < size; f++) out[f]! += scale * fixed[y + f]!;
    }
  }

  return (free, row) => {
    const at = row * size;
    if (indptr[row] === indptr[row + 1]) {
      free.fill(0, at, at + size);
      return;
    }
    const ridge = regularization[row]!;
    x.set(free.subarray(at, at + size));
    multiplyDense(x, ridge, image);
    for (let f = 0; f < size; f++) residual[f] = -image[f]!;
    // b − Ax = Σ w (1 − y·x) y − (α₀G + λ)x
    addEntries(row, x, -1, -1, residual);
    direction.set(residual);
    let square = dot(residual, residual);
    for (let step = 0; step < steps && square > 0; step++) {
      multiplyDense(direction, ridge, image);
      addEntries(row, direction, 0, 1, image);
      const length = square / dot(direction, image);
      for (let f = 0; f < size; f++) {
        x[f]! += length * direction[f]!;
        residual[f]! -= length * image[f]!;
      }
      const next = dot(residual, residual);
      for (let f = 0; f < size; f++) direction[f] = residual[f]! + (next / square) * direction[f]!;
      square = next;
    }
    free.set(x, at);
  };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) sum += a[f]! * b[f]!;
  return sum;
}
