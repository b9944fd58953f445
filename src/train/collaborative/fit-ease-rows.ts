/** EASE as a model's files hold it: of each item only the weights that matter. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { fitEase } from '../../algorithms/ease.ts';
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { PurchasePairs } from '../../algorithms/purchase-pairs.ts';
import { topK } from '../../algorithms/top-k.ts';

export type EaseRowsOptions = {
  itemsMax: number;
  /** λ: L2 weight, in customers. */
  regularization: number;
  /** Weights that are kept of each item. */
  k: number;
};

/**
 * B of EASE, items × items: row i has what having bought item i says for others, the k weights of the largest size.
 * undefined for catalogues too large for EASE, and where single precision or memory do not suffice.
 */
export async function fitEaseRows(
  kernels: Kernels,
  pairs: PurchasePairs,
  { itemsMax, regularization, k }: EaseRowsOptions,
): Promise<CsrMatrix | undefined> {
  const { items, customers, indptr, item } = pairs;
  if (items === 0 || items > itemsMax) return undefined;
  const bought = {
    rows: customers,
    cols: items,
    indptr,
    indices: item,
    data: new Float32Array(item.length).fill(1),
  };
  let inverse: Awaited<ReturnType<typeof fitEase>>['inverse'];
  try {
    ({ inverse } = await fitEase(kernels, bought, { regularization }));
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
  const { values, stride } = inverse;
  const kept = Math.min(k, items - 1);
  const rows: CsrMatrix = {
    rows: items,
    cols: items,
    indptr: Int32Array.from({ length: items + 1 }, (_, i) => i * kept),
    indices: new Int32Array(items * kept),
    data: new Float32Array(items * kept),
  };
  const sizes = new Float32Array(items);
  for (let i = 0; i < items; i++) {
    // B_ij = −P_ij / P_jj
    for (let j = 0; j < items; j++) sizes[j] = Math.abs(values[i * stride + j]! / values[j * stride + j]!);
    sizes[i] = Number.NEGATIVE_INFINITY;
    const largest = topK(sizes, kept).indices.sort();
    rows.indices.set(largest, i * kept);
    for (let n = 0; n < kept; n++) {
      const j = largest[n]!;
      rows.data[i * kept + n] = -values[i * stride + j]! / values[j * stride + j]!;
    }
  }
  kernels.release(inverse);
  return rows;
}

/** For the manifest: whether a model has EASE, and why not. */
export function easeNote(
  ease: CsrMatrix | undefined,
  items: number,
  { itemsMax, regularization }: EaseRowsOptions,
): string {
  if (ease !== undefined) return 'fitted';
  if (items > itemsMax)
    return `left out: ${items} items, and its time grows with items³; it goes up to ${itemsMax}`;
  return `left out: single precision or memory did not suffice for ${items} items with λ = ${regularization}`;
}
