/**
 * A linear Gaussian regression whose coefficients begin at what is assumed of them, solved exactly: y = xᵀβ + ε with β ~
 * N(assumed, deviation²). As far as rows tell of a coefficient, it is theirs.
 */
import { factorise, inverseOf, solve } from '../uplift/cholesky.ts';

/** What is assumed of the coefficients, and by how much each may be off. */
export type AssumedSizes = {
  assumed: Float64Array;
  deviation: Float64Array;
  /** Those from `from` (inclusive) to `to` (exclusive) are off together: every two of them with this correlation, from 0 to below 1. */
  together?: { from: number; to: number; correlation: number };
};

export type GaussianSizes = {
  mean: Float64Array;
  /** Covariance, size × size. */
  covariance: Float64Array;
};

/** Decisions on a customer overlap: there is less in a log than its rows say, by so many times where nobody has counted. */
export const usualOverlap = 2;

/** `write` fills x of a row; weights are of mean 1. */
export function gaussianSizes(
  {
    rows,
    target,
    weight,
    overlap = usualOverlap,
  }: { rows: number; target: Float64Array; weight: Float64Array; overlap?: number },
  prior: AssumedSizes,
  write: (row: number, x: Float64Array) => void,
): GaussianSizes {
  const { assumed } = prior;
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
  for (let i = 0; i < size; i++) moment[i]! /= variance;
  addPrecision(prior, gram);
  factorise(gram, size);
  solve(gram, size, moment);
  return { mean: assumed.map((value, k) => value + moment[k]!), covariance: inverseOf(gram, size) };
}

/** Adds the inverse of the prior's covariance, lower half; that of (1 − r)I + r11ᵀ, m × m, is (I − r/(1 + (m − 1)r) · 11ᵀ)/(1 − r). */
function addPrecision({ assumed, deviation, together }: AssumedSizes, matrix: Float64Array): void {
  const size = assumed.length;
  const { from, to, correlation } = together ?? { from: 0, to: 0, correlation: 0 };
  const shared = correlation / (1 + (to - from - 1) * correlation);
  for (let i = 0; i < size; i++) {
    const isTogether = i >= from && i < to;
    for (let j = isTogether ? from : i; j <= i; j++) {
      const own = i === j ? 1 : 0;
      const precision = isTogether ? (own - shared) / (1 - correlation) : own;
      matrix[i * size + j]! += precision / (deviation[i]! * deviation[j]!);
    }
  }
}
