import { dayMs } from '../domain/time.ts';
/** How often somebody buys an item, old purchases counting less, from what is kept of a customer's history. */

/**
 * Σ 2^(−age / half-life) over the `purchaseCount` purchases of an item, in days of age at `now`; purchases later than `now`
 * have age 0. Only the first and the last time are kept, so the purchases are taken as evenly spaced between them: with gap
 * g and x = 2^(−g / half-life) the sum is 2^(−age of the last / half-life) · (1 − xⁿ) / (1 − x), a geometric series. Exact
 * for one and for two purchases.
 */
export function decayedPurchases(
  purchaseCount: number,
  firstAt: number,
  lastAt: number,
  now: number,
  halfLifeDays: number,
): number {
  const decayOf = (days: number) => 2 ** (-days / halfLifeDays);
  const newest = decayOf(Math.max(0, now - lastAt) / dayMs);
  if (purchaseCount <= 1) return newest;
  const gapDays = Math.max(0, lastAt - firstAt) / dayMs / (purchaseCount - 1);
  const x = decayOf(gapDays);
  // 1 − x loses its digits where gaps are tiny beside the half-life: there the terms are equal.
  return 1 - x < 1e-9 ? newest * purchaseCount : (newest * (1 - x ** purchaseCount)) / (1 - x);
}
