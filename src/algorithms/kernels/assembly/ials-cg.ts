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
  const squares = scales + 16;

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
  return 4 * BATCH * d * 4 + 16 + BATCH * 4;
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

/** out += Σ w (offset + sign · y·x) y over the entries of a row. */
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
  let e = from;
  for (; e + 4 <= to; e += 4) {
    const at = (<usize>e) << 2;
    const y0 = fixed + <usize>load<u32>(indices + at) * rowBytes;
    const y1 = fixed + <usize>load<u32>(indices + at, 4) * rowBytes;
    const y2 = fixed + <usize>load<u32>(indices + at, 8) * rowBytes;
    const y3 = fixed + <usize>load<u32>(indices + at, 12) * rowBytes;
    dotFour(y0, y1, y2, y3, x, rowBytes, v128.load(weights + at), offset, sign, scales);
    addFour(y0, y1, y2, y3, scales, out, rowBytes);
  }
  for (; e < to; e++) {
    const at = (<usize>e) << 2;
    const y = fixed + <usize>load<u32>(indices + at) * rowBytes;
    addScaled(out, load<f32>(weights + at) * (offset + sign * dot(y, x, rowBytes)), y, rowBytes);
  }
}

/** Writes weights · (offset + sign · y·x) of four y to `scales`. */
function dotFour(
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
  x: usize,
  rowBytes: usize,
  weights: v128,
  offset: f32,
  sign: f32,
  scales: usize,
): void {
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
    s0 = multiplyAdd(s0, low, v128.load(y0 + o));
    t0 = multiplyAdd(t0, high, v128.load(y0 + o, 16));
    s1 = multiplyAdd(s1, low, v128.load(y1 + o));
    t1 = multiplyAdd(t1, high, v128.load(y1 + o, 16));
    s2 = multiplyAdd(s2, low, v128.load(y2 + o));
    t2 = multiplyAdd(t2, high, v128.load(y2 + o, 16));
    s3 = multiplyAdd(s3, low, v128.load(y3 + o));
    t3 = multiplyAdd(t3, high, v128.load(y3 + o, 16));
  }
  const dots = sumLanes(f32x4.add(s0, t0), f32x4.add(s1, t1), f32x4.add(s2, t2), f32x4.add(s3, t3));
  v128.store(scales, f32x4.mul(weights, f32x4.add(f32x4.splat(offset), f32x4.mul(f32x4.splat(sign), dots))));
}

/**
 * out += Σ scale · y of four y. The scales come from memory: as values they would be computed anew at every turn of
 * the loop, into which V8 moves what only the loop uses.
 */
function addFour(
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
  scales: usize,
  out: usize,
  rowBytes: usize,
): void {
  const s0 = v128.load32_splat(scales);
  const s1 = v128.load32_splat(scales, 4);
  const s2 = v128.load32_splat(scales, 8);
  const s3 = v128.load32_splat(scales, 12);
  for (let o: usize = 0; o < rowBytes; o += 32) {
    let low = multiplyAdd(v128.load(out + o), s0, v128.load(y0 + o));
    let high = multiplyAdd(v128.load(out + o, 16), s0, v128.load(y0 + o, 16));
    low = multiplyAdd(low, s1, v128.load(y1 + o));
    high = multiplyAdd(high, s1, v128.load(y1 + o, 16));
    low = multiplyAdd(low, s2, v128.load(y2 + o));
    high = multiplyAdd(high, s2, v128.load(y2 + o, 16));
    low = multiplyAdd(low, s3, v128.load(y3 + o));
    high = multiplyAdd(high, s3, v128.load(y3 + o, 16));
    v128.store(out + o, low);
    v128.store(out + o, high, 16);
  }
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
