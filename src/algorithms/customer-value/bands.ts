/** Names for where a figure lies among those of the shop's customers; the limits are quantiles of the data. */

export { RISK_BANDS, type RiskBand, VALUE_TIERS, type ValueTier } from '../../domain/segments.ts';

/** Shares of the customers below each limit between the four bands. */
export const bandShares = [0.5, 0.8, 0.95] as const;

/** How many of the ascending limits lie below the value: 0 for one up to the first. */
export function bandOf(limits: readonly number[], value: number): number {
  let band = 0;
  while (band < limits.length && value > limits[band]!) band++;
  return band;
}

/** Values at these shares of all, linear between the order statistics; NaN without values. */
export function quantilesOf(values: Float64Array, shares: readonly number[]): number[] {
  const sorted = values.toSorted();
  return shares.map((share) => {
    if (sorted.length === 0) return Number.NaN;
    const at = share * (sorted.length - 1);
    const low = Math.floor(at);
    const high = Math.min(sorted.length - 1, low + 1);
    return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
  });
}
