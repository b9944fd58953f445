/** A dense layer of a network, for many rows. */
import { multiplyAdd } from './simd';

/**
 * out[r] = x[r] · W + b for r < `rows`; with `rectify`, max(0, that). `x` is rows × `inputs`, `weights` inputs × `outputs`,
 * `out` rows × `outputs`, all row after row; `outputs` is a multiple of 4, and `weights`, `bias` and `out` lie on multiples of 16.
 */
export function denseRows(
  x: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  out: usize,
  rectify: bool,
): void {
  const inputBytes = (<usize>inputs) << 2;
  const outputBytes = (<usize>outputs) << 2;
  // Below all numbers, or 0: one instruction either way.
  const least = f32x4.splat(rectify ? 0 : -Infinity);
  for (let r = 0; r < rows; r++, x += inputBytes, out += outputBytes) {
    let o: usize = 0;
    // Sixteen sums stay in registers.
    for (; o + 64 <= outputBytes; o += 64) {
      let s0 = v128.load(bias + o);
      let s1 = v128.load(bias + o, 16);
      let s2 = v128.load(bias + o, 32);
      let s3 = v128.load(bias + o, 48);
      let w = weights + o;
      for (let i: usize = 0; i < inputBytes; i += 4, w += outputBytes) {
        const value = v128.load32_splat(x + i);
        s0 = multiplyAdd(s0, value, v128.load(w));
        s1 = multiplyAdd(s1, value, v128.load(w, 16));
        s2 = multiplyAdd(s2, value, v128.load(w, 32));
        s3 = multiplyAdd(s3, value, v128.load(w, 48));
      }
      v128.store(out + o, f32x4.max(s0, least));
      v128.store(out + o, f32x4.max(s1, least), 16);
      v128.store(out + o, f32x4.max(s2, least), 32);
      v128.store(out + o, f32x4.max(s3, least), 48);
    }
    for (; o < outputBytes; o += 16) {
      let sum = v128.load(bias + o);
      let w = weights + o;
      for (let i: usize = 0; i < inputBytes; i += 4, w += outputBytes)
        sum = multiplyAdd(sum, v128.load32_splat(x + i), v128.load(w));
      v128.store(out + o, f32x4.max(sum, least));
    }
  }
}
