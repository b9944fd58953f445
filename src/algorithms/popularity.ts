/** What sells, by market segment, with old sales counting less. */
import { dayMs } from '../domain/time.ts';

export type PopularityOptions = {
  /** A purchase this many days old counts half. */
  halfLifeDays: number;
  /** How many purchases of everybody's mix are added to each segment's own: a small segment stays close to everybody. */
  segmentPriorPurchases: number;
};

export type Popularity = {
  /** '' (everybody) first. */
  segments: readonly string[];
  /** segments × items: the item's share of the segment's decayed purchases; each row sums to 1 (to 0 without purchases). */
  shares: Float32Array;
};

/**
 * Time-decayed popularity. Row s > 0 is (cₛᵢ + κ·pᵢ) / (cₛ + κ) with κ = `segmentPriorPurchases`: the mean of a Dirichlet
 * posterior around everybody's shares p. `segment` gives each purchase's index into `segments`, 0 for none.
 */
export function fitPopularity(
  purchases: { item: Int32Array; at: Float64Array; segment: Int32Array },
  itemCount: number,
  segments: readonly string[],
  now: number,
  options: PopularityOptions,
): Popularity {
  const { item, at, segment } = purchases;
  const decayPerMs = Math.LN2 / (options.halfLifeDays * dayMs);
  const counts = new Float64Array(segments.length * itemCount);
  const totals = new Float64Array(segments.length);
  for (let p = 0; p < at.length; p++) {
    const weight = Math.exp(-decayPerMs * Math.max(0, now - at[p]!));
    const s = segment[p]!;
    counts[item[p]!]! += weight;
    totals[0]! += weight;
    if (s > 0) {
      counts[s * itemCount + item[p]!]! += weight;
      totals[s]! += weight;
    }
  }
  const shares = new Float32Array(segments.length * itemCount);
  const all = totals[0]!;
  if (all === 0) return { segments, shares };
  const prior = options.segmentPriorPurchases;
  for (let i = 0; i < itemCount; i++) shares[i] = counts[i]! / all;
  for (let s = 1; s < segments.length; s++) {
    const row = s * itemCount;
    for (let i = 0; i < itemCount; i++)
      shares[row + i] = (counts[row + i]! + prior * (counts[i]! / all)) / (totals[s]! + prior);
  }
  return { segments, shares };
}
