/** Gram matrices: Σ w·f·fᵀ of factor rows, gathered into panels and summed tile by tile. */
import { multiplyAdd } from './simd';
import { addTile, PANEL_ROW } from './tile';

/** Rows that are gathered at a time: their panels stay in the second-level cache up to d = 256. */
export const CHUNK: i32 = 256;

/** Bytes between the panels of a chunk. The 128 bytes keep panels from meeting in the same cache sets. */
export const CHUNK_PANEL: usize = <usize>CHUNK * PANEL_ROW + 128;

/** The upper half of `a` (d × d, panels) += PᵀP of a chunk's first `count` rows. Tiles on the diagonal are whole: what they hold below it means nothing. */
export function addChunkGram(chunk: usize, count: i32, d: i32, a: usize): void {
  const panelBytes = <usize>d * PANEL_ROW;
  for (let i = 0; i < d; i += 4) {
    const left = chunk + <usize>(i >> 3) * CHUNK_PANEL + ((<usize>(i & 4)) << 2);
    for (let j = i >> 3; j < d >> 3; j++) {
      const c = a + <usize>j * panelBytes + <usize>i * PANEL_ROW;
      addTile(left, chunk + <usize>j * CHUNK_PANEL, count, c, PANEL_ROW);
    }
  }
}

/**
 * Gathers `count` rows of `factors` named by `indices` into a chunk's panels, each times the root of its weight, and
 * adds Σ w·f to `right` (d floats).
 */
export function gatherWeighted(
  factors: usize,
  indices: usize,
  weights: usize,
  count: i32,
  d: i32,
  chunk: usize,
  right: usize,
): void {
  const rowBytes = (<usize>d) << 2;
  let e = 0;
  // Four rows at a time, so that `right` is read and written once for the four.
  for (; e + 4 <= count; e += 4) {
    const at = (<usize>e) << 2;
    const f0 = factors + <usize>load<u32>(indices + at) * rowBytes;
    const f1 = factors + <usize>load<u32>(indices + at, 4) * rowBytes;
    const f2 = factors + <usize>load<u32>(indices + at, 8) * rowBytes;
    const f3 = factors + <usize>load<u32>(indices + at, 12) * rowBytes;
    const roots = f32x4.sqrt(v128.load(weights + at));
    const w0 = v128.shuffle<f32>(roots, roots, 0, 0, 0, 0);
    const w1 = v128.shuffle<f32>(roots, roots, 1, 1, 1, 1);
    const w2 = v128.shuffle<f32>(roots, roots, 2, 2, 2, 2);
    const w3 = v128.shuffle<f32>(roots, roots, 3, 3, 3, 3);
    let out = chunk + <usize>e * PANEL_ROW;
    for (let o: usize = 0; o < rowBytes; o += PANEL_ROW, out += CHUNK_PANEL) {
      let low = v128.load(right + o);
      let high = v128.load(right + o, 16);
      let v = f32x4.mul(w0, v128.load(f0 + o));
      v128.store(out, v);
      low = multiplyAdd(low, w0, v);
      v = f32x4.mul(w0, v128.load(f0 + o, 16));
      v128.store(out, v, 16);
      high = multiplyAdd(high, w0, v);
      v = f32x4.mul(w1, v128.load(f1 + o));
      v128.store(out, v, 32);
      low = multiplyAdd(low, w1, v);
      v = f32x4.mul(w1, v128.load(f1 + o, 16));
      v128.store(out, v, 48);
      high = multiplyAdd(high, w1, v);
      v = f32x4.mul(w2, v128.load(f2 + o));
      v128.store(out, v, 64);
      low = multiplyAdd(low, w2, v);
      v = f32x4.mul(w2, v128.load(f2 + o, 16));
      v128.store(out, v, 80);
      high = multiplyAdd(high, w2, v);
      v = f32x4.mul(w3, v128.load(f3 + o));
      v128.store(out, v, 96);
      low = multiplyAdd(low, w3, v);
      v = f32x4.mul(w3, v128.load(f3 + o, 16));
      v128.store(out, v, 112);
      high = multiplyAdd(high, w3, v);
      v128.store(right + o, low);
      v128.store(right + o, high, 16);
    }
  }
  for (; e < count; e++) {
    const at = (<usize>e) << 2;
    const f = factors + <usize>load<u32>(indices + at) * rowBytes;
    const w = f32x4.sqrt(v128.load32_splat(weights + at));
    let out = chunk + <usize>e * PANEL_ROW;
    for (let o: usize = 0; o < rowBytes; o += PANEL_ROW, out += CHUNK_PANEL) {
      let v = f32x4.mul(w, v128.load(f + o));
      v128.store(out, v);
      v128.store(right + o, multiplyAdd(v128.load(right + o), w, v));
      v = f32x4.mul(w, v128.load(f + o, 16));
      v128.store(out, v, 16);
      v128.store(right + o, multiplyAdd(v128.load(right + o, 16), w, v), 16);
    }
  }
}

/**
 * Partial Gram matrices of factor rows, as one of several threads: takes blocks of `blockRows` rows from the counter
 * and writes each block's sum to its own d × d slot of `partials` (panels, upper half). One slot a block, rather than
 * one a thread, so that the sum does not depend on which thread took which block.
 * `scratch`: `gramScratchBytes(d)`.
 */
export function gramBlocks(
  counter: usize,
  factors: usize,
  rows: i32,
  d: i32,
  blockRows: i32,
  partials: usize,
  scratch: usize,
): void {
  const rowBytes = (<usize>d) << 2;
  const blocks = (rows + blockRows - 1) / blockRows;
  for (;;) {
    const block = atomic.add<i32>(counter, 1);
    if (block >= blocks) return;
    const partial = partials + <usize>block * <usize>d * rowBytes;
    memory.fill(partial, 0, <usize>d * rowBytes);
    const end = min(rows, (block + 1) * blockRows);
    for (let first = block * blockRows; first < end; first += CHUNK) {
      const count = min(CHUNK, end - first);
      copyToPanels(factors + <usize>first * rowBytes, count, rowBytes, scratch);
      addChunkGram(scratch, count, d, partial);
    }
  }
}

export function gramScratchBytes(d: i32): i32 {
  return (d >> 3) * <i32>CHUNK_PANEL;
}

/** Sums `blocks` partial Gram matrices in their order into a whole, row-major d × d matrix. */
export function sumGram(partials: usize, blocks: i32, d: i32, out: usize): void {
  const size = (<usize>d * <usize>d) << 2;
  for (let b = 1; b < blocks; b++) {
    const partial = partials + <usize>b * size;
    for (let o: usize = 0; o < size; o += 16)
      v128.store(partials + o, f32x4.add(v128.load(partials + o), v128.load(partial + o)));
  }
  for (let i = 0; i < d; i++) {
    for (let j = i; j < d; j++) {
      const value = load<f32>(partials + panelOffset(i, j, d));
      store<f32>(out + ((<usize>(i * d + j)) << 2), value);
      store<f32>(out + ((<usize>(j * d + i)) << 2), value);
    }
  }
}

/** A row-major d × d matrix times `scale`, as panels. */
export function packScaled(matrix: usize, d: i32, scale: f32, out: usize): void {
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++)
      store<f32>(out + panelOffset(i, j, d), scale * load<f32>(matrix + ((<usize>(i * d + j)) << 2)));
}

/** Where element (i, j) of a d × d matrix lies in its panels, in bytes. */
export function panelOffset(i: i32, j: i32, d: i32): usize {
  return (<usize>(j >> 3) * <usize>d + <usize>i) * PANEL_ROW + ((<usize>(j & 7)) << 2);
}

function copyToPanels(rows: usize, count: i32, rowBytes: usize, chunk: usize): void {
  for (let r = 0; r < count; r++) {
    let out = chunk + <usize>r * PANEL_ROW;
    for (let o: usize = 0; o < rowBytes; o += PANEL_ROW, out += CHUNK_PANEL) {
      v128.store(out, v128.load(rows + o));
      v128.store(out, v128.load(rows + o, 16), 16);
    }
    rows += rowBytes;
  }
}
