/** Host side of the scans: the items of the highest dot product with a vector. */
import type { CsrMatrix } from '../csr.ts';
import type { Ranked } from '../top-k.ts';
import { type SharedFactors, shareFactors, writeFactors } from './matrices.ts';
import { borrowing } from './shared-memory.ts';
import { type KernelContext, type RunOptions, runRows } from './threads.ts';

/**
 * The (at most) k rows of `factors` with the highest dot product with `vector`, best first, ties by lower row. Rows
 * whose byte in `allowed` (rows bytes in shared memory) is 0 are left out, and scores that are not finite. Runs on the
 * calling thread, at the speed at which memory can be read: for one answer of the service.
 */
export function scanTopK(
  { memory, local }: KernelContext,
  factors: SharedFactors,
  vector: Float32Array,
  k: number,
  allowed?: Uint8Array,
): Ranked {
  const { rows, size, stride } = factors;
  if (vector.length !== size) throw new RangeError(`a vector of ${vector.length} for factors of ${size}`);
  if (allowed !== undefined && allowed.length !== rows)
    throw new RangeError(`${allowed.length} marks for ${rows} rows`);
  const capacity = Math.max(0, Math.min(Math.floor(k), rows));
  const x = memory.float32(stride);
  const indices = memory.int32(capacity);
  const scores = memory.float32(capacity);
  try {
    x.set(vector);
    const [xAt, valuesAt, indicesAt, scoresAt] = [x, factors.values, indices, scores].map(memory.pointerTo);
    const mask = allowed === undefined ? 0 : memory.pointerTo(allowed);
    const found = local.scanTopK(xAt!, valuesAt!, rows, stride, capacity, mask, indicesAt!, scoresAt!);
    return { indices: Int32Array.from(indices.subarray(0, found)), scores: scores.slice(0, found) };
  } finally {
    for (const array of [x, indices, scores]) memory.release(array);
  }
}

/** Rows that are brought into the shared memory at a time. */
const rowsAtOnce = 256;

/**
 * Products of a vector of `size` values and rows of factors that lie anywhere, row after row: for a few rows that change too often to be
 * kept in the shared memory. Runs on the calling thread; its own memory stays.
 */
export function rowMultiplier(
  { memory, local }: KernelContext,
  size: number,
): (factors: Float32Array, vector: Float32Array, out: Float32Array) => void {
  const some = shareFactors(memory, rowsAtOnce, size);
  const x = memory.float32(some.stride);
  const products = memory.float32(rowsAtOnce);
  const [xAt = 0, rowsAt = 0, productsAt = 0] = [x, some.values, products].map(memory.pointerTo);
  return (factors, vector, out) => {
    if (vector.length !== size || factors.length < out.length * size)
      throw new RangeError(
        `${factors.length} factors and a vector of ${vector.length} for ${out.length} rows of ${size}`,
      );
    x.set(vector);
    for (let first = 0; first < out.length; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, out.length - first);
      const rows = factors.subarray(first * size, (first + count) * size);
      writeFactors({ ...some, rows: count }, rows);
      local.multiplyRows(xAt, rowsAt, count, some.stride, productsAt);
      out.set(products.subarray(0, count), first);
    }
  };
}

/** Lists of many vectors, k places each: row r's best at r·k. Places that are not filled hold index −1. */
export type RankedRows = { k: number; indices: Int32Array; scores: Float32Array };

/**
 * `scanTopK` of every row of `vectors` on all threads. Row r of `seen` (vectors × factors, in shared memory) names the
 * rows of `factors` that are left out of list r.
 */
export function scanManyTopK(
  context: KernelContext,
  factors: SharedFactors,
  vectors: SharedFactors,
  k: number,
  seen?: CsrMatrix,
  options: RunOptions = {},
): Promise<RankedRows> {
  const { memory } = context;
  if (vectors.size !== factors.size)
    throw new RangeError(`vectors of ${vectors.size} for factors of ${factors.size}`);
  if (seen !== undefined && (seen.rows !== vectors.rows || seen.cols !== factors.rows))
    throw new RangeError(`seen is ${seen.rows} × ${seen.cols}, not ${vectors.rows} × ${factors.rows}`);
  const capacity = Math.max(0, Math.min(Math.floor(k), factors.rows));
  return borrowing(memory, async (arrays) => {
    const indices = arrays.int32(vectors.rows * capacity);
    const scores = arrays.float32(vectors.rows * capacity);
    const inputs = [
      memory.pointerTo(vectors.values),
      vectors.rows,
      memory.pointerTo(factors.values),
      factors.rows,
      factors.stride,
      capacity,
      seen === undefined ? 0 : memory.pointerTo(seen.indptr),
      seen === undefined ? 0 : memory.pointerTo(seen.indices),
    ];
    const outputs = [memory.pointerTo(indices), memory.pointerTo(scores)];
    const args = (scratch: number) => [...inputs, scratch, ...outputs];
    await runRows(context, 'scanManyTopK', { to: vectors.rows }, factors.rows, args, options);
    return { k: capacity, indices: new Int32Array(indices), scores: new Float32Array(scores) };
  });
}
