/** Host side of the item–item products: how often items were bought by the same customers. */
import { type CsrMatrix, transpose } from '../csr.ts';
import { releaseMatrix, type SharedSymmetric, shareMatrix, shareSymmetric } from './matrices.ts';
import { borrowing } from './shared-memory.ts';
import { type KernelContext, type RunOptions, runRows } from './threads.ts';

/** Entries of the result that are held at a time, unless a single row needs more: 32 MiB with their columns. */
const BATCH_ENTRIES = 2 ** 22;

export type ItemProductsOptions = RunOptions & {
  /** Products below this (> 0) are left out; for counts, how often two items must have met. */
  minimum: number;
};

/** Told each item's row, in order: the other items, ascending, and the products. The arrays are good only during the call. */
export type OnItemRow = (item: number, others: Int32Array, products: Float32Array) => void;

/**
 * XᵀX of a matrix X of customers × items without its diagonal, row by row: Σᵤ xᵤᵢ xᵤⱼ, which for values of 1 is the
 * number of customers of both (exact up to 2²⁴). Memory is bounded whatever the size of the result.
 * A row's work is the square of its length: leave out customers with thousands of items.
 */
export async function itemProducts(
  context: KernelContext,
  userItems: CsrMatrix,
  options: ItemProductsOptions,
  onRow: OnItemRow,
): Promise<void> {
  const { memory, local } = context;
  const { minimum, onProgress, signal } = options;
  if (!(minimum > 0)) throw new RangeError(`products are kept from a minimum above 0, not ${minimum}`);
  const items = userItems.cols;
  await withBothSides(context, userItems, async (common, itemUsers) => {
    const bounds = rowBounds(userItems, itemUsers);
    for (let first = 0; first < items; ) {
      const batch = batchFrom(bounds, first);
      await borrowing(memory, async (arrays) => {
        const starts = arrays.int32(batch.rows);
        for (let r = 1; r < batch.rows; r++) starts[r] = starts[r - 1]! + bounds[first + r - 1]!;
        const lengths = arrays.int32(batch.rows);
        const others = arrays.int32(batch.entries);
        const products = arrays.float32(batch.entries);
        const end = first + batch.rows;
        const outputs = [starts, lengths, others, products].map(memory.pointerTo);
        const args = (scratch: number) => [first, end, items, ...common, minimum, ...outputs, scratch];
        const scratchBytes = local.itemProductsScratchBytes(items);
        await runRows(context, 'itemProductsSparse', { from: first, to: end }, scratchBytes, args, {
          signal,
        });
        for (let r = 0; r < batch.rows; r++) {
          const to = starts[r]! + lengths[r]!;
          onRow(first + r, others.subarray(starts[r]!, to), products.subarray(starts[r]!, to));
        }
      });
      first += batch.rows;
      onProgress?.(first / items);
    }
  });
}

/**
 * XᵀX + diagonal·I as a whole matrix in shared memory (items² floats), which the caller releases: what EASE inverts
 * (Steck 2019, arXiv 1905.03375).
 */
export async function itemGram(
  context: KernelContext,
  userItems: CsrMatrix,
  diagonal: number,
  options: RunOptions = {},
): Promise<SharedSymmetric> {
  const { memory } = context;
  const items = userItems.cols;
  const gram = shareSymmetric(memory, items);
  try {
    await withBothSides(context, userItems, async (common) => {
      const args = () => [items, ...common, gram.stride, diagonal, memory.pointerTo(gram.values)];
      await runRows(context, 'itemProductsDense', { to: items }, 0, args, options);
    });
    return gram;
  } catch (err) {
    memory.release(gram.values);
    throw err;
  }
}

/** Shares the matrix by columns and by rows while `work` runs. */
async function withBothSides(
  { memory }: KernelContext,
  userItems: CsrMatrix,
  work: (pointers: number[], itemUsers: CsrMatrix) => Promise<void>,
): Promise<void> {
  const byUser = shareMatrix(memory, userItems);
  try {
    const itemUsers = transpose(userItems);
    const byItem = shareMatrix(memory, itemUsers);
    try {
      const arrays = [byItem, byUser].flatMap(({ indptr, indices, data }) => [indptr, indices, data]);
      await work(arrays.map(memory.pointerTo), itemUsers);
    } finally {
      releaseMatrix(memory, byItem);
    }
  } finally {
    releaseMatrix(memory, byUser);
  }
}

/** The most entries that each item's row can have. */
function rowBounds(userItems: CsrMatrix, itemUsers: CsrMatrix): Float64Array {
  const bounds = new Float64Array(itemUsers.rows);
  for (let i = 0; i < bounds.length; i++) {
    let meetings = 0;
    for (let p = itemUsers.indptr[i]!; p < itemUsers.indptr[i + 1]!; p++) {
      const u = itemUsers.indices[p]!;
      meetings += userItems.indptr[u + 1]! - userItems.indptr[u]! - 1;
    }
    bounds[i] = Math.min(meetings, bounds.length - 1);
  }
  return bounds;
}

function batchFrom(bounds: Float64Array, first: number): { rows: number; entries: number } {
  let rows = 1;
  let entries = bounds[first]!;
  while (first + rows < bounds.length && entries + bounds[first + rows]! <= BATCH_ENTRIES)
    entries += bounds[first + rows++]!;
  return { rows, entries };
}
