/**
 * Implicit alternating least squares (Hu, Koren and Volinsky, ICDM 2008) in the form and with the regularisation of
 * Rendle, Krichene, Zhang and Koren 2021 ("Revisiting the Performance of iALS", arXiv 2110.14037). It minimises
 *
 *   Σ₍u,i₎∈S w_ui (1 − x_u·y_i)²  +  α₀ Σ_u,i (x_u·y_i)²  +  Σ_u λ_u |x_u|²  +  Σ_i λ_i |y_i|²
 *   λ_u = λ (Σ_i w_ui + α₀ |I|)^ν,   λ_i = λ (Σ_u w_ui + α₀ |U|)^ν
 *
 * where S are the cells of the matrix, w their values (confidence − 1) and α₀ the weight of every cell. The scores
 * x_u·y_i rank; they are no probabilities.
 */
import { z } from 'zod';
import { type CsrMatrix, transpose } from './csr.ts';
import { gramOf } from './dense.ts';
import { createRowSolver } from './ials-row.ts';
import type { Rng } from './rng.ts';

export const IalsOptions = z.strictObject({
  /** Dimension d of the factors; time grows with d² a cell and d³ a row. */
  factors: z.int().positive().multipleOf(4).max(512).default(64),
  /** Passes over both sides. */
  iterations: z.int().positive().max(200).default(6),
  /** L2 weight λ. */
  regularization: z.number().positive().default(0.003),
  /** ν: 1 regularises each row by how much was seen of it, 0 all rows alike. */
  regularizationExponent: z.number().min(0).max(1).default(1),
  /** α₀: weight of a cell in which nothing was seen, where a bought item's is about 1. */
  unobservedWeight: z.number().positive().default(0.3),
  /** Standard deviation of the first factors is this over √d (section 4.4 of Rendle et al.). */
  initialSpread: z.number().positive().default(0.1),
});
export type IalsOptions = z.output<typeof IalsOptions>;

/** The users' factors are not kept: they are solved from the items' whenever they are wanted (`createRowSolver`). */
export type IalsFactors = {
  /** items × factors. */
  itemFactors: Float32Array;
  /** Gram matrix of the item factors, lower half. */
  itemGram: Float64Array;
};

/** Told the share of the work that is done, several times an iteration; training waits for what it returns. */
export type OnShare = (share: number) => void | Promise<void>;

/** Rows that are solved between two calls of `onProgress`. */
const rowsBetweenReports = 512;

/** Learns the factors of `userItems` (users × items, values confidence − 1 > 0). The same rng gives the same factors. */
export async function fitIals(
  userItems: CsrMatrix,
  options: IalsOptions,
  rng: Rng,
  onProgress: OnShare = () => {},
): Promise<IalsFactors> {
  const { factors, iterations, initialSpread } = options;
  const itemUsers = transpose(userItems);
  const spread = initialSpread / Math.sqrt(factors);
  const userFactors = new Float32Array(userItems.rows * factors);
  const itemFactors = Float32Array.from({ length: userItems.cols * factors }, () => spread * rng.normal());

  const halves = 2 * iterations;
  for (let half = 0; half < halves; half++) {
    const report = (share: number) => onProgress((half + share) / halves);
    if (half % 2 === 0) await solveSide(userItems, itemFactors, userFactors, options, report);
    else await solveSide(itemUsers, userFactors, itemFactors, options, report);
  }
  return { itemFactors, itemGram: gramOf(itemFactors, factors) };
}

async function solveSide(
  matrix: CsrMatrix,
  fixed: Float32Array,
  free: Float32Array,
  options: IalsOptions,
  report: OnShare,
): Promise<void> {
  const size = options.factors;
  const solve = createRowSolver({ factors: fixed, size, gram: gramOf(fixed, size) }, options);
  const { rows, indptr, indices, data } = matrix;
  for (let first = 0; first < rows; first += rowsBetweenReports) {
    const end = Math.min(rows, first + rowsBetweenReports);
    for (let row = first; row < end; row++)
      solve(indices, data, indptr[row]!, indptr[row + 1]!, free, row * size);
    await report(end / rows);
  }
}
