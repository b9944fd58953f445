/**
 * The one inner loop of all dense work: a 4 × 8 tile of a matrix product, its eight sums held in registers.
 *
 * Operands are panels: matrices cut into strips of eight columns, of which each is stored row after row (32 bytes a
 * row), so that the loop walks memory in order. A left operand may begin at lane 0 or 4 of its panel (+ 16 bytes).
 * Eight sums hide the four cycles of a fused multiply-add at two a cycle, and leave registers for the operands.
 */
import { multiplyAdd } from './simd';

/** Bytes of a panel's row. */
export const PANEL_ROW: usize = 32;

/** c[r][0…7] += Σₖ a[k][r] · b[k][0…7] for r < 4 and k < `count`; rows of c are `stride` bytes apart. */
export function addTile(a: usize, b: usize, count: i32, c: usize, stride: usize): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  for (const end = b + <usize>count * PANEL_ROW; b < end; a += PANEL_ROW, b += PANEL_ROW) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = multiplyAdd(s00, x, b0);
    s01 = multiplyAdd(s01, x, b1);
    x = v128.load32_splat(a, 4);
    s10 = multiplyAdd(s10, x, b0);
    s11 = multiplyAdd(s11, x, b1);
    x = v128.load32_splat(a, 8);
    s20 = multiplyAdd(s20, x, b0);
    s21 = multiplyAdd(s21, x, b1);
    x = v128.load32_splat(a, 12);
    s30 = multiplyAdd(s30, x, b0);
    s31 = multiplyAdd(s31, x, b1);
  }
  v128.store(c, f32x4.add(v128.load(c), s00));
  v128.store(c, f32x4.add(v128.load(c, 16), s01), 16);
  c += stride;
  v128.store(c, f32x4.add(v128.load(c), s10));
  v128.store(c, f32x4.add(v128.load(c, 16), s11), 16);
  c += stride;
  v128.store(c, f32x4.add(v128.load(c), s20));
  v128.store(c, f32x4.add(v128.load(c, 16), s21), 16);
  c += stride;
  v128.store(c, f32x4.add(v128.load(c), s30));
  v128.store(c, f32x4.add(v128.load(c, 16), s31), 16);
}

/** As `addTile`, but c −= the product. */
export function subtractTile(a: usize, b: usize, count: i32, c: usize, stride: usize): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  for (const end = b + <usize>count * PANEL_ROW; b < end; a += PANEL_ROW, b += PANEL_ROW) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = multiplyAdd(s00, x, b0);
    s01 = multiplyAdd(s01, x, b1);
    x = v128.load32_splat(a, 4);
    s10 = multiplyAdd(s10, x, b0);
    s11 = multiplyAdd(s11, x, b1);
    x = v128.load32_splat(a, 8);
    s20 = multiplyAdd(s20, x, b0);
    s21 = multiplyAdd(s21, x, b1);
    x = v128.load32_splat(a, 12);
    s30 = multiplyAdd(s30, x, b0);
    s31 = multiplyAdd(s31, x, b1);
  }
  v128.store(c, f32x4.sub(v128.load(c), s00));
  v128.store(c, f32x4.sub(v128.load(c, 16), s01), 16);
  c += stride;
  v128.store(c, f32x4.sub(v128.load(c), s10));
  v128.store(c, f32x4.sub(v128.load(c, 16), s11), 16);
  c += stride;
  v128.store(c, f32x4.sub(v128.load(c), s20));
  v128.store(c, f32x4.sub(v128.load(c, 16), s21), 16);
  c += stride;
  v128.store(c, f32x4.sub(v128.load(c), s30));
  v128.store(c, f32x4.sub(v128.load(c, 16), s31), 16);
}
