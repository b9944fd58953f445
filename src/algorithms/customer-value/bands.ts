/** Names for where a figure lies among those of the shop's customers; the limits are quantiles of the data. */

/** The best twentieth, the next 15 %, the next 30 %, and the other half. */
export const VALUE_TIERS = ['low', 'middle', 'high', 'top'] as const;
export type ValueTier = (typeof VALUE_TIERS)[number];

/**
 * Likewise of the risk, among customers who are not long gone: `critical` are as likely not to come back as the worst twentieth of
 * those; whoever is gone is as a rule among them.
 */
export const RISK_BANDS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskBand = (typeof RISK_BANDS)[number];

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
