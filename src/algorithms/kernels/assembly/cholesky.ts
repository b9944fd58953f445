/** Cholesky factorisation A = UᵀU of a matrix in panels, and the solution of a system with it. */
import { multiplyAdd, multiplySubtract, sumLanes } from './simd';
import { PANEL_ROW, subtractTile } from './tile';

/**
 * Turns the upper half of `a` (d × d, panels, d a multiple of 8) into U, and writes 1 / diagonal to `inverses` (d
 * floats). What lies below the diagonal is neither read nor meaningful afterwards. Answers false when A is not
 * positive definite.
 *
 * Left-looking by strips of four rows: each tile is read once, less the product of what is above it, then solved
 * against the strip's own 4 × 4 triangle.
 */
export function factorize(a: usize, d: i32, inverses: usize): bool {
  const panelBytes = <usize>d * PANEL_ROW;
  for (let i = 0; i < d; i += 4) {
    const panel = a + <usize>(i >> 3) * panelBytes;
    const lane = (<usize>(i & 4)) << 2;
    const left = panel + lane;
    const strip = <usize>i * PANEL_ROW;

    subtractTile(left, panel, i, panel + strip, PANEL_ROW);
    const t = left + strip;
    const a00 = load<f32>(t);
    if (!(a00 > 0)) return false;
    const r0 = <f32>1 / sqrt<f32>(a00);
    const u01 = load<f32>(t, 4) * r0;
    const u02 = load<f32>(t, 8) * r0;
    const u03 = load<f32>(t, 12) * r0;
    const a11 = load<f32>(t, 36) - u01 * u01;
    if (!(a11 > 0)) return false;
    const r1 = <f32>1 / sqrt<f32>(a11);
    const u12 = (load<f32>(t, 40) - u01 * u02) * r1;
    const u13 = (load<f32>(t, 44) - u01 * u03) * r1;
    const a22 = load<f32>(t, 72) - u02 * u02 - u12 * u12;
    if (!(a22 > 0)) return false;
    const r2 = <f32>1 / sqrt<f32>(a22);
    const u23 = (load<f32>(t, 76) - u02 * u03 - u12 * u13) * r2;
    const a33 = load<f32>(t, 108) - u03 * u03 - u13 * u13 - u23 * u23;
    if (!(a33 > 0)) return false;
    const r3 = <f32>1 / sqrt<f32>(a33);
    const inverse = inverses + ((<usize>i) << 2);
    store<f32>(inverse, r0);
    store<f32>(inverse, r1, 4);
    store<f32>(inverse, r2, 8);
    store<f32>(inverse, r3, 12);

    // The tile on the diagonal goes through the same solution, which leaves U there too.
    for (let j = i >> 3; j < d >> 3; j++) {
      const tile = a + <usize>j * panelBytes + strip;
      if (j > i >> 3) subtractTile(left, a + <usize>j * panelBytes, i, tile, PANEL_ROW);
      for (let o = tile; o < tile + PANEL_ROW; o += 16) {
        const x0 = f32x4.mul(f32x4.splat(r0), v128.load(o));
        v128.store(o, x0);
        let x1 = multiplySubtract(v128.load(o, 32), f32x4.splat(u01), x0);
        x1 = f32x4.mul(f32x4.splat(r1), x1);
        v128.store(o, x1, 32);
        let x2 = multiplySubtract(v128.load(o, 64), f32x4.splat(u02), x0);
        x2 = multiplySubtract(x2, f32x4.splat(u12), x1);
        x2 = f32x4.mul(f32x4.splat(r2), x2);
        v128.store(o, x2, 64);
        let x3 = multiplySubtract(v128.load(o, 96), f32x4.splat(u03), x0);
        x3 = multiplySubtract(x3, f32x4.splat(u13), x1);
        x3 = multiplySubtract(x3, f32x4.splat(u23), x2);
        v128.store(o, f32x4.mul(f32x4.splat(r3), x3), 96);
      }
    }
  }
  return true;
}

/** x = (UᵀU)⁻¹ b, with U and its inverse diagonal from `factorize`. `b` is overwritten; `x` must not be `b`. */
export function solveFactorized(u: usize, d: i32, inverses: usize, b: usize, x: usize): void {
  solveForward(u, d, inverses, b, x);
  solveBackward(u, d, inverses, x);
}

/** Uᵀx = b, eight unknowns at a time. */
function solveForward(u: usize, d: i32, inverses: usize, b: usize, x: usize): void {
  const panelBytes = <usize>d * PANEL_ROW;
  for (let i = 0; i < d; i += 8) {
    let row = u + <usize>(i >> 3) * panelBytes;
    const at = (<usize>i) << 2;
    let low = v128.load(b + at);
    let high = v128.load(b + at, 16);
    for (let k: usize = 0; k < at; k += 4, row += PANEL_ROW) {
      const y = v128.load32_splat(x + k);
      low = multiplySubtract(low, y, v128.load(row));
      high = multiplySubtract(high, y, v128.load(row, 16));
    }
    v128.store(b + at, low);
    v128.store(b + at, high, 16);
    // Lanes left of the diagonal are spoilt in `b` as this goes on, but have been read by then.
    for (let t: usize = 0; t < 32; t += 4, row += PANEL_ROW) {
      const y = load<f32>(b + at + t) * load<f32>(inverses + at + t);
      store<f32>(x + at + t, y);
      const ys = f32x4.splat(y);
      v128.store(b + at, multiplySubtract(v128.load(b + at), ys, v128.load(row)));
      v128.store(b + at, multiplySubtract(v128.load(b + at, 16), ys, v128.load(row, 16)), 16);
    }
  }
}

/** Ux = x in place, four unknowns at a time from the end. */
function solveBackward(u: usize, d: i32, inverses: usize, x: usize): void {
  const panelBytes = <usize>d * PANEL_ROW;
  for (let i = d - 4; i >= 0; i -= 4) {
    const strip = <usize>i * PANEL_ROW;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let j = (i >> 3) + 1; j < d >> 3; j++) {
      const rows = u + <usize>j * panelBytes + strip;
      const low = v128.load(x + <usize>j * PANEL_ROW);
      const high = v128.load(x + <usize>j * PANEL_ROW, 16);
      s0 = multiplyAdd(multiplyAdd(s0, v128.load(rows), low), v128.load(rows, 16), high);
      s1 = multiplyAdd(multiplyAdd(s1, v128.load(rows, 32), low), v128.load(rows, 48), high);
      s2 = multiplyAdd(multiplyAdd(s2, v128.load(rows, 64), low), v128.load(rows, 80), high);
      s3 = multiplyAdd(multiplyAdd(s3, v128.load(rows, 96), low), v128.load(rows, 112), high);
    }
    const own = u + <usize>(i >> 3) * panelBytes + strip;
    if (!(i & 4)) {
      const next = v128.load(x + ((<usize>i) << 2), 16);
      s0 = multiplyAdd(s0, v128.load(own, 16), next);
      s1 = multiplyAdd(s1, v128.load(own, 48), next);
      s2 = multiplyAdd(s2, v128.load(own, 80), next);
      s3 = multiplyAdd(s3, v128.load(own, 112), next);
    }
    const at = (<usize>i) << 2;
    const rest = f32x4.sub(v128.load(x + at), sumLanes(s0, s1, s2, s3));
    const t = own + ((<usize>(i & 4)) << 2);
    const x3 = f32x4.extract_lane(rest, 3) * load<f32>(inverses + at, 12);
    const x2 = (f32x4.extract_lane(rest, 2) - load<f32>(t, 76) * x3) * load<f32>(inverses + at, 8);
    const x1 =
      (f32x4.extract_lane(rest, 1) - load<f32>(t, 40) * x2 - load<f32>(t, 44) * x3) *
      load<f32>(inverses + at, 4);
    const x0 =
      (f32x4.extract_lane(rest, 0) - load<f32>(t, 4) * x1 - load<f32>(t, 8) * x2 - load<f32>(t, 12) * x3) *
      load<f32>(inverses + at);
    store<f32>(x + at, x0);
    store<f32>(x + at, x1, 4);
    store<f32>(x + at, x2, 8);
    store<f32>(x + at, x3, 12);
  }
}
