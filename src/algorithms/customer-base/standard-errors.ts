/** How well the data determine the parameters: from the curvature of the log-likelihood at its maximum. */
import { identity, type LogLikelihood, reach } from './climb.ts';

/**
 * Standard errors of the parameters' logarithms: the square roots of the inverse information's diagonal. Null for a
 * parameter at the end of its reach around the centre, or on which the likelihood does not depend; the others' are told as
 * if it were known.
 */
export function errorsOfLogs(
  logLikelihood: LogLikelihood,
  at: Float64Array,
  centre: Float64Array,
  customers: number,
): (number | null)[] {
  const n = at.length;
  const information = informationAt(logLikelihood, at);
  const told: number[] = [];
  for (let i = 0; i < n; i++) {
    const inside = Math.abs(at[i]! - centre[i]!) < reach - 1e-6;
    if (inside && information[i * n + i]! > 1e-9 * customers) told.push(i);
  }
  const size = told.length;
  const part = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) part[i * size + j] = information[told[i]! * n + told[j]!]!;
  const covariance = invertPositiveDefinite(part, size);
  return Array.from(at, (_, i) => {
    const row = told.indexOf(i);
    return covariance === undefined || row < 0 ? null : Math.sqrt(covariance[row * size + row]!);
  });
}

/** Minus the second derivatives (n × n, symmetric), by central differences of the gradient. */
export function informationAt(logLikelihood: LogLikelihood, at: Float64Array): Float64Array {
  const n = at.length;
  const step = 1e-4;
  const information = new Float64Array(n * n);
  const above = new Float64Array(n);
  const below = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const moved = at.slice();
    moved[i] = at[i]! + step;
    logLikelihood(moved, above);
    moved[i] = at[i]! - step;
    logLikelihood(moved, below);
    for (let j = 0; j < n; j++) {
      const second = (below[j]! - above[j]!) / (4 * step);
      information[i * n + j]! += second;
      information[j * n + i]! += second;
    }
  }
  return information;
}

/** By Gauss and Jordan; undefined where the matrix is not positive definite. */
export function invertPositiveDefinite(matrix: Float64Array, size: number): Float64Array | undefined {
  const left = matrix.slice();
  const right = identity(size);
  for (let k = 0; k < size; k++) {
    const pivot = left[k * size + k]!;
    if (!(pivot > 1e-12 * Math.abs(matrix[k * size + k]!))) return undefined;
    for (let j = 0; j < size; j++) {
      left[k * size + j]! /= pivot;
      right[k * size + j]! /= pivot;
    }
    for (let i = 0; i < size; i++) {
      const factor = left[i * size + k]!;
      if (i === k || factor === 0) continue;
      for (let j = 0; j < size; j++) {
        left[i * size + j]! -= factor * left[k * size + j]!;
        right[i * size + j]! -= factor * right[k * size + j]!;
      }
    }
  }
  return right;
}
