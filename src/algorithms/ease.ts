/**
 * EASEᴿ (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, arXiv 1905.03375): the item–item weights B
 * with zero diagonal that minimise |X − XB|² + λ|B|². With P = (XᵀX + λI)⁻¹ it is, exactly (eq. 8),
 *
 *   B_ij = −P_ij / P_jj  for i ≠ j,  B_jj = 0
 */
import { z } from 'zod';
import type { CsrMatrix } from './csr.ts';
import type { Kernels, SharedSymmetric } from './kernels/kernels.ts';

export const EaseOptions = z.strictObject({
  /** λ: L2 weight, in customers; the more, the more a pair must have been seen together to count. */
  regularization: z.number().positive().default(500),
});
export type EaseOptions = z.output<typeof EaseOptions>;

/** Its matrix takes 4 · items² bytes of shared memory, 1.6 GB at this many, and its time grows with items³. */
export const MOST_EASE_ITEMS = 20_000;

/** What single precision may lose of P for the weights still to rank as the exact ones do. */
const largestResidual = 0.05;

export type EaseModel = {
  /** P in shared memory, which the owner of the model releases. */
  inverse: SharedSymmetric;
  /** Largest error of P(XᵀX + λI)v − v over the elements of one vector v of ±1. */
  residual: number;
};

/** Why EASE cannot be fitted to so many items, and what can; undefined where it can. */
export function easeRefusal(items: number): string | undefined {
  if (items <= MOST_EASE_ITEMS) return undefined;
  const gigabytes = ((4 * items * items) / 1e9).toFixed(1);
  return (
    `EASE inverts a matrix of items × items: ${items.toLocaleString('en')} items would take ${gigabytes} GB; ` +
    `it goes up to ${MOST_EASE_ITEMS.toLocaleString('en')}. Use ials, rp3beta or low-pass, which only grow with what was bought.`
  );
}

/**
 * Fits EASE to `userItems` (users × items; values weigh). RangeError for more items than `MOST_EASE_ITEMS`, where the
 * memory does not suffice, and where λ is too small for single precision.
 */
export async function fitEase(
  kernels: Kernels,
  userItems: CsrMatrix,
  { regularization }: EaseOptions,
  run: { onProgress?: (share: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<EaseModel> {
  const refusal = easeRefusal(userItems.cols);
  if (refusal !== undefined) throw new RangeError(refusal);
  const matrix = await kernels.itemGram(userItems, regularization, { signal: run.signal });
  try {
    const { residual } = await kernels.invertSymmetric(matrix, run);
    if (!(residual <= largestResidual))
      throw new RangeError(
        `EASE's inverse is off by ${residual}: λ = ${regularization} is too small for single precision; raise the regularization`,
      );
    return { inverse: matrix, residual };
  } catch (err) {
    kernels.release(matrix);
    throw err;
  }
}

/** Scores of all items for one who has `items` (with `weights`, else 1 each) to `out`: the row xB. */
export function scoreEase({ inverse }: EaseModel, items: Int32Array, out: Float32Array): void {
  const { stride, size, values } = inverse;
  out.fill(0);
  for (let n = 0; n < items.length; n++) {
    const row = values.subarray(items[n]! * stride, items[n]! * stride + size);
    for (let j = 0; j < size; j++) out[j]! -= row[j]!;
  }
  for (let j = 0; j < size; j++) out[j]! /= values[j * stride + j]!;
  // The item's own weight is 0, and not −P_jj / P_jj.
  for (let n = 0; n < items.length; n++) out[items[n]!]!++;
}

/** Scores of `candidates` alone. */
export function scoreEaseOf(
  { inverse }: EaseModel,
  items: Int32Array,
  candidates: Int32Array,
  out: Float32Array,
): void {
  const { stride, values } = inverse;
  for (let c = 0; c < candidates.length; c++) {
    const j = candidates[c]!;
    let sum = 0;
    // P is symmetric: the candidate's row lies together in memory.
    for (let n = 0; n < items.length; n++) if (items[n] !== j) sum += values[j * stride + items[n]!]!;
    out[c] = -sum / values[j * stride + j]!;
  }
}
