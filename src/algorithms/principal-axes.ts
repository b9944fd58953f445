/** Axes of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan 2013, algorithm 8.5.3). */

const sweepsMax = 30;

/**
 * Eigenvectors of `matrix` (size × size, both halves; left as it is), a row each, of the largest eigenvalue first; `variance` has
 * the eigenvalues.
 */
export function principalAxes(
  matrix: Float64Array,
  size: number,
): { axes: Float64Array; variance: Float64Array } {
  const a = matrix.slice();
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    let outside = 0;
    let inside = 0;
    for (let i = 0; i < size; i++) {
      inside += a[i * size + i]! ** 2;
      for (let j = 0; j < i; j++) outside += a[i * size + j]! ** 2;
    }
    if (outside <= 1e-22 * inside) break;
    for (let p = 0; p < size - 1; p++) for (let q = p + 1; q < size; q++) rotate(a, v, size, p, q);
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]!);
  const axes = new Float64Array(size * size);
  order.forEach((from, to) => {
    axes.set(v.subarray(from * size, (from + 1) * size), to * size);
  });
  return { axes, variance: Float64Array.from(order, (i) => a[i * size + i]!) };
}

/** The rotation in the plane of p and q that makes a[p, q] 0; rows of `v` turn with it. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k++) {
    const [kp, kq] = [k * size + p, k * size + q];
    const x = a[kp]!;
    const y = a[kq]!;
    a[kp] = c * x - s * y;
    a[kq] = s * x + c * y;
  }
  for (let k = 0; k < size; k++) {
    const [pk, qk] = [p * size + k, q * size + k];
    const x = a[pk]!;
    const y = a[qk]!;
    a[pk] = c * x - s * y;
    a[qk] = s * x + c * y;
    const vx = v[pk]!;
    const vy = v[qk]!;
    v[pk] = c * vx - s * vy;
    v[qk] = s * vx + c * vy;
  }
}
