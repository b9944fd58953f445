/** Sums of probabilities that are kept as logarithms: likelihoods are too small for anything else. */

/** ln(1 + e^y). */
export function softplus(y: number): number {
  return y > 0 ? y + Math.log1p(Math.exp(-y)) : Math.log1p(Math.exp(y));
}

/** ln(e^a + e^b), for b down to −∞. */
export function logSum(a: number, b: number): number {
  return a + softplus(b - a);
}
