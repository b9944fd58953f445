/** The k items of the highest dot product with a vector, in one pass over the items. */
import { keep, put, sortHeap } from './heap';
import { dot, laneOf, multiplyAdd, sumLanes } from './simd';

/**
 * Writes the (at most) k highest of factors[i] · x for i < `rows` to `indices` and `scores`, best first, ties by lower
 * index, and answers how many. Rows whose byte in `allowed` (0: all are) is 0 and scores that are not finite are left
 * out. `indices` and `scores` have room for k.
 */
export function scanTopK(
  x: usize,
  factors: usize,
  rows: i32,
  d: i32,
  k: i32,
  allowed: usize,
  indices: usize,
  scores: usize,
): i32 {
  if (k <= 0) return 0;
  const rowBytes = (<usize>d) << 2;
  let size = 0;
  // The lowest kept score, once k are kept: most rows fail this one comparison, four at a time.
  let threshold: f32 = -Infinity;
  let thresholds = f32x4.splat(threshold);
  let y = factors;
  let i = 0;
  for (; i + 4 <= rows; i += 4, y += rowBytes << 2) {
    const y1 = y + rowBytes;
    const y2 = y1 + rowBytes;
    const y3 = y2 + rowBytes;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let t0 = s0;
    let t1 = s0;
    let t2 = s0;
    let t3 = s0;
    for (let o: usize = 0; o < rowBytes; o += 32) {
      const low = v128.load(x + o);
      const high = v128.load(x + o, 16);
      s0 = multiplyAdd(s0, low, v128.load(y + o));
      t0 = multiplyAdd(t0, high, v128.load(y + o, 16));
      s1 = multiplyAdd(s1, low, v128.load(y1 + o));
      t1 = multiplyAdd(t1, high, v128.load(y1 + o, 16));
      s2 = multiplyAdd(s2, low, v128.load(y2 + o));
      t2 = multiplyAdd(t2, high, v128.load(y2 + o, 16));
      s3 = multiplyAdd(s3, low, v128.load(y3 + o));
      t3 = multiplyAdd(t3, high, v128.load(y3 + o, 16));
    }
    const four = sumLanes(f32x4.add(s0, t0), f32x4.add(s1, t1), f32x4.add(s2, t2), f32x4.add(s3, t3));
    let above = i32x4.bitmask(f32x4.gt(four, thresholds));
    while (above) {
      const lane = ctz(above);
      above &= above - 1;
      const score = laneOf(four, lane);
      const row = i + lane;
      if (score > threshold && isRankable(score, row, allowed)) {
        size = keep(indices, scores, size, k, row, score);
        if (size == k) threshold = load<f32>(scores);
      }
    }
    thresholds = f32x4.splat(threshold);
  }
  for (; i < rows; i++, y += rowBytes) {
    const score = dot(x, y, rowBytes);
    if (score > threshold && isRankable(score, i, allowed)) {
      size = keep(indices, scores, size, k, i, score);
      if (size == k) threshold = load<f32>(scores);
    }
  }
  sortHeap(indices, scores, size);
  return size;
}

/** Writes the product of x and each of `rows` rows of d floats to `out`. */
export function multiplyRows(x: usize, factors: usize, rows: i32, d: i32, out: usize): void {
  const rowBytes = (<usize>d) << 2;
  for (let r = 0; r < rows; r++)
    store<f32>(out + ((<usize>r) << 2), dot(x, factors + <usize>r * rowBytes, rowBytes));
}

/**
 * `scanTopK` for many vectors, as one of several threads that take rows of `vectors` from the counter. Row r of a sparse
 * matrix (`seenPtr`, `seenIndices`; 0: none) names rows of `factors` that are left out of its list. Lists are k long in
 * `indices` and `scores`; unused places hold index −1. `allowed`: scratch of `factorRows` bytes.
 */
export function scanManyTopK(
  counter: usize,
  vectors: usize,
  vectorRows: i32,
  factors: usize,
  factorRows: i32,
  d: i32,
  k: i32,
  seenPtr: usize,
  seenIndices: usize,
  allowed: usize,
  indices: usize,
  scores: usize,
): void {
  const rowBytes = (<usize>d) << 2;
  const listBytes = (<usize>k) << 2;
  memory.fill(allowed, 1, factorRows);
  for (;;) {
    const r = atomic.add<i32>(counter, 1);
    if (r >= vectorRows) return;
    if (seenPtr != 0) markSeen(seenPtr, seenIndices, r, allowed, 0);
    const listIndices = indices + <usize>r * listBytes;
    const listScores = scores + <usize>r * listBytes;
    const vector = vectors + <usize>r * rowBytes;
    const size = scanTopK(vector, factors, factorRows, d, k, allowed, listIndices, listScores);
    for (let at = size; at < k; at++) put(listIndices, listScores, at, -1, 0);
    if (seenPtr != 0) markSeen(seenPtr, seenIndices, r, allowed, 1);
  }
}

function markSeen(seenPtr: usize, seenIndices: usize, row: i32, allowed: usize, mark: u8): void {
  const pointer = seenPtr + ((<usize>row) << 2);
  const end = load<i32>(pointer, 4);
  for (let p = load<i32>(pointer); p < end; p++)
    store<u8>(allowed + <usize>load<u32>(seenIndices + ((<usize>p) << 2)), mark);
}

function isRankable(score: f32, row: i32, allowed: usize): bool {
  return score < Infinity && (allowed == 0 || load<u8>(allowed + <usize>row) != 0);
}
