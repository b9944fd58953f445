/** Do groups have the sizes that they were to have? Pearson's chi-square test (1900). */
import { gammaShareBelow } from './customer-base/gamma-quantile.ts';

/**
 * Probability that chance alone brings sizes as far from `weights` as these `counts`; null where nothing can be told: fewer
 * than two groups, or fewer than five expected in one.
 */
export function sampleRatioP(counts: readonly number[], weights: readonly number[]): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weight = weights.reduce((sum, one) => sum + one, 0);
  const expected = weights.map((one) => (total * one) / weight);
  if (counts.length < 2 || expected.some((count) => count < 5)) return null;
  const chiSquare = counts.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
  return 1 - gammaShareBelow((counts.length - 1) / 2, chiSquare / 2);
}
