/**
 * A linear Gaussian regression whose coefficients begin at what is assumed of them, solved exactly: y = xᵀβ + ε with β ~ N(assumed, deviation²).
 * As far as rows tell of a coefficient, it is theirs.
 */
import { factorise, inverseOf, solve } from '../uplift/cholesky.ts';

export type GaussianSizes = {
  mean: Float64Array;
  /** Covariance, size × size. */
  covariance: Float64Array;
};

/** Decisions on a customer overlap: there is less in a log than its rows say. */
const overlap = 2;

/** `write` fills x of a row; weights are of mean 1. */
export function gaussianSizes(
  { rows, target, weight }: { rows: number; target: Float64Array; weight: Float64Array },
  { assumed, deviation }: { assumed: Float64Array; deviation: Float64Array },
  write: (row: number, x: Float64Array) => void,
): GaussianSizes {
  const size = assumed.length;
  const gram = new Float64Array(size * size);
  const moment = new Float64Array(size);
  const x = new Float64Array(size);
  let squares = 0;
  let total = 0;
  for (let row = 0; row < rows; row++) {
    write(row, x);
    let rest = target[row]!;
    for (let k = 0; k < size; k++) rest -= assumed[k]! * x[k]!;
    const w = weight[row]!;
    squares += w * rest * rest;
    total += w;
    for (let i = 0; i < size; i++) {
      const wx = w * x[i]!;
      if (wx === 0) continue;
      moment[i]! += wx * rest;
      for (let j = 0; j <= i; j++) gram[i * size + j]! += wx * x[j]!;
    }
  }
  const variance = (overlap * squares) / Math.max(1, total) || 1;
  for (let at = 0; at < gram.length; at++) gram[at]! /= variance;
  for (let i = 0; i < size; i++) {
    moment[i]! /= variance;
    gram[i * size + i]! += 1 / deviation[i]! ** 2;
  }
  factorise(gram, size);
  solve(gram, size, moment);
  return { mean: assumed.map((value, k) => value + moment[k]!), covariance: inverseOf(gram, size) };
}
