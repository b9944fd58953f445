/** One row of alternating least squares: shared by training and by the fold-in of a customer at serving. */
import { addGram, solveCholesky } from './dense.ts';

/** The side that is held fixed while rows of the other side are solved. */
export type FixedSide = {
  /** count × size, size a multiple of 4. */
  factors: Float32Array;
  size: number;
  /** FᵀF of `factors`, lower half. */
  gram: Float64Array;
};

/** The terms of the objective that a row needs; see `IalsOptions`. */
export type RowObjective = {
  unobservedWeight: number;
  regularization: number;
  regularizationExponent: number;
};

/** Writes the row that minimises the objective for these entries (`indices` into the fixed side, `weights` = confidence − 1) to `out[at …]`. */
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
  const { unobservedWeight, regularization, regularizationExponent } = objective;
  const fixedCount = factors.length / size;
  const scaledGram = gram.map((value) => value * unobservedWeight);
  const system = new Float64Array(size * size);
  const right = new Float64Array(size);
  // Entries are taken in blocks that stay in the cache, however long the row is.
  const blockRows = 64;
  const block = new Float64Array(blockRows * size);

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
        const target = b * size;
        for (let f = 0; f < size; f++) {
          const value = root * factors[source + f]!;
          block[target + f] = value;
          right[f]! += root * value;
        }
      }
      addGram(block, count, size, system);
    }
    const ridge = regularization * (weightSum + unobservedWeight * fixedCount) ** regularizationExponent;
    for (let f = 0; f < size; f++) system[f * size + f]! += ridge;
    solveCholesky(system, right, size);
    out.set(right, at);
  };
}
