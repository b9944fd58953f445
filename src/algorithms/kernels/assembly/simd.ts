/** Arithmetic on four floats at a time. The relaxed build fuses multiply and add into one instruction and one rounding. */

/** acc + a·b */
export function multiplyAdd(acc: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, acc);
  return f32x4.add(acc, f32x4.mul(a, b));
}

/** acc − a·b */
export function multiplySubtract(acc: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, acc);
  return f32x4.sub(acc, f32x4.mul(a, b));
}

/** (Σ a, Σ b, Σ c, Σ d) */
export function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** One of the four. */
export function laneOf(v: v128, lane: i32): f32 {
  if (lane == 0) return f32x4.extract_lane(v, 0);
  if (lane == 1) return f32x4.extract_lane(v, 1);
  if (lane == 2) return f32x4.extract_lane(v, 2);
  return f32x4.extract_lane(v, 3);
}

/** a · b of two vectors of `bytes` bytes, a multiple of 32. */
export function dot(a: usize, b: usize, bytes: usize): f32 {
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  for (let o: usize = 0; o < bytes; o += 32) {
    even = multiplyAdd(even, v128.load(a + o), v128.load(b + o));
    odd = multiplyAdd(odd, v128.load(a + o, 16), v128.load(b + o, 16));
  }
  const sum = f32x4.add(even, odd);
  return (
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 1) +
    (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}

/** y += scale · x for vectors of `bytes` bytes, a multiple of 32. */
export function addScaled(y: usize, scale: f32, x: usize, bytes: usize): void {
  const s = f32x4.splat(scale);
  for (let o: usize = 0; o < bytes; o += 32) {
    v128.store(y + o, multiplyAdd(v128.load(y + o), s, v128.load(x + o)));
    v128.store(y + o, multiplyAdd(v128.load(y + o, 16), s, v128.load(x + o, 16)), 16);
  }
}
