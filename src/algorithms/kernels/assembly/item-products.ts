/** Products of the columns of a sparse matrix, row by row: how often two items were bought by the same customers. */

/** Rows that a thread takes from the counter at a time. */
const BLOCK_ROWS: i32 = 8;

/**
 * Dense C = XᵀX, as one of several threads: for rows i from the counter up to `items`, the row C[i][0 … stride − 1] at
 * `out` = Σᵤ xᵤᵢ xᵤⱼ, with `diagonal` added at j = i. X by columns: `itemPtr, itemUsers, itemValues`; by rows:
 * `userPtr, userItems, userValues`.
 */
export function itemProductsDense(
  counter: usize,
  items: i32,
  itemPtr: usize,
  itemUsers: usize,
  itemValues: usize,
  userPtr: usize,
  userItems: usize,
  userValues: usize,
  stride: i32,
  diagonal: f32,
  out: usize,
): void {
  const rowBytes = (<usize>stride) << 2;
  for (;;) {
    const first = atomic.add<i32>(counter, BLOCK_ROWS);
    if (first >= items) return;
    const last = min(items, first + BLOCK_ROWS);
    for (let i = first; i < last; i++) {
      const sums = out + <usize>i * rowBytes;
      memory.fill(sums, 0, rowBytes);
      const end = load<i32>(itemPtr + ((<usize>i) << 2), 4);
      for (let p = load<i32>(itemPtr + ((<usize>i) << 2)); p < end; p++)
        addRow(
          load<i32>(itemUsers + ((<usize>p) << 2)),
          load<f32>(itemValues + ((<usize>p) << 2)),
          userPtr,
          userItems,
          userValues,
          sums,
        );
      const own = sums + ((<usize>i) << 2);
      store<f32>(own, load<f32>(own) + diagonal);
    }
  }
}

/**
 * Sparse C = XᵀX for rows from `firstItem` up to `endItem`, as one of several threads; the counter starts at `firstItem`. Row i is written at
 * `outPtr[i − firstItem]` of `outIndices` and `outValues`, columns ascending, the diagonal and products below
 * `minimum` left out, and its length to `outLengths[i − firstItem]`.
 * `scratch`: `itemProductsScratchBytes(items)`, all zero, and left so.
 */
export function itemProductsSparse(
  counter: usize,
  firstItem: i32,
  endItem: i32,
  items: i32,
  itemPtr: usize,
  itemUsers: usize,
  itemValues: usize,
  userPtr: usize,
  userItems: usize,
  userValues: usize,
  minimum: f32,
  outPtr: usize,
  outLengths: usize,
  outIndices: usize,
  outValues: usize,
  scratch: usize,
): void {
  const sums = scratch;
  for (;;) {
    const first = atomic.add<i32>(counter, BLOCK_ROWS);
    if (first >= endItem) return;
    const last = min(endItem, first + BLOCK_ROWS);
    for (let i = first; i < last; i++) {
      const end = load<i32>(itemPtr + ((<usize>i) << 2), 4);
      for (let p = load<i32>(itemPtr + ((<usize>i) << 2)); p < end; p++)
        addRow(
          load<i32>(itemUsers + ((<usize>p) << 2)),
          load<f32>(itemValues + ((<usize>p) << 2)),
          userPtr,
          userItems,
          userValues,
          sums,
        );
      const slot = (<usize>(i - firstItem)) << 2;
      store<f32>(sums + ((<usize>i) << 2), 0);
      const start = (<usize>load<u32>(outPtr + slot)) << 2;
      const length = takeRow(sums, items, minimum, outIndices + start, outValues + start);
      store<i32>(outLengths + slot, length);
    }
  }
}

export function itemProductsScratchBytes(items: i32): i32 {
  return ((items + 7) & ~7) << 2;
}

/** sums[j] += value · xᵤⱼ over the entries of row u. */
function addRow(u: i32, value: f32, userPtr: usize, userItems: usize, userValues: usize, sums: usize): void {
  const from = (<usize>load<u32>(userPtr + ((<usize>u) << 2))) << 2;
  const to = (<usize>load<u32>(userPtr + ((<usize>u) << 2), 4)) << 2;
  let q = from;
  // A row's columns are all different, so that four sums can be on their way at once.
  for (; q + 16 <= to; q += 16) {
    const s0 = sums + ((<usize>load<u32>(userItems + q)) << 2);
    const s1 = sums + ((<usize>load<u32>(userItems + q, 4)) << 2);
    const s2 = sums + ((<usize>load<u32>(userItems + q, 8)) << 2);
    const s3 = sums + ((<usize>load<u32>(userItems + q, 12)) << 2);
    const v0 = load<f32>(s0) + value * load<f32>(userValues + q);
    const v1 = load<f32>(s1) + value * load<f32>(userValues + q, 4);
    const v2 = load<f32>(s2) + value * load<f32>(userValues + q, 8);
    const v3 = load<f32>(s3) + value * load<f32>(userValues + q, 12);
    store<f32>(s0, v0);
    store<f32>(s1, v1);
    store<f32>(s2, v2);
    store<f32>(s3, v3);
  }
  for (; q < to; q += 4) {
    const s = sums + ((<usize>load<u32>(userItems + q)) << 2);
    store<f32>(s, load<f32>(s) + value * load<f32>(userValues + q));
  }
}

/** Moves the sums of at least `minimum` (> 0) to a sparse row, and zeroes them all. */
function takeRow(sums: usize, items: i32, minimum: f32, indices: usize, values: usize): i32 {
  const zero = f32x4.splat(0);
  let length: usize = 0;
  for (let j = 0; j < items; j += 8) {
    const at = sums + ((<usize>j) << 2);
    const low = v128.load(at);
    const high = v128.load(at, 16);
    // Most are zero in a long catalogue.
    if (!v128.any_true(v128.or(low, high))) continue;
    for (let t = 0; t < 8; t++) {
      const value = load<f32>(at + ((<usize>t) << 2));
      if (value != 0 && value >= minimum) {
        store<i32>(indices + length, j + t);
        store<f32>(values + length, value);
        length += 4;
      }
    }
    v128.store(at, zero);
    v128.store(at, zero, 16);
  }
  return <i32>(length >> 2);
}
