/**
 * A scan that leaves out what cannot be among the best. By Cauchy and Schwarz a row's product with a vector is at most the product
 * of their lengths: the k-th best of the longest rows tells how long a row must be to be worth a look.
 */
import type { Ranked } from '../top-k.ts';
import type { Kernels, SharedFactors } from './kernels.ts';

/** The longest rows of `all` once more, longest first. */
export type LongestFirst = {
  all: SharedFactors;
  longest: SharedFactors;
  /** Of each row of `longest`: its row in `all`, and its length. */
  rows: Int32Array;
  lengths: Float32Array;
};

/**
 * Looked at first. The bar of fewer is lower, and more rows are then worth a look; those of more are looked at twice (of 40,419
 * sold items 17,900 looks for the 200 best after 1,024, 15,400 after 2,048, 16,800 after 4,096).
 */
const firstRows = 2048;
/** Sums of single precision may come out a little above what they are. */
const margin = 1.0001;

/** Copies half of the rows, for in a shop few are as long as that. */
export function longestFirst(kernels: Kernels, all: SharedFactors): LongestFirst {
  const { size, stride, values } = all;
  const lengths = new Float32Array(all.rows);
  for (let r = 0; r < all.rows; r++) {
    let squares = 0;
    for (let f = r * stride; f < r * stride + size; f++) squares += values[f]! ** 2;
    lengths[r] = Math.sqrt(squares) || 0;
  }
  const count = Math.ceil(all.rows / 2);
  const rows = Int32Array.from(lengths.keys())
    .sort((a, b) => lengths[b]! - lengths[a]! || a - b)
    .subarray(0, count);
  const longest = kernels.factors(count, size);
  for (const [at, row] of rows.entries())
    longest.values.set(values.subarray(row * stride, (row + 1) * stride), at * stride);
  return { all, longest, rows, lengths: Float32Array.from(rows, (row) => lengths[row]!) };
}

/** As `scanTopK` of all rows; which of two equal scores comes last may differ. */
export function scanLongestFirst(
  kernels: Kernels,
  scanned: LongestFirst,
  vector: Float32Array,
  k: number,
): Ranked {
  const { all, longest, rows, lengths } = scanned;
  const scan = (count: number) => kernels.scanTopK({ ...longest, rows: count }, vector, k);
  const first = Math.min(Math.max(firstRows, 2 * k), longest.rows);
  const found = scan(first);
  const bar = found.scores[k - 1];
  if (bar === undefined || !(bar > 0)) return kernels.scanTopK(all, vector, k);
  const enough = rowsFrom(lengths, bar / (margin * Math.hypot(...vector)));
  // There may be more that are not copied.
  if (enough === longest.rows) return kernels.scanTopK(all, vector, k);
  const { indices, scores } = enough <= first ? found : scan(enough);
  return { indices: indices.map((at) => rows[at]!), scores };
}

/** How many of the lengths, which fall, are `least` or more. */
function rowsFrom(lengths: Float32Array, least: number): number {
  let from = 0;
  let to = lengths.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (lengths[middle]! >= least) from = middle + 1;
    else to = middle;
  }
  return from;
}
