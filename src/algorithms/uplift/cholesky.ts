/** Symmetric positive definite matrices (size × size, row-major, lower half): what a Gaussian posterior needs of them. */

/** A = LLᵀ in place, the upper half set to 0. RangeError where A is not positive definite. */
export function factorise(a: Float64Array, size: number): void {
  for (let j = 0; j < size; j++) {
    const jr = j * size;
    let diagonal = a[jr + j]!;
    for (let k = 0; k < j; k++) diagonal -= a[jr + k]! ** 2;
    if (!(diagonal > 0)) throw new RangeError(`matrix is not positive definite at row ${j}`);
    const pivot = Math.sqrt(diagonal);
    a[jr + j] = pivot;
    for (let i = j + 1; i < size; i++) {
      const ir = i * size;
      let sum = a[ir + j]!;
      for (let k = 0; k < j; k++) sum -= a[ir + k]! * a[jr + k]!;
      a[ir + j] = sum / pivot;
      a[jr + i] = 0;
    }
  }
}

/** ln |A| of a factorised A. */
export function logDeterminant(l: Float64Array, size: number): number {
  let sum = 0;
  for (let j = 0; j < size; j++) sum += Math.log(l[j * size + j]!);
  return 2 * sum;
}

/** L⁻¹b in place. */
function solveLower(l: Float64Array, size: number, b: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * size + k]! * b[k]!;
    b[i] = sum / l[i * size + i]!;
  }
}

/** A⁻¹b in place, of a factorised A. */
export function solve(l: Float64Array, size: number, b: Float64Array): void {
  solveLower(l, size, b);
  for (let i = size - 1; i >= 0; i--) {
    const x = b[i]! / l[i * size + i]!;
    b[i] = x;
    for (let k = 0; k < i; k++) b[k]! -= l[i * size + k]! * x;
  }
}

/** A⁻¹ = L⁻ᵀL⁻¹, both halves, of a factorised A. */
export function inverseOf(l: Float64Array, size: number): Float64Array {
  // Row j: column j of L⁻¹, which begins at j.
  const lower = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const jr = j * size;
    lower[jr + j] = 1 / l[jr + j]!;
    for (let i = j + 1; i < size; i++) {
      const ir = i * size;
      let sum = 0;
      for (let k = j; k < i; k++) sum -= l[ir + k]! * lower[jr + k]!;
      lower[jr + i] = sum / l[ir + i]!;
    }
  }
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < size; k++) sum += lower[i * size + k]! * lower[j * size + k]!;
      inverse[i * size + j] = sum;
      inverse[j * size + i] = sum;
    }
  return inverse;
}
