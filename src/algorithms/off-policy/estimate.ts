/** An estimated mean with how sure it is, from the influence that each decision has on it. */
import { z95 } from '../proportion-interval.ts';

export type Estimate = {
  value: number;
  /** Ends of the 95 % interval, by the central limit theorem over customers. */
  lower: number;
  upper: number;
  standardError: number;
};

/** Nothing can be said. */
export const unknownEstimate: Estimate = {
  value: Number.NaN,
  lower: Number.NaN,
  upper: Number.NaN,
  standardError: Number.NaN,
};

/**
 * `value` with the standard error √(n/(n − 1) · Σ_c(Σ_{i∈c} φᵢ)²) / N, where φ is the influence of a decision on a mean over N
 * of them (its mean is 0) and c runs over the n customers: the sandwich of independent clusters (Liang and Zeger 1986).
 * Unknown below two customers.
 */
export function estimateOf(value: number, influence: Float64Array, customer?: Int32Array): Estimate {
  const sums = customer === undefined ? influence : sumsByCustomer(influence, customer);
  const n = sums.length;
  if (n < 2 || !Number.isFinite(value)) return unknownEstimate;
  let squares = 0;
  for (const sum of sums) squares += sum ** 2;
  const standardError = Math.sqrt((n / (n - 1)) * squares) / influence.length;
  return {
    value,
    lower: value - z95 * standardError,
    upper: value + z95 * standardError,
    standardError,
  };
}

/** The mean of independent values, each a decision's. */
export function meanOf(values: Float64Array, customer?: Int32Array): Estimate {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  return estimateOf(
    mean,
    values.map((value) => value - mean),
    customer,
  );
}

/** One sum for each customer that occurs, in no particular order. */
function sumsByCustomer(values: Float64Array, customer: Int32Array): Float64Array {
  const position = new Map<number, number>();
  const sums = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    let at = position.get(customer[row]!);
    if (at === undefined) {
      at = position.size;
      position.set(customer[row]!, at);
    }
    sums[at]! += values[row]!;
  }
  return sums.subarray(0, position.size);
}
