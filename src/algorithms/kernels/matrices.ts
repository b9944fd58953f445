/** Matrices in the kernels' shared memory. */
import type { CsrMatrix } from '../csr.ts';
import type { SharedMemory } from './shared-memory.ts';

const SMALLEST_FACTORS = 1;
const MOST_FACTORS = 256;

/** A factor matrix, row-major. Its rows are padded with zeros to `stride` values, the next multiple of 8. */
export type SharedFactors = {
  rows: number;
  /** Dimension d of the factors. */
  size: number;
  stride: number;
  /** rows × stride, in shared memory. */
  values: Float32Array;
};

/** A whole symmetric matrix, row-major, padded with the identity to `stride` rows and columns, the next multiple of 64. */
export type SharedSymmetric = {
  size: number;
  stride: number;
  /** stride × stride, in shared memory. */
  values: Float32Array;
};

/** Zero factors. RangeError for a size that is not 1 … 256. */
export function shareFactors(memory: SharedMemory, rows: number, size: number): SharedFactors {
  if (!(Number.isInteger(size) && size >= SMALLEST_FACTORS && size <= MOST_FACTORS))
    throw new RangeError(`factors must be ${SMALLEST_FACTORS} to ${MOST_FACTORS}, not ${size}`);
  const stride = Math.ceil(size / 8) * 8;
  return { rows, size, stride, values: memory.float32(rows * stride) };
}

/** Fills shared factors from rows × size values. */
export function writeFactors(factors: SharedFactors, values: Float32Array): void {
  const { rows, size, stride } = factors;
  if (values.length !== rows * size)
    throw new RangeError(`${rows} × ${size} factors are not ${values.length} values`);
  if (size === stride) factors.values.set(values);
  else
    for (let r = 0; r < rows; r++) factors.values.set(values.subarray(r * size, (r + 1) * size), r * stride);
}

/** A copy of shared factors as rows × size values outside the shared memory. */
export function readFactors(factors: SharedFactors): Float32Array {
  const { rows, size, stride } = factors;
  const values = new Float32Array(rows * size);
  if (size === stride) values.set(factors.values);
  else
    for (let r = 0; r < rows; r++)
      values.set(factors.values.subarray(r * stride, r * stride + size), r * size);
  return values;
}

/**
 * A copy of a sparse matrix in shared memory. RangeError when it is none, or holds a weight that is negative or not
 * finite: the kernels take roots of weights, and check no index.
 */
export function shareMatrix(memory: SharedMemory, matrix: CsrMatrix): CsrMatrix {
  checkMatrix(matrix);
  const { rows, cols } = matrix;
  const indptr = memory.int32(rows + 1);
  const indices = memory.int32(matrix.indices.length);
  const data = memory.float32(matrix.data.length);
  indptr.set(matrix.indptr);
  indices.set(matrix.indices);
  data.set(matrix.data);
  return { rows, cols, indptr, indices, data };
}

export function releaseMatrix(memory: SharedMemory, matrix: CsrMatrix): void {
  memory.release(matrix.indptr);
  memory.release(matrix.indices);
  memory.release(matrix.data);
}

/** Zero matrix of this size, the padding the identity. */
export function shareSymmetric(memory: SharedMemory, size: number): SharedSymmetric {
  if (!(Number.isInteger(size) && size >= 1)) throw new RangeError(`a matrix cannot have ${size} rows`);
  const stride = Math.ceil(size / 64) * 64;
  const values = memory.float32(stride * stride);
  for (let i = size; i < stride; i++) values[i * stride + i] = 1;
  return { size, stride, values };
}

function checkMatrix({ rows, cols, indptr, indices, data }: CsrMatrix): void {
  const entries = indices.length;
  if (indptr.length !== rows + 1 || data.length !== entries || indptr[0] !== 0 || indptr[rows] !== entries)
    throw new RangeError(`not a sparse matrix of ${rows} × ${cols}: its arrays do not fit each other`);
  for (let r = 0; r < rows; r++)
    if (!(indptr[r]! <= indptr[r + 1]!))
      throw new RangeError(`row ${r} of the sparse matrix ends before it begins`);
  for (let p = 0; p < entries; p++) {
    if (!(indices[p]! >= 0 && indices[p]! < cols))
      throw new RangeError(`entry ${p} of the sparse matrix is in column ${indices[p]} of ${cols}`);
    if (!(data[p]! >= 0 && data[p]! < Number.POSITIVE_INFINITY))
      throw new RangeError(
        `entry ${p} of the sparse matrix is ${data[p]}: weights are finite and at least 0`,
      );
  }
}
