/** One row of alternating least squares: shared by training and by the fold-in of a customer at serving. */
import { addGram, paddedSize, solveCholesky } from './dense.ts';

/** The side that is held fixed while rows of the other side are solved. */
export type FixedSide = {
  /** count × size. */
  factors: Float32Array;
  size: number;
  /** FᵀF of the side, size × size, lower half. */
  gram: Float64Array;
  /** Rows of the side that `gram` sums over, where `factors` holds only some of them. */
  rows?: number;
};

/** The terms of the objective that a row needs; see `IalsOptions`. */
export type RowObjective = {
  unobservedWeight: number;
  regularization: number;
  regularizationExponent: number;
};

/** λ′ = λ·(Σw + α₀·|F|)^ν of one row: Rendle et al. 2021, eq. 14. */
export function rowRegularization(objective: RowObjective, weightSum: number, fixedRows: number): number {
  const { regularization, regularizationExponent, unobservedWeight } = objective;
  return regularization * (weightSum + unobservedWeight * fixedRows) ** regularizationExponent;
}

/**
 * Writes the row that minimises the objective for these entries (`indices` into the fixed side, `weights` = confidence − 1) to
 * `out[at …]`.
 */
export type RowSolver = (
  indices: Int32Array,
  weights: Float32Array,
  from: number,
  to: number,
  out: Float32Array,
  at: number,
) => void;

/**
 * Solver of (α₀·FᵀF + Σ w·f·fᵀ + λ′·I) x = Σ w·f, the minimum of Rendle et al. 2021 (arXiv 2110.14037) eq. 4 for one
 * row, with their frequency-scaled λ′ = λ·(Σ w + α₀·|F|)^ν (eq. 14). α₀ is the unobserved weight. A row without
 * entries is zero.
 */
export function createRowSolver(fixed: FixedSide, objective: RowObjective): RowSolver {
  const { factors, size, gram } = fixed;
  const fixedRows = fixed.rows ?? factors.length / size;
  const stride = paddedSize(size);
  const scaledGram = new Float64Array(stride * stride);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++)
      scaledGram[i * stride + j] = objective.unobservedWeight * gram[i * size + j]!;
  // The padding solves to zero.
  for (let i = size; i < stride; i++) scaledGram[i * stride + i] = 1;
  const system = new Float64Array(stride * stride);
  const right = new Float64Array(stride);
  // Entries are taken in blocks that stay in the cache, however long the row is.
  const blockRows = 64;
  const block = new Float64Array(blockRows * stride);

  return (indices, weights, from, to, out, at) => {
    if (to <= from) {
      out.fill(0, at, at + size);
      return;
    }
    system.set(scaledGram);
    right.fill(0);
    let weightSum = 0;
    for (let first = from; first < to; first += blockRows) {
      const count = Math.min(blockRows, to - first);
      for (let b = 0; b < count; b++) {
        const weight = weights[first + b]!;
        weightSum += weight;
        const root = Math.sqrt(weight);
        const source = indices[first + b]! * size;
        const target = b * stride;
        for (let f = 0; f < size; f++) {
          const value = root * factors[source + f]!;
          block[target + f] = value;
          right[f]! += root * value;
        }
      }
      addGram(block, count, stride, system);
    }
    const ridge = rowRegularization(objective, weightSum, fixedRows);
    for (let f = 0; f < size; f++) system[f * stride + f]! += ridge;
    solveCholesky(system, right, stride);
    out.set(right.subarray(0, size), at);
  };
}
