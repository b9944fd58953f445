/** Rows of alternating least squares by conjugate gradients that go on from the row's last value. */
import { addScaled, dot, multiplyAdd, sumLanes } from './simd';
import { addTile, PANEL_ROW } from './tile';

/** Rows that are solved side by side, so that the Gram matrix is read once for all of them. */
const BATCH: i32 = 8;

/** Rows that a thread takes from the counter at a time. */
const BLOCK_ROWS: i32 = 4 * BATCH;

/**
 * As `solveRowsCholesky`, by `steps` steps of conjugate gradients (Takács, Pilászy and Tikk, RecSys 2011) that start
 * at what `free` holds: d² + 2·d·entries operations a step in place of d²·entries / 2 + d³ / 6.
 * `scratch`: `cgScratchBytes(d)`.
 */
export function solveRowsCg(
  counter: usize,
  rows: i32,
  indptr: usize,
  indices: usize,
  weights: usize,
  fixed: usize,
  free: usize,
  gram: usize,
  ridges: usize,
  d: i32,
  steps: i32,
  scratch: usize,
): void {
  const rowBytes = (<usize>d) << 2;
  const batchBytes = <usize>BATCH * rowBytes;
  const directions = scratch;
  const images = directions + batchBytes;
  const residuals = images + batchBytes;
  const panel = residuals + batchBytes;
  const scales = panel + batchBytes;
  const squares = scales + 32;

  for (;;) {
    const block = atomic.add<i32>(counter, BLOCK_ROWS);
    if (block >= rows) return;
    const blockEnd = min(rows, block + BLOCK_ROWS);
    for (let first = block; first < blockEnd; first += BATCH) {
      const active = min(BATCH, blockEnd - first);
      if (active < BATCH) memory.fill(panel, 0, batchBytes);

      for (let t = 0; t < active; t++) toPanel(free + <usize>(first + t) * rowBytes, rowBytes, panel, t);
      multiplyGram(gram, d, panel, images);
      for (let t = 0; t < active; t++) {
        const r = first + t;
        const from = load<i32>(indptr + ((<usize>r) << 2));
        const to = load<i32>(indptr + ((<usize>r) << 2), 4);
        const x = free + <usize>r * rowBytes;
        const residual = residuals + <usize>t * rowBytes;
        const direction = directions + <usize>t * rowBytes;
        if (from == to) {
          memory.fill(x, 0, rowBytes);
          memory.fill(direction, 0, rowBytes);
          toPanel(direction, rowBytes, panel, t);
          store<f32>(squares + ((<usize>t) << 2), 0);
          continue;
        }
        // b − Ax = Σ w (1 − y·x) y − Gx − λx
        negate(images + <usize>t * rowBytes, residual, rowBytes);
        addScaled(residual, -load<f32>(ridges + ((<usize>r) << 2)), x, rowBytes);
        addEntries(fixed, indices, weights, from, to, x, residual, rowBytes, 1, -1, scales);
        memory.copy(direction, residual, rowBytes);
        toPanel(direction, rowBytes, panel, t);
        store<f32>(squares + ((<usize>t) << 2), dot(residual, residual, rowBytes));
      }

      for (let step = 1; step <= steps; step++) {
        multiplyGram(gram, d, panel, images);
        for (let t = 0; t < active; t++) {
          const square = load<f32>(squares + ((<usize>t) << 2));
          if (!(square > 0)) continue;
          const r = first + t;
          const from = load<i32>(indptr + ((<usize>r) << 2));
          const to = load<i32>(indptr + ((<usize>r) << 2), 4);
          const direction = directions + <usize>t * rowBytes;
          const image = images + <usize>t * rowBytes;
          const residual = residuals + <usize>t * rowBytes;
          addScaled(image, load<f32>(ridges + ((<usize>r) << 2)), direction, rowBytes);
          addEntries(fixed, indices, weights, from, to, direction, image, rowBytes, 0, 1, scales);
          const curvature = dot(direction, image, rowBytes);
          if (!(curvature > 0)) {
            // Nothing is left that single precision could tell from the solution.
            store<f32>(squares + ((<usize>t) << 2), 0);
            continue;
          }
          const length = square / curvature;
          addScaled(free + <usize>r * rowBytes, length, direction, rowBytes);
          if (step == steps) continue;
          addScaled(residual, -length, image, rowBytes);
          const next = dot(residual, residual, rowBytes);
          store<f32>(squares + ((<usize>t) << 2), next);
          turn(direction, next / square, residual, rowBytes);
          toPanel(direction, rowBytes, panel, t);
        }
      }
    }
  }
}

export function cgScratchBytes(d: i32): i32 {
  return 4 * BATCH * d * 4 + 32 + BATCH * 4;
}

/** images (batch × d, row-major) = panelᵀ · G */
function multiplyGram(gram: usize, d: i32, panel: usize, images: usize): void {
  const rowBytes = (<usize>d) << 2;
  memory.fill(images, 0, <usize>BATCH * rowBytes);
  for (let j: usize = 0; j < rowBytes; j += PANEL_ROW) {
    const columns = gram + j * <usize>d;
    addTile(panel, columns, d, images + j, rowBytes);
    addTile(panel + 16, columns, d, images + 4 * rowBytes + j, rowBytes);
  }
}

/**
 * out += Σ w (offset + sign · y·x) y over the entries of a row, eight at a time: one pass for their products with x,
 * one to add them. `scales`: space for eight.
 */
function addEntries(
  fixed: usize,
  indices: usize,
  weights: usize,
  from: i32,
  to: i32,
  x: usize,
  out: usize,
  rowBytes: usize,
  offset: f32,
  sign: f32,
  scales: usize,
): void {
  for (let e = from; e < to; e += 8) {
    // Beyond the row's end, its last entry stands in with weight 0.
    const last = to - 1;
    const y0 = factorsOf(e, fixed, indices, rowBytes);
    const y1 = factorsOf(min(e + 1, last), fixed, indices, rowBytes);
    const y2 = factorsOf(min(e + 2, last), fixed, indices, rowBytes);
    const y3 = factorsOf(min(e + 3, last), fixed, indices, rowBytes);
    const y4 = factorsOf(min(e + 4, last), fixed, indices, rowBytes);
    const y5 = factorsOf(min(e + 5, last), fixed, indices, rowBytes);
    const y6 = factorsOf(min(e + 6, last), fixed, indices, rowBytes);
    const y7 = factorsOf(min(e + 7, last), fixed, indices, rowBytes);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    for (let o: usize = 0; o < rowBytes; o += 16) {
      const v = v128.load(x + o);
      s0 = multiplyAdd(s0, v, v128.load(y0 + o));
      s1 = multiplyAdd(s1, v, v128.load(y1 + o));
      s2 = multiplyAdd(s2, v, v128.load(y2 + o));
      s3 = multiplyAdd(s3, v, v128.load(y3 + o));
      s4 = multiplyAdd(s4, v, v128.load(y4 + o));
      s5 = multiplyAdd(s5, v, v128.load(y5 + o));
      s6 = multiplyAdd(s6, v, v128.load(y6 + o));
      s7 = multiplyAdd(s7, v, v128.load(y7 + o));
    }
    const w = weights + ((<usize>e) << 2);
    storeScales(sumLanes(s0, s1, s2, s3), w, to - e, offset, sign, scales);
    storeScales(sumLanes(s4, s5, s6, s7), w + 16, to - e - 4, offset, sign, scales + 16);
    // By way of memory: as values they would be computed anew at every turn of the loop, into which V8 moves what
    // only the loop uses.
    s0 = v128.load32_splat(scales);
    s1 = v128.load32_splat(scales, 4);
    s2 = v128.load32_splat(scales, 8);
    s3 = v128.load32_splat(scales, 12);
    s4 = v128.load32_splat(scales, 16);
    s5 = v128.load32_splat(scales, 20);
    s6 = v128.load32_splat(scales, 24);
    s7 = v128.load32_splat(scales, 28);
    for (let o: usize = 0; o < rowBytes; o += 16) {
      let a = multiplyAdd(v128.load(out + o), s0, v128.load(y0 + o));
      let b = f32x4.mul(s1, v128.load(y1 + o));
      a = multiplyAdd(a, s2, v128.load(y2 + o));
      b = multiplyAdd(b, s3, v128.load(y3 + o));
      a = multiplyAdd(a, s4, v128.load(y4 + o));
      b = multiplyAdd(b, s5, v128.load(y5 + o));
      a = multiplyAdd(a, s6, v128.load(y6 + o));
      b = multiplyAdd(b, s7, v128.load(y7 + o));
      v128.store(out + o, f32x4.add(a, b));
    }
  }
}

function factorsOf(entry: i32, fixed: usize, indices: usize, rowBytes: usize): usize {
  return fixed + <usize>load<u32>(indices + ((<usize>entry) << 2)) * rowBytes;
}

/** weights · (offset + sign · dots) of four entries, 0 for those from `count` on. */
function storeScales(dots: v128, weights: usize, count: i32, offset: f32, sign: f32, scales: usize): void {
  const factors = f32x4.add(f32x4.splat(offset), f32x4.mul(f32x4.splat(sign), dots));
  if (count >= 4) {
    v128.store(scales, f32x4.mul(v128.load(weights), factors));
    return;
  }
  v128.store(scales, f32x4.splat(0));
  if (count > 0) store<f32>(scales, load<f32>(weights) * f32x4.extract_lane(factors, 0));
  if (count > 1) store<f32>(scales, load<f32>(weights, 4) * f32x4.extract_lane(factors, 1), 4);
  if (count > 2) store<f32>(scales, load<f32>(weights, 8) * f32x4.extract_lane(factors, 2), 8);
}

/** direction = residual + scale · direction */
function turn(direction: usize, scale: f32, residual: usize, rowBytes: usize): void {
  const s = f32x4.splat(scale);
  for (let o: usize = 0; o < rowBytes; o += 16)
    v128.store(direction + o, multiplyAdd(v128.load(residual + o), s, v128.load(direction + o)));
}

function negate(from: usize, to: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, f32x4.neg(v128.load(from + o)));
}

/** Column `lane` of a panel = x. */
function toPanel(x: usize, rowBytes: usize, panel: usize, lane: i32): void {
  let out = panel + ((<usize>lane) << 2);
  for (let o: usize = 0; o < rowBytes; o += 4, out += PANEL_ROW) store<f32>(out, load<f32>(x + o));
}
