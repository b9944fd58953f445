/** Small dense linear algebra on row-major typed arrays. Matrices are symmetric and only their lower half is read or written. */

/**
 * `out += PᵀP` (lower half), where `rows` holds `count` rows of `size` values. `size` must be a multiple of 4; `out`
 * is size × size.
 *
 * Four by two sums at a time stay in registers: 8 products for 6 loads, about twice as fast as row by row.
 */
export function addGram(rows: Float64Array, count: number, size: number, out: Float64Array): void {
  const end = count * size;
  for (let i = 0; i < size; i += 4) {
    for (let j = 0; j < i + 4; j += 2) {
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      let s20 = 0;
      let s21 = 0;
      let s30 = 0;
      let s31 = 0;
      for (let p = 0; p < end; p += size) {
        const x = rows[p + j]!;
        const y = rows[p + j + 1]!;
        let r = rows[p + i]!;
        s00 += r * x;
        s01 += r * y;
        r = rows[p + i + 1]!;
        s10 += r * x;
        s11 += r * y;
        r = rows[p + i + 2]!;
        s20 += r * x;
        s21 += r * y;
        r = rows[p + i + 3]!;
        s30 += r * x;
        s31 += r * y;
      }
      let o = i * size + j;
      out[o]! += s00;
      out[o + 1]! += s01;
      o += size;
      out[o]! += s10;
      out[o + 1]! += s11;
      o += size;
      out[o]! += s20;
      out[o + 1]! += s21;
      o += size;
      out[o]! += s30;
      out[o + 1]! += s31;
    }
  }
}

/** The next multiple of 4, in which `addGram` and `solveCholesky` work. */
export function paddedSize(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/** Gram matrix FᵀF of a factor matrix (rows × size), lower half filled; summed in double precision. */
export function gramOf(factors: Float32Array, size: number): Float64Array {
  const stride = paddedSize(size);
  const padded = new Float64Array(stride * stride);
  const rowCount = factors.length / size;
  const blockRows = 256;
  const block = new Float64Array(blockRows * stride);
  for (let first = 0; first < rowCount; first += blockRows) {
    const count = Math.min(blockRows, rowCount - first);
    for (let b = 0; b < count; b++)
      block.set(factors.subarray((first + b) * size, (first + b + 1) * size), b * stride);
    addGram(block, count, stride, padded);
  }
  if (size === stride) return padded;
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) out.set(padded.subarray(i * stride, i * stride + i + 1), i * size);
  return out;
}

/**
 * Solves Ax = b for a symmetric positive definite A (size × size, size even, lower half) by Cholesky, A = LLᵀ. `a`
 * becomes L and `b` becomes x. RangeError when A is not positive definite (its regularisation is too small).
 */
export function solveCholesky(a: Float64Array, b: Float64Array, size: number): void {
  for (let j = 0; j < size; j += 2) factorColumns(a, size, j);
  for (let i = 0; i < size; i++) {
    const ri = i * size;
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= a[ri + k]! * b[k]!;
    b[i] = sum / a[ri + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    const ri = i * size;
    const x = b[i]! / a[ri + i]!;
    b[i] = x;
    for (let k = 0; k < i; k++) b[k]! -= a[ri + k]! * x;
  }
}

/** Columns j and j + 1 of L, those before them being done. Four rows by two columns at a time, as in `addGram`. */
function factorColumns(a: Float64Array, size: number, j: number): void {
  const p = j * size;
  const q = p + size;
  let d00 = a[p + j]!;
  let d10 = a[q + j]!;
  let d11 = a[q + j + 1]!;
  for (let k = 0; k < j; k++) {
    const x = a[p + k]!;
    const y = a[q + k]!;
    d00 -= x * x;
    d10 -= x * y;
    d11 -= y * y;
  }
  if (!(d00 > 0)) throw new RangeError(`matrix is not positive definite at row ${j}`);
  const l00 = Math.sqrt(d00);
  const l10 = d10 / l00;
  const rest = d11 - l10 * l10;
  if (!(rest > 0)) throw new RangeError(`matrix is not positive definite at row ${j + 1}`);
  const l11 = Math.sqrt(rest);
  a[p + j] = l00;
  a[q + j] = l10;
  a[q + j + 1] = l11;
  const finish = (row: number, s0: number, s1: number): void => {
    const value = (a[row + j]! - s0) / l00;
    a[row + j] = value;
    a[row + j + 1] = (a[row + j + 1]! - s1 - value * l10) / l11;
  };
  let i = j + 2;
  for (; i + 3 < size; i += 4) {
    const r0 = i * size;
    const r1 = r0 + size;
    const r2 = r1 + size;
    const r3 = r2 + size;
    let s00 = 0;
    let s01 = 0;
    let s10 = 0;
    let s11 = 0;
    let s20 = 0;
    let s21 = 0;
    let s30 = 0;
    let s31 = 0;
    for (let k = 0; k < j; k++) {
      const x = a[p + k]!;
      const y = a[q + k]!;
      let r = a[r0 + k]!;
      s00 += r * x;
      s01 += r * y;
      r = a[r1 + k]!;
      s10 += r * x;
      s11 += r * y;
      r = a[r2 + k]!;
      s20 += r * x;
      s21 += r * y;
      r = a[r3 + k]!;
      s30 += r * x;
      s31 += r * y;
    }
    finish(r0, s00, s01);
    finish(r1, s10, s11);
    finish(r2, s20, s21);
    finish(r3, s30, s31);
  }
  for (; i < size; i++) {
    const row = i * size;
    let s0 = 0;
    let s1 = 0;
    for (let k = 0; k < j; k++) {
      const r = a[row + k]!;
      s0 += r * a[p + k]!;
      s1 += r * a[q + k]!;
    }
    finish(row, s0, s1);
  }
}

/** `out[r] = factors[r] · vector` for every row of a factor matrix (rows × size). */
export function multiplyRows(factors: Float32Array, vector: Float32Array, out: Float32Array): void {
  for (let r = 0, p = 0; r < out.length; r++, p += vector.length) out[r] = multiplyRow(factors, p, vector);
}

/** The product of `vector` and as many values of `factors` from `at` on. Four sums at once: one would wait for itself. */
export function multiplyRow(factors: Float32Array, at: number, vector: Float32Array): number {
  const size = vector.length;
  const fours = size - (size % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let f = 0; f < fours; f += 4) {
    s0 += factors[at + f]! * vector[f]!;
    s1 += factors[at + f + 1]! * vector[f + 1]!;
    s2 += factors[at + f + 2]! * vector[f + 2]!;
    s3 += factors[at + f + 3]! * vector[f + 3]!;
  }
  for (let f = fours; f < size; f++) s0 += factors[at + f]! * vector[f]!;
  return s0 + s1 + (s2 + s3);
}
