/**
 * The k items of the highest dot product with a vector, by a coarse copy of the factors that says within known bounds what each
 * product comes to (Weber, Schek and Blott 1998, "A quantitative analysis … for similarity-search methods": the VA-file): the
 * factors themselves are read of those rows alone that can be among the best. The copy lies longest row first, and by Cauchy and
 * Schwarz a row's product is at most the product of the lengths: the scan ends where that is below the k-th best (Teflioudi,
 * Gemulla and Mykytiuk 2015, "LEMP"). The list is that of a scan of everything.
 *
 * Row n of the copy: codes −127 … 127, of which each counts scales[n]; errors[n] ≥ |factors[order[n]] − scales[n]·codes|, with what
 * rounding may add.
 */
import { isWorse, keep, rowAt, scoreAt, sortHeap } from './heap';
import { dot, laneOf, sumLanes } from './simd';

/** Lengths of `rows` rows of `d` floats; NaN or Infinity where a factor is not finite. */
export function measureRows(factors: usize, rows: i32, d: i32, lengths: usize): void {
  const rowBytes = (<usize>d) << 2;
  for (let r = 0; r < rows; r++) {
    const row = factors + <usize>r * rowBytes;
    store<f32>(lengths + ((<usize>r) << 2), sqrt<f32>(dot(row, row, rowBytes)));
  }
}

/** Writes the coarse copy of the `count` rows that `order` names. `roundingShare`: of a row's length, what rounding may add to a product. */
export function coarsenRows(
  factors: usize,
  d: i32,
  order: usize,
  count: i32,
  lengths: usize,
  roundingShare: f32,
  codes: usize,
  scales: usize,
  errors: usize,
): void {
  const rowBytes = (<usize>d) << 2;
  for (let n = 0; n < count; n++) {
    const at = (<usize>n) << 2;
    const row = factors + <usize>load<u32>(order + at) * rowBytes;
    const code = codes + <usize>n * <usize>d;
    let most4 = f32x4.splat(0);
    for (let o: usize = 0; o < rowBytes; o += 16) most4 = f32x4.max(most4, f32x4.abs(v128.load(row + o)));
    const most = max<f32>(
      max<f32>(laneOf(most4, 0), laneOf(most4, 1)),
      max<f32>(laneOf(most4, 2), laneOf(most4, 3)),
    );
    const scale: f32 = most / 127;
    const scale4 = f32x4.splat(scale);
    const perScale4 = f32x4.splat(most > 0 ? 127 / most : 0);
    let squares = f32x4.splat(0);
    for (let o: usize = 0; o < rowBytes; o += 32) {
      const low = v128.load(row + o);
      const high = v128.load(row + o, 16);
      const lowCodes = f32x4.nearest(f32x4.mul(low, perScale4));
      const highCodes = f32x4.nearest(f32x4.mul(high, perScale4));
      const eight = i16x8.narrow_i32x4_s(
        i32x4.trunc_sat_f32x4_s(lowCodes),
        i32x4.trunc_sat_f32x4_s(highCodes),
      );
      v128.store64_lane(code + (o >> 2), i8x16.narrow_i16x8_s(eight, eight), 0);
      const lowRest = f32x4.sub(low, f32x4.mul(lowCodes, scale4));
      const highRest = f32x4.sub(high, f32x4.mul(highCodes, scale4));
      squares = f32x4.add(squares, f32x4.add(f32x4.mul(lowRest, lowRest), f32x4.mul(highRest, highRest)));
    }
    const rest = sqrt<f32>(laneOf(squares, 0) + laneOf(squares, 1) + laneOf(squares, 2) + laneOf(squares, 3));
    store<f32>(scales + at, scale);
    store<f32>(errors + at, rest + roundingShare * load<f32>(lengths + at));
  }
}

/**
 * Writes the (at most) k highest of factors[i] · x to `indices` and `scores`, best first, ties by lower index, and answers how many;
 * with `byAngle`, of factors[i] · x / |factors[i]|, and then rows of length 0 are left out. x ≈ coarseStep · coarseX, whole numbers
 * of 16 bits, and |x| is xLength. `lengths` fall. Scratch: `candidates` and `bounds`, 4 bytes a row each. `indices` and `scores`
 * have room for k.
 */
export function screenTopK(
  x: usize,
  coarseX: usize,
  coarseStep: f32,
  xLength: f32,
  factors: usize,
  d: i32,
  codes: usize,
  scales: usize,
  errors: usize,
  lengths: usize,
  order: usize,
  rows: i32,
  k: i32,
  byAngle: bool,
  candidates: usize,
  bounds: usize,
  indices: usize,
  scores: usize,
): i32 {
  if (k <= 0) return 0;
  const codeBytes = <usize>d;
  const step4 = f32x4.splat(coarseStep);
  const length4 = f32x4.splat(xLength);
  let found = 0;
  // The k best of what products come to at least: the worst of them is what a product must reach.
  let size = 0;
  let threshold: f32 = -Infinity;
  let y = codes;
  let n = 0;
  // The copy ends in rows of zeros up to a multiple of four.
  for (; n < rows; n += 4, y += codeBytes << 2) {
    const at = (<usize>n) << 2;
    if (!byAngle && load<f32>(lengths + at) * xLength < threshold) break;
    const y1 = y + codeBytes;
    const y2 = y1 + codeBytes;
    const y3 = y2 + codeBytes;
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let o: usize = 0; o < codeBytes; o += 8) {
      const some = v128.load(coarseX + (o << 1));
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(some, v128.load_ext<i8>(y + o)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(some, v128.load_ext<i8>(y1 + o)));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(some, v128.load_ext<i8>(y2 + o)));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(some, v128.load_ext<i8>(y3 + o)));
    }
    const products = sumLanes(
      f32x4.convert_i32x4_s(s0),
      f32x4.convert_i32x4_s(s1),
      f32x4.convert_i32x4_s(s2),
      f32x4.convert_i32x4_s(s3),
    );
    let about = f32x4.mul(products, f32x4.mul(step4, v128.load(scales + at)));
    let margin = f32x4.mul(length4, v128.load(errors + at));
    if (byAngle) {
      const divisors = v128.load(lengths + at);
      about = f32x4.div(about, divisors);
      margin = f32x4.div(margin, divisors);
    }
    const upper = f32x4.add(about, margin);
    let above = i32x4.bitmask(f32x4.ge(upper, f32x4.splat(threshold)));
    if (!above) continue;
    const lower = f32x4.sub(about, margin);
    while (above) {
      const lane = ctz(above);
      above &= above - 1;
      if (n + lane >= rows) break;
      const most = laneOf(upper, lane);
      if (most < threshold) continue;
      store<i32>(candidates + ((<usize>found) << 2), n + lane);
      store<f32>(bounds + ((<usize>found) << 2), most);
      found++;
      const least = laneOf(lower, lane);
      if (size == k && !(least > threshold)) continue;
      size = keep(indices, scores, size, k, n + lane, least);
      if (size == k) threshold = scoreAt(scores, 0);
    }
  }
  return bestOf(
    candidates,
    bounds,
    found,
    threshold,
    x,
    factors,
    d,
    lengths,
    order,
    k,
    byAngle,
    indices,
    scores,
  );
}

/** Rows that lie apart are waited for together: a look at each before any is reckoned with. */
const touchedAtOnce = 32;

/**
 * `screenTopK` of the `named` rows of the copy alone, by their places there, which rise: `count` of them, with scratch for as many.
 * They lie apart, so that each is read by itself.
 */
export function screenNamedTopK(
  x: usize,
  coarseX: usize,
  coarseStep: f32,
  xLength: f32,
  factors: usize,
  d: i32,
  codes: usize,
  scales: usize,
  errors: usize,
  lengths: usize,
  order: usize,
  named: usize,
  count: i32,
  k: i32,
  candidates: usize,
  bounds: usize,
  indices: usize,
  scores: usize,
): i32 {
  if (k <= 0) return 0;
  const codeBytes = <usize>d;
  let found = 0;
  let size = 0;
  let threshold: f32 = -Infinity;
  for (let n = 0; n < count; n++) {
    if (n % touchedAtOnce == 0) {
      let touched = 0;
      const end = min(n + touchedAtOnce, count);
      for (let ahead = n; ahead < end; ahead++)
        touched |= load<i32>(codes + <usize>load<u32>(named + ((<usize>ahead) << 2)) * codeBytes);
      // Kept where the next candidate goes, or it would not be read.
      store<i32>(candidates + ((<usize>found) << 2), touched);
    }
    const place = load<i32>(named + ((<usize>n) << 2));
    const at = (<usize>place) << 2;
    if (load<f32>(lengths + at) * xLength < threshold) break;
    const y = codes + <usize>place * codeBytes;
    let sums = i32x4.splat(0);
    for (let o: usize = 0; o < codeBytes; o += 8)
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(coarseX + (o << 1)), v128.load_ext<i8>(y + o)));
    const four = f32x4.convert_i32x4_s(sums);
    const product = laneOf(four, 0) + laneOf(four, 1) + (laneOf(four, 2) + laneOf(four, 3));
    const about = product * (coarseStep * load<f32>(scales + at));
    const margin = xLength * load<f32>(errors + at);
    if (about + margin < threshold) continue;
    store<i32>(candidates + ((<usize>found) << 2), place);
    store<f32>(bounds + ((<usize>found) << 2), about + margin);
    found++;
    const least = about - margin;
    if (size == k && !(least > threshold)) continue;
    size = keep(indices, scores, size, k, place, least);
    if (size == k) threshold = scoreAt(scores, 0);
  }
  return bestOf(
    candidates,
    bounds,
    found,
    threshold,
    x,
    factors,
    d,
    lengths,
    order,
    k,
    false,
    indices,
    scores,
  );
}

/** The k best of the rows that may be among them, by the factors themselves; `bounds`: what each comes to at most. */
function bestOf(
  candidates: usize,
  bounds: usize,
  found: i32,
  threshold: f32,
  x: usize,
  factors: usize,
  d: i32,
  lengths: usize,
  order: usize,
  k: i32,
  byAngle: bool,
  indices: usize,
  scores: usize,
): i32 {
  const rowBytes = (<usize>d) << 2;
  let size = 0;
  for (let c = 0; c < found; c++) {
    const most = load<f32>(bounds + ((<usize>c) << 2));
    if (most < threshold) continue;
    const at = (<usize>load<u32>(candidates + ((<usize>c) << 2))) << 2;
    const row = load<i32>(order + at);
    let score = dot(x, factors + <usize>row * rowBytes, rowBytes);
    if (byAngle) score /= load<f32>(lengths + at);
    if (!(score < Infinity)) continue;
    if (size == k && isWorse(score, row, scoreAt(scores, 0), rowAt(indices, 0))) continue;
    size = keep(indices, scores, size, k, row, score);
  }
  sortHeap(indices, scores, size);
  return size;
}
