/**
 * Ideal low-pass filter on the graph of customers and items (Shen et al., "How powerful is graph convolution for
 * recommendation?", CIKM 2021, GF-CF, eq. 12): a customer's row x is projected on the d smoothest directions of the items,
 *
 *   x D^−b V Vᵀ D^b,    V: the first d right singular vectors of  R̃_ui = R_ui n_u^−a n_i^−b
 *
 * where n are the numbers of pairs of a customer and of an item, D those of the items on its diagonal. With a = b = ½ it is
 * GF-CF's, with a = b = 0 PureSVD (Cremonesi et al. 2010).
 */
import { z } from 'zod';
import { type CsrMatrix, transpose } from './csr.ts';
import type { Kernels, SharedFactors } from './kernels/kernels.ts';
import type { Rng } from './rng.ts';

export const LowPassOptions = z.strictObject({
  /** d: directions that pass. */
  factors: z.int().min(2).max(256).multipleOf(2).default(256),
  /** a: how much the customers of many items are held back. */
  userExponent: z.number().min(0).max(1).default(0.5),
  /** b: how much bestsellers are held back while the directions are found. */
  itemExponent: z.number().min(0).max(1).default(0.5),
  /** Power iterations. */
  iterations: z.int().min(1).max(50).default(5),
});
export type LowPassOptions = z.output<typeof LowPassOptions>;

/** items × factors each: a customer's vector is the sum of the `inward` rows of their items, a score its dot product with `outward`. */
export type LowPassFactors = { inward: Float32Array; outward: Float32Array };

/**
 * One step of conjugate gradients from zero towards the solution of (A + λI)x = b is b/λ where λ is far above |A|: the
 * kernels' half step, with such a λ, is a product of a sparse and a dense matrix on all threads.
 */
const overwhelming = 1e8;

/** Finds V by block power iteration on R̃ᵀR̃. `userItems` is users × items, its values R ≥ 0. */
export async function fitLowPass(
  kernels: Kernels,
  userItems: CsrMatrix,
  options: LowPassOptions,
  run: { rng: Rng; onProgress?: (share: number) => void; signal?: AbortSignal | undefined },
): Promise<LowPassFactors> {
  const { iterations, itemExponent } = options;
  const { rng, onProgress = () => {}, signal } = run;
  const items = userItems.cols;
  const size = Math.min(options.factors, 2 * Math.ceil(items / 2));
  const shared: Parameters<Kernels['release']>[0][] = [];
  const keep = <T extends SharedFactors | CsrMatrix>(what: T): T => {
    shared.push(what);
    return what;
  };
  try {
    const directions = keep(kernels.factors(items, size));
    const images = keep(kernels.factors(userItems.rows, size));
    const scaled = normalised(userItems, options);
    const byUser = keep(kernels.shareMatrix(scaled));
    const byItem = keep(kernels.shareMatrix(transpose(scaled)));
    const multiply = async (matrix: CsrMatrix, fixed: SharedFactors, free: SharedFactors) => {
      free.values.fill(0);
      const regularization = new Float32Array(matrix.rows).fill(overwhelming);
      const method = { kind: 'cg', steps: 1 } as const;
      await kernels.ialsHalfStep({
        matrix,
        fixed,
        free,
        regularization,
        unobservedWeight: 0,
        method,
        signal,
      });
      for (let p = 0; p < free.values.length; p++) free.values[p]! *= overwhelming;
    };
    fillRows(directions, () => rng.normal());
    await orthonormalise(kernels, directions);
    for (let n = 1; n <= iterations; n++) {
      await multiply(byUser, directions, images);
      await multiply(byItem, images, directions);
      await orthonormalise(kernels, directions);
      onProgress(n / iterations);
    }
    const v = kernels.readFactors(directions);
    const counts = columnCounts(userItems);
    return {
      inward: scaledRows(v, size, counts, -itemExponent),
      outward: scaledRows(v, size, counts, itemExponent),
    };
  } finally {
    for (const what of shared) kernels.release(what);
  }
}

function fillRows({ rows, size, stride, values }: SharedFactors, draw: () => number): void {
  for (let r = 0; r < rows; r++) for (let f = 0; f < size; f++) values[r * stride + f] = draw();
}

function normalised(userItems: CsrMatrix, { userExponent, itemExponent }: LowPassOptions): CsrMatrix {
  const { rows, indptr, indices, data } = userItems;
  const itemScale = columnCounts(userItems).map((n) => (n > 0 ? n ** -itemExponent : 0));
  const values = new Float32Array(data.length);
  for (let u = 0; u < rows; u++) {
    const userScale = (indptr[u + 1]! - indptr[u]!) ** -userExponent;
    for (let p = indptr[u]!; p < indptr[u + 1]!; p++)
      values[p] = data[p]! * userScale * itemScale[indices[p]!]!;
  }
  return { ...userItems, data: values };
}

/** Y becomes Y L⁻ᵀ with YᵀY = LLᵀ (Cholesky QR): the same span, orthonormal columns; zeros where it is of fewer dimensions. */
async function orthonormalise(kernels: Kernels, factors: SharedFactors): Promise<void> {
  const { rows, size, stride, values } = factors;
  const lower = Float64Array.from(await kernels.gram(factors));
  factorise(lower, size);
  const row = new Float64Array(size);
  for (let r = 0; r < rows; r++) {
    const at = r * stride;
    for (let i = 0; i < size; i++) {
      const li = i * size;
      let sum = values[at + i]!;
      for (let k = 0; k < i; k++) sum -= lower[li + k]! * row[k]!;
      row[i] = sum / lower[li + i]!;
    }
    for (let i = 0; i < size; i++) values[at + i] = row[i]!;
  }
}

/** What single precision leaves of a column that is a sum of those before it, over its square. */
const dependent = 1e-5;

/** A = LLᵀ in place, lower half. A row that depends on those before gets an infinite diagonal: what is divided by it vanishes. */
function factorise(a: Float64Array, size: number): void {
  for (let j = 0; j < size; j++) {
    const rj = j * size;
    const own = a[rj + j]!;
    let rest = own;
    for (let k = 0; k < j; k++) rest -= a[rj + k]! * a[rj + k]!;
    const isDependent = !(rest > dependent * own);
    a[rj + j] = isDependent ? Number.POSITIVE_INFINITY : Math.sqrt(rest);
    for (let i = j + 1; i < size; i++) {
      const ri = i * size;
      let sum = a[ri + j]!;
      for (let k = 0; k < j; k++) sum -= a[ri + k]! * a[rj + k]!;
      a[ri + j] = isDependent ? 0 : sum / a[rj + j]!;
    }
  }
}

function scaledRows(v: Float32Array, size: number, counts: Float64Array, exponent: number): Float32Array {
  const out = new Float32Array(v.length);
  for (let i = 0; i < counts.length; i++) {
    const scale = counts[i]! > 0 ? counts[i]! ** exponent : 0;
    for (let f = i * size; f < (i + 1) * size; f++) out[f] = scale * v[f]!;
  }
  return out;
}

function columnCounts({ cols, indices }: CsrMatrix): Float64Array {
  const counts = new Float64Array(cols);
  for (const i of indices) counts[i]!++;
  return counts;
}
