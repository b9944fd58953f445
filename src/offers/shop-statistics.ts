/** What offers need to know of the catalogue as a whole. */
import type { Item } from '../domain/item.ts';

/** Margin over price where the catalogue does not say: an assumption. */
export const DEFAULT_MARGIN_RATE = 0.3;

export type ShopStatistics = {
  /** Share of the shop's sales by category (by popularity; by number of items where none is known). Sums to 1. */
  categoryShares: ReadonlyMap<string, number>;
  /** Mean margin over price of a category's items, where any item states it. */
  categoryMarginRates: ReadonlyMap<string, number>;
  /** The same of the whole catalogue. */
  marginRate: number;
  /** Median price of what can be bought; stands in for the average order of a customer without one. 0 = no prices. */
  medianPriceMinor: number;
};

export function isBuyable(item: Item | undefined): boolean {
  return item?.inStock === true && !item.discontinued;
}

/** Margin over price of one item; undefined where the catalogue does not tell. */
export function marginRateOf(item: Item): number | undefined {
  if (item.marginMinor === undefined || item.priceMinor === undefined || item.priceMinor === 0)
    return undefined;
  return Math.min(1, item.marginMinor / item.priceMinor);
}

/** `popularityOf` answers a non-negative weight of an item's sales; without it every item weighs the same. */
export function shopStatistics(
  items: Iterable<Item>,
  popularityOf?: (itemId: string) => number,
): ShopStatistics {
  const weights = new Map<string, number>();
  const margins = new Map<string, { sum: number; count: number }>();
  const prices: number[] = [];
  let totalWeight = 0;
  let marginSum = 0;
  let marginCount = 0;
  for (const item of items) {
    const weight = popularityOf?.(item.itemId) ?? 1;
    weights.set(item.category, (weights.get(item.category) ?? 0) + weight);
    totalWeight += weight;
    const rate = marginRateOf(item);
    if (rate !== undefined) {
      const category = margins.get(item.category) ?? { sum: 0, count: 0 };
      margins.set(item.category, { sum: category.sum + rate, count: category.count + 1 });
      marginSum += rate;
      marginCount++;
    }
    if (item.priceMinor !== undefined && isBuyable(item)) prices.push(item.priceMinor);
  }
  return {
    categoryShares: new Map(
      [...weights].map(([category, weight]) => [category, totalWeight > 0 ? weight / totalWeight : 0]),
    ),
    categoryMarginRates: new Map([...margins].map(([category, { sum, count }]) => [category, sum / count])),
    marginRate: marginCount > 0 ? marginSum / marginCount : DEFAULT_MARGIN_RATE,
    medianPriceMinor: median(prices),
  };
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[sorted.length >> 1] ?? 0;
  const lower = sorted[(sorted.length - 1) >> 1] ?? upper;
  return (lower + upper) / 2;
}
