/** The plain typed-array version of the symmetric inverse, in double precision. */

/**
 * Inverts a symmetric positive definite matrix (size × size, row-major, whole) in place, by Gauss–Jordan without
 * exchanges. RangeError when it is not positive definite.
 */
export function invertInPlace(a: Float64Array, size: number): void {
  for (let k = 0; k < size; k++) {
    const rk = k * size;
    const pivot = a[rk + k]!;
    if (!(pivot > 0)) throw new RangeError(`matrix is not positive definite at row ${k}`);
    for (let j = 0; j < size; j++) a[rk + j]! /= pivot;
    a[rk + k] = 1 / pivot;
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const ri = i * size;
      const factor = a[ri + k]!;
      a[ri + k] = 0;
      for (let j = 0; j < size; j++) a[ri + j]! -= factor * a[rk + j]!;
    }
  }
}
