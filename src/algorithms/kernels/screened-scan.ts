/**
 * A scan that leaves out what cannot be among the best, by a coarse copy of the rows (method and sources: assembly/screen.ts). The list
 * is that of a scan of everything; what it costs grows with how many rows are long enough, a quarter of the bytes of each, and not
 * with how many there are.
 */
import { fallingOrder } from '../falling-order.ts';
import type { Ranked } from '../top-k.ts';
import type { SharedFactors } from './matrices.ts';
import { scanTopK } from './scan.ts';
import type { SharedMemory } from './shared-memory.ts';
import type { KernelContext } from './threads.ts';

/** Rows of the factors by their product with a vector, and by the cosine of the angle with it; rows of zeros have none. */
export type ScreenedScan = {
  /** The rows as they lie in the copy, longest first, ties by lower row; those that are not finite are not among them. */
  order: Int32Array;
  byProduct: (vector: Float32Array, k: number) => Ranked;
  /** Of the rows at these places of `order` alone, which rise. */
  byProductAmong: (vector: Float32Array, k: number, places: Int32Array) => Ranked;
  byAngle: (vector: Float32Array, k: number) => Ranked;
};

/** Of a vector: whole numbers of 16 bits. */
const mostStep = 32_767;
/** Rows of the copy that are read at once. */
const rowsAtOnce = 4;
/** Beyond this products may not be finite; no factors are. */
const largestProduct = 1e30;
/** Lengths of single precision may come out a little below what they are. */
const margin = 1.0001;

/** Bytes of the copy and of its scratch memory, beside the factors. */
export function screenedBytes(rows: number, size: number): number {
  const stride = Math.ceil(size / 8) * 8;
  return (rows + rowsAtOnce) * (stride + 33) + 2 ** 16;
}

/** Stays in the memory for as long as that lives; factors must not change. */
export function screenFactors(context: KernelContext, factors: SharedFactors): ScreenedScan {
  const { memory, local } = context;
  const { size, stride, values } = factors;
  const { order, lengths } = longestFirst(context, factors);
  const count = order.length;
  const longest = lengths[0] ?? 0;
  const padded = Math.ceil(count / rowsAtOnce) * rowsAtOnce;
  const codes = memory.uint8(padded * stride);
  const scales = memory.float32(padded);
  const errors = memory.float32(padded);
  const pointers = [codes, scales, errors, lengths, order].map(memory.pointerTo);
  const [codesAt = 0, scalesAt = 0, errorsAt = 0, lengthsAt = 0, orderAt = 0] = pointers;
  const valuesAt = memory.pointerTo(values);
  local.coarsenRows(
    valuesAt,
    stride,
    orderAt,
    count,
    lengthsAt,
    roundingShare(stride),
    codesAt,
    scalesAt,
    errorsAt,
  );

  const x = memory.float32(stride);
  // Two numbers of 16 bits in each.
  const coarse = memory.int32(stride / 2);
  const numbers = new Int16Array(coarse.buffer, coarse.byteOffset, stride);
  const scratch = [memory.int32(padded), memory.float32(padded)].map(memory.pointerTo);
  /** As far as it is never written, it takes no memory. */
  const named = memory.int32(padded);
  const lists = growingLists(memory);

  function scan(vector: Float32Array, k: number, length: number, byAngle: boolean): Ranked {
    const capacity = Math.max(0, Math.min(Math.floor(k), count));
    const { indices, scores } = lists(capacity);
    const step = coarsen(vector, numbers);
    x.set(vector);
    const found = local.screenTopK(
      memory.pointerTo(x),
      memory.pointerTo(coarse),
      step,
      length * margin,
      valuesAt,
      stride,
      ...pointers,
      count,
      capacity,
      Number(byAngle),
      ...scratch,
      memory.pointerTo(indices),
      memory.pointerTo(scores),
    );
    return { indices: Int32Array.from(indices.subarray(0, found)), scores: scores.slice(0, found) };
  }

  function scanAmong(vector: Float32Array, k: number, length: number, places: Int32Array): Ranked {
    const capacity = Math.max(0, Math.min(Math.floor(k), places.length));
    const { indices, scores } = lists(capacity);
    const step = coarsen(vector, numbers);
    x.set(vector);
    named.set(places);
    const found = local.screenNamedTopK(
      memory.pointerTo(x),
      memory.pointerTo(coarse),
      step,
      length * margin,
      valuesAt,
      stride,
      ...pointers,
      memory.pointerTo(named),
      places.length,
      capacity,
      ...scratch,
      memory.pointerTo(indices),
      memory.pointerTo(scores),
    );
    return { indices: Int32Array.from(indices.subarray(0, found)), scores: scores.slice(0, found) };
  }

  /** Where products may not be finite, nothing bounds them. */
  function plainAmong(vector: Float32Array, k: number, places: Int32Array): Ranked {
    const marks = memory.uint8(factors.rows);
    try {
      for (const place of places) marks[order[place]!] = 1;
      return scanTopK(context, factors, vector, k, marks);
    } finally {
      memory.release(marks);
    }
  }

  function lengthOf(vector: Float32Array): number {
    if (vector.length !== size) throw new RangeError(`a vector of ${vector.length} for factors of ${size}`);
    let squares = 0;
    for (const value of vector) squares += value * value;
    return Math.sqrt(squares);
  }

  return {
    order,
    byProduct: (vector, k) => {
      const length = lengthOf(vector);
      if (!(longest * length < largestProduct)) return scanTopK(context, factors, vector, k);
      return scan(vector, k, length, false);
    },
    byProductAmong: (vector, k, places) => {
      const length = lengthOf(vector);
      return longest * length < largestProduct
        ? scanAmong(vector, k, length, places)
        : plainAmong(vector, k, places);
    },
    byAngle: (vector, k) => {
      const length = lengthOf(vector);
      const isAngle = length > 0 && longest * length < largestProduct;
      if (!isAngle) return { indices: new Int32Array(0), scores: new Float32Array(0) };
      const { indices, scores } = scan(vector, k, length, true);
      return { indices, scores: scores.map((score) => score / length) };
    },
  };
}

/** Of the product of the lengths, what the vector's whole numbers and sums of single precision may add to a product. */
function roundingShare(stride: number): number {
  return (1.2 * Math.sqrt(stride)) / (2 * mostStep) + 2e-5;
}

/** Writes the vector in whole numbers, and answers of what they are multiples. */
function coarsen(vector: Float32Array, numbers: Int16Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  if (most === 0) {
    numbers.fill(0);
    return 0;
  }
  for (let f = 0; f < vector.length; f++) numbers[f] = Math.round((vector[f]! / most) * mostStep);
  return most / mostStep;
}

/** The rows of finite length, longest first, ties by lower row; and their lengths. Both in shared memory, with room for whole fours. */
function longestFirst(
  { memory, local }: KernelContext,
  { rows, stride, values }: SharedFactors,
): { order: Int32Array; lengths: Float32Array } {
  const unsorted = memory.float32(rows);
  local.measureRows(memory.pointerTo(values), rows, stride, memory.pointerTo(unsorted));
  const sorted = fallingOrder(unsorted);
  const count = sorted.length;
  const padded = Math.ceil(count / rowsAtOnce) * rowsAtOnce;
  const order = memory.int32(padded).subarray(0, count);
  order.set(sorted);
  const lengths = memory.float32(padded).subarray(0, count);
  for (let n = 0; n < order.length; n++) lengths[n] = unsorted[order[n]!]!;
  memory.release(unsorted);
  return { order, lengths };
}

/** Lists for what is found, as long as any that was asked for. */
function growingLists(memory: SharedMemory) {
  let indices = memory.int32(0);
  let scores = memory.float32(0);
  return (capacity: number) => {
    if (indices.length < capacity) {
      memory.release(indices);
      memory.release(scores);
      indices = memory.int32(capacity);
      scores = memory.float32(capacity);
    }
    return { indices, scores };
  };
}
